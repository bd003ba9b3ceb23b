//! Properties and reservations: lists in the order of ids, whose objects can be read one by one.

use contract::id::ConnectionId;
use diesel::prelude::*;
use futures_util::StreamExt;
use guesty::PAGE_SIZE_MAX;
use store::{Connection, both};
use tokio::sync::mpsc;

use super::place::Place;
use super::run::Run;
use super::{List, ListPage, Span, Sync};
use crate::Error;
use crate::mirror::{Asking, Delivery, ReaderId, current};
use crate::schema::object;

/// How many pages are read ahead of those that are being taken in.
const AHEAD: usize = 4;
/// How often a page is asked for again whose objects others change while it is read.
const TRIES_MAX: u32 = 8;
/// How many objects are looked for that a page should have and has not.
const MISSING_MAX: i64 = 10_000;

impl Sync {
    pub(super) async fn properties(&self, run: &mut Run<'_>) -> Result<(), Error> {
        match self.reader.account().await {
            Ok(account) => self.take_in(run, &account.reply).await?,
            Err(error) => run.note("the account", &error),
        }
        for active in [true, false] {
            self.list(run, List::Properties { active }).await?;
        }
        Ok(())
    }

    pub(super) async fn reservations(
        &self,
        run: &mut Run<'_>,
        arrivals: Option<Span>,
    ) -> Result<(), Error> {
        self.list(run, List::Reservations { arrivals }).await
    }

    /// Reads a list to its end, from where it was left.
    async fn list(&self, run: &mut Run<'_>, list: List) -> Result<(), Error> {
        let mut place = self.place(&list.name()).await?;
        run.goes_on(&list.name(), &place);
        let mut walk = Walk::from(&place);
        let mut pages = self.ahead(list, walk.skip);
        while let Some(Asked { asking, answer }) = pages.recv().await {
            let page = match answer {
                Ok(page) => page,
                Err(error) => {
                    run.note(list.name(), &error);
                    return Ok(());
                }
            };
            if walk.has_shrunk(&page) {
                place = place.anew(self.now());
                walk = Walk::from(&place);
                pages = self.ahead(list, 0);
                continue;
            }
            run.tell(&list.name(), page.done, page.total);
            let delivery = Delivery::of(&page.reply, walk.page + 1, 0)?.asked(asking?);
            let at = place.at(page.done, page.total);
            match self.commit(run, vec![delivery], Some(at)).await {
                Err(Error::Overtaken { .. }) if walk.tries < TRIES_MAX => {
                    walk.tries += 1;
                    pages = self.ahead(list, walk.skip);
                    continue;
                }
                Err(overtaken @ Error::Overtaken { .. }) => {
                    run.note(list.name(), &overtaken);
                    return Ok(());
                }
                committed => committed?,
            }
            let gap = walk.go_on(&page);
            self.look_after_missing(run, list, gap, page.ids).await?;
        }
        self.look_after_missing(run, list, walk.rest(), Vec::new())
            .await?;
        if !walk.is_sorted {
            run.note(
                list.name(),
                &"the source does not give it in the order of ids, so what was removed is not seen",
            );
        }
        self.save(run, place.at_end()).await
    }

