//! Properties and reservations: lists in the order of ids, whose objects can be read one by one.

use contract::id::ConnectionId;
use diesel::prelude::*;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use guesty::{PAGE_SIZE_MAX, Problem, Reply};
use store::{Connection, both};
use tokio::sync::mpsc;

use super::place::Place;
use super::run::Run;
use super::{List, ListPage, Span, Sync};
use crate::Error;
use crate::mirror::{Delivery, current};
use crate::schema::object;

/// How many pages are read ahead of those that are being taken in.
const AHEAD: usize = 4;
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
        let mut pages = ahead(self.source.pages(list, walk.skip()));
        while let Some(page) = pages.recv().await {
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    run.note(list.name(), &error);
                    return Ok(());
                }
            };
            if walk.has_shrunk(&page) {
                place = place.anew(self.now());
                walk = Walk::from(&place);
                pages = ahead(self.source.pages(list, 0));
                continue;
            }
            run.tell(&list.name(), page.done, page.total);
            let delivery = Delivery::of(&page.reply, walk.number(), 0)?;
            let at = place.at(page.done, page.total);
            self.commit(run, vec![delivery], Some(at)).await?;
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
            match self.source.one(list.kind(), &id).await {
                Ok(reply) => self.take_in(run, &reply).await?,
                Err(guesty::Error {
                    call,
                    problem: Problem::NotFound(refusal),
                    ..
                }) => {
                    let request = call.strip_prefix("GET ").unwrap_or(&call);
                    let gone = Reply {
                        request: request.to_owned(),
                        status: refusal.status,
                        body: refusal.body,
                        received_at: self.now(),
                        sent_at: None,
                        request_id: refusal.request_id,
                    };
                    self.take_in(run, &gone).await?;
                }
                Err(error) => run.note(format!("{} {id}", list.kind()), &error),
            }
        }
        Ok(())
    }
}

/// Ids after one, up to another or to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gap {
    after: String,
    up_to: Option<String>,
}

/// How far a list was walked.
struct Walk {
    page: i32,
    skip: u64,
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
            total: place.total.and_then(|total| u64::try_from(total).ok()),
            last: (skip == 0).then(String::new),
            is_sorted: true,
        }
    }

    fn skip(&self) -> u64 {
        self.skip
    }

    /// Whether the list became shorter since it was left: some may have been passed over.
    fn has_shrunk(&mut self, page: &ListPage) -> bool {
        let before = self.total.take();
        self.skip > 0 && matches!((before, page.total), (Some(before), Some(now)) if now < before)
    }

    fn number(&mut self) -> i32 {
        self.page += 1;
        self.page
    }

    /// Goes on over a page; the ids that it spans.
    fn go_on(&mut self, page: &ListPage) -> Option<Gap> {
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

/// Reads on while what came is being taken in.
fn ahead<T: Send + 'static>(mut stream: BoxStream<'static, T>) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        while let Some(item) = stream.next().await {
            if sender.send(item).await.is_err() {
                return;
            }
        }
    });
    receiver
}
