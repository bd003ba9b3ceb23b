//! Taxes and fees: of the account, and of each property in use.

use contract::id::ListingId;
use diesel::prelude::*;
use guesty::{Answer, Error as SourceError};
use store::{Connection, both};

use super::Sync;
use super::run::Run;
use crate::Error;
use crate::mirror::{Kind, current};
use crate::schema::object;

const LIST: &str = "taxes and fees";

impl Sync {
    pub(super) async fn catalog(&self, run: &mut Run<'_>) -> Result<(), Error> {
        let reader = &self.reader;
        self.take_in_or_note(run, "taxes of the account", reader.taxes_of_account())
            .await?;
        self.take_in_or_note(run, "fees of the account", reader.fees_of_account())
            .await?;

        if run.is_cut_off {
            return Ok(());
        }
        let properties = self.properties_in_use().await?;
        let total = properties.len() as u64;
        let place = self.place(LIST).await?;
        run.goes_on(LIST, &place);
        for (done, id) in (1..).zip(&properties) {
            if id.as_str() <= place.last() {
                continue;
            }
            self.catalog_of(run, id).await?;
            if run.is_cut_off {
                return Ok(());
            }
            // Should the source give nothing from here on, the next run asks for this one again.
            if run.failures == 0 {
                self.save(run, place.at(done, id)).await?;
            }
            run.tell(LIST, done, Some(total));
        }
        self.save(run, place.at_end()).await
    }

    async fn catalog_of(&self, run: &mut Run<'_>, id: &str) -> Result<(), Error> {
        let Ok(id) = id.parse::<ListingId>() else {
            run.note(
                format!("taxes of property {id}"),
                &"its id is not one of the source's",
            );
            return Ok(());
        };
        let reader = &self.reader;
        let own = reader.taxes_of_listing(id);
        self.take_in_or_note(run, &format!("taxes of property {id}"), own)
            .await?;
        let applied = reader.actual_taxes_of_listing(id);
        self.take_in_or_note(run, &format!("taxes that hold for property {id}"), applied)
            .await?;
        let fees = reader.fees_of_listing(id);
        self.take_in_or_note(run, &format!("fees of property {id}"), fees)
            .await
    }

    async fn take_in_or_note<T>(
        &self,
        run: &mut Run<'_>,
        what: &str,
        answer: impl Future<Output = Result<Answer<T>, SourceError>>,
    ) -> Result<(), Error> {
        if run.is_cut_off {
            return Ok(());
        }
        match run.asks(answer).await? {
            Ok(answer) => self.take_in(run, &answer.reply).await,
            Err(error) => self.note_failure(run, what, &error).await,
        }
    }

    async fn properties_in_use(&self) -> Result<Vec<String>, Error> {
        let id = self.chain.id;
        let ids = move |c: &mut Connection| {
            let Some(mirror) = current(c, id)? else {
                return Ok::<_, Error>(Vec::new());
            };
            let ids = object::table
                .filter(object::mirror_id.eq(mirror))
                .filter(object::kind.eq(Kind::Property.name()))
                .filter(object::is_removed.eq(false))
                .filter(object::scope.is_null().or(object::scope.ne("active=false")))
                .order(object::id)
                .select(object::id);
            Ok(both!(c, c => ids.load::<String>(c))?)
        };
        self.chain.store.read(ids).await
    }
}