    /// Reads on while what came is being taken in.
    fn ahead(&self, list: List, skip: u64) -> mpsc::Receiver<Asked> {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (chain, mut pages) = (self.chain.clone(), self.source.pages(list, skip));
        let reader = ReaderId::new();
        tokio::spawn(async move {
            loop {
                let asking = reader.asks(&chain).await;
                let Some(answer) = pages.next().await else {
                    return;
                };
                if sender.send(Asked { asking, answer }).await.is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// Asks for what the mirror has in a gap of ids and the page has not.
    async fn look_after_missing(
        &self,
        run: &mut Run<'_>,
        list: List,
        gap: Option<Gap>,
        met: Vec<String>,
    ) -> Result<(), Error> {
        let Some(gap) = gap else {
            return Ok(());
        };
        let id = self.chain.id;
        let known = move |c: &mut Connection| known_in(c, id, list, &gap);
        let known: Vec<String> = self.chain.store.read(known).await?;
        for id in known.into_iter().filter(|id| !met.contains(id)) {
            let asking = ReaderId::new().asks(&self.chain).await?;
            match self.one_or_gone(list.kind(), &id).await {
                Ok(reply) => {
                    let delivery = Delivery::of(&reply, 1, 1)?.asked(asking);
                    match self.commit(run, vec![delivery], None).await {
                        // Whoever came first knows what it is now.
                        Err(Error::Overtaken { .. }) => {}
                        committed => committed?,
                    }
                }
                Err(error) => run.note(format!("{} {id}", list.kind()), &error),
            }
        }
        Ok(())
    }
}

/// A page, and when it was asked for.
struct Asked {
    asking: Result<Asking, Error>,
    answer: Result<ListPage, guesty::Error>,
}

/// Ids after one, up to another or to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gap {
    after: String,
    up_to: Option<String>,
}

/// How far a list was walked.
struct Walk {
    /// How many pages and rows of it are behind.
    page: i32,
    skip: u64,
    /// How often the next page was asked for again, since others changed what is on it.
    tries: u32,
    /// How many rows the source had when it was interrupted.
    total: Option<u64>,
    /// The last id that was met; none: what comes next does not follow what we know.
    last: Option<String>,
    is_sorted: bool,
}

impl Walk {
    /// From where a list was left, and one page before it: some may have gone meanwhile.
    fn from(place: &Place) -> Self {
        let done = u64::try_from(place.done).unwrap_or_default();
        let skip = done.saturating_sub(PAGE_SIZE_MAX.into());
        Self {
            page: i32::try_from(skip / u64::from(PAGE_SIZE_MAX)).unwrap_or_default(),
            skip,
            tries: 0,
            total: place.total.and_then(|total| u64::try_from(total).ok()),
            last: (skip == 0).then(String::new),
            is_sorted: true,
        }
    }

    /// Whether the list became shorter since it was left: some may have been passed over.
    fn has_shrunk(&mut self, page: &ListPage) -> bool {
        let before = self.total.take();
        self.skip > 0 && matches!((before, page.total), (Some(before), Some(now)) if now < before)
    }

    /// Goes on over a page; the ids that it spans.
    fn go_on(&mut self, page: &ListPage) -> Option<Gap> {
        self.page += 1;
        self.skip = page.done;
        self.tries = 0;
        let end = page.ids.last()?.clone();
        let start = self.last.replace(end.clone());
        let begins_after = |start: &String| page.ids.first().is_some_and(|id| id > start);
        let overlaps = start.as_ref().is_some_and(|start| !begins_after(start));
        self.is_sorted &= page.ids.is_sorted() && !overlaps;
        let after = start.filter(|_| self.is_sorted)?;
        Some(Gap {
            after,
            up_to: Some(end),
        })
    }

    /// The ids after the last page.
    fn rest(&self) -> Option<Gap> {
        let after = self.last.clone().filter(|_| self.is_sorted)?;
        Some(Gap { after, up_to: None })
    }
}

/// What the mirror has of a list in a gap.
fn known_in(
    c: &mut Connection,
    chain: ConnectionId,
    list: List,
    gap: &Gap,
) -> Result<Vec<String>, Error> {
    let Some(mirror) = current(c, chain)? else {
        return Ok(Vec::new());
    };
    // Ids are hexadecimal: none comes after this.
    let up_to = gap.up_to.as_deref().unwrap_or("g");
    let known = object::table
        .filter(object::mirror_id.eq(mirror))
        .filter(object::kind.eq(list.kind().name()))
        .filter(object::id.gt(&gap.after))
        .filter(object::id.le(up_to))
        .filter(object::is_removed.eq(false))
        .order(object::id)
        .limit(MISSING_MAX)
        .select(object::id);
    let found: QueryResult<Vec<String>> = match list {
        List::Properties { active } => {
            let scope = format!("active={active}");
            both!(c, c => known.filter(object::scope.eq(&scope)).load::<String>(c))
        }
        List::Reservations { arrivals: None } => both!(c, c => known.load::<String>(c)),
        List::Reservations {
            arrivals: Some(span),
        } => {
            let (from, to) = (span.from().to_string(), span.to().to_string());
            both!(c, c => known.filter(object::day.between(&from, &to)).load::<String>(c))
        }
    };
    Ok(found?)
}
