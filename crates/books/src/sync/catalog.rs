//! Taxes and fees: of the account, and of each property in use.

use contract::id::ListingId;
use diesel::prelude::*;
use guesty::{Error as SourceError, Reply};
use store::{Connection, both};

use super::Sync;
use super::run::Run;
use crate::Error;
use crate::mirror::{Kind, current};
use crate::schema::object;

const LIST: &str = "taxes and fees";

impl Sync {
    pub(super) async fn catalog(&self, run: &mut Run<'_>) -> Result<(), Error> {
        let taxes = self
            .reader
            .taxes_of_account()
            .await
            .map(|answer| answer.reply);
        self.take_in_or_note(run, "taxes of the account", taxes)
            .await?;
        let fees = self
            .reader
            .fees_of_account()
            .await
            .map(|answer| answer.reply);
        self.take_in_or_note(run, "fees of the account", fees)
            .await?;

        let properties = self.properties_in_use().await?;
        let total = properties.len() as u64;
        let place = self.place(LIST).await?;
        run.goes_on(LIST, &place);
        for (done, id) in (1..).zip(&properties) {
            if id.as_str() <= place.last() {
                continue;
            }
            if run.is_cut_off {
                return Ok(());
            }
            self.catalog_of(run, id).await?;
            self.save(run, place.at(done, id)).await?;
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
        let own = reader.taxes_of_listing(id).await.map(|answer| answer.reply);
        self.take_in_or_note(run, &format!("taxes of property {id}"), own)
            .await?;
        let applied = reader
            .actual_taxes_of_listing(id)
            .await
            .map(|answer| answer.reply);
        self.take_in_or_note(run, &format!("taxes that hold for property {id}"), applied)
            .await?;
        let fees = reader.fees_of_listing(id).await.map(|answer| answer.reply);
        self.take_in_or_note(run, &format!("fees of property {id}"), fees)
            .await
    }

    async fn take_in_or_note(
        &self,
        run: &mut Run<'_>,
        what: &str,
        reply: Result<Reply, SourceError>,
    ) -> Result<(), Error> {
        match reply {
            Ok(reply) => self.take_in(run, &reply).await,
            Err(error) => {
                run.note_failure(what, &error);
                Ok(())
            }
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
