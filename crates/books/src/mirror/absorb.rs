//! Taking in what came: appended to the chain if it changes the mirror, and folded, in one
//! transaction.

use std::sync::Arc;

use contract::id::ConnectionId;
use guesty::Reply;
use store::Connection;

use super::desk::Desk;
use super::flag::Flagged;
use super::fold::{Reading, Source, read};
use super::marks::Asking;
use super::read::{Mirror, current_or_new, go_on};
use super::state::Seen;
use super::step::{Counts, Pages, step};
use crate::Error;
use crate::evidence::{self, NewRecord, Signer, append, tip};

/// How many rows of a list that cannot be read are told one by one.
const UNREADABLE_MAX: usize = 500;
/// How many objects that are not understood are told one by one.
pub(crate) const FLAGGED_MAX: usize = 20;

/// A record that may be appended, and what it says.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) record: NewRecord,
    pub(crate) reading: Reading,
    /// Given where others may read the same at once.
    asking: Option<Asking>,
}

impl Delivery {
    /// A reply, as one page of a list and of how many; 0 where that is not known.
    pub(crate) fn of(reply: &Reply, page: i32, pages: i32) -> Result<Self, Error> {
        let subject = format!("GET {}", reply.request);
        let source = Source {
            kind: evidence::Kind::Reply.name(),
            subject: &subject,
            status: reply.status.into(),
            page,
            pages,
            body: &reply.body,
        };
        let reading = read(source);
        let kind = evidence::Kind::Reply;
        let record = NewRecord::new(kind, subject, reply.received_at, &reply.body)?
            .with_status(reply.status)
            .as_page(page, pages);
        Ok(Self {
            record,
            reading,
            asking: None,
        })
    }

    /// Says when it was asked for, beside others who may read the same.
    #[must_use]
    pub(crate) fn asked(self, asking: Asking) -> Self {
        Self {
            asking: Some(asking),
            ..self
        }
    }

    /// Says which page of a list it is, once that is known.
    pub(crate) fn is_page(&mut self, page: i32) {
        self.record.page = page;
        if let Some(whole) = &mut self.reading.whole {
            whole.page = page;
        }
    }

    /// Says which of its objects came on a page before, so that they are counted once.
    pub(crate) fn was_met(&mut self, was_met: impl Fn(&str) -> bool) {
        let ids = self.reading.seen.iter().map(|seen| &seen.id);
        self.reading.again = ids.filter(|id| was_met(id)).cloned().collect();
    }
}

impl Mirror {
    /// Takes in replies that belong together: one that stands for itself, or all pages of a list in
    /// their order. They are appended to the chain if they change anything.
    pub async fn take_in(&self, replies: &[Reply]) -> Result<Counts, Error> {
        let pages = i32::try_from(replies.len()).unwrap_or(i32::MAX);
        let deliveries = (1..).zip(replies);
        let deliveries = deliveries.map(|(page, reply)| Delivery::of(reply, page, pages));
        let deliveries: Vec<Delivery> = deliveries.collect::<Result<_, _>>()?;
        let chain = &self.chain;
        let (id, signer) = (chain.id, Arc::clone(&chain.signer));
        let work = move |c: &mut Connection| absorb(c, &signer, id, &deliveries);
        chain.store.write(chain.lock(), work).await
    }
}

/// Folds what came together, inside a transaction that holds the chain's lock. If any of it changes
/// the mirror, all of it is appended: the pages of a list prove together what is not in it. What
/// others have read since it was asked for is not changed ([`Error::Overtaken`]).
pub(crate) fn absorb(
    c: &mut Connection,
    signer: &Signer,
    id: ConnectionId,
    deliveries: &[Delivery],
) -> Result<Counts, Error> {
    let mirror = current_or_new(c, id)?;
    let tip = tip(c, id)?;
    let mut desk = Desk::of(mirror);
    let mut pages = Pages::default();
    let mut counts = Counts::default();
    for (delivery, number) in deliveries.iter().zip(tip.length + 1..) {
        if let Some(asking) = delivery.asking {
            asking.is_not_overtaken(c, id, mirror, &delivery.reading)?;
            asking.leave(c, id, &delivery.reading)?;
        }
        counts += step(c, &mut desk, number, &delivery.reading, &mut pages)?;
    }
    if counts.is_change() {
        desk.write(c)?;
        append(c, signer, id, deliveries.iter().map(|came| &came.record))?;
        let active = deliveries.iter().filter_map(|came| came.reading.active());
        go_on(c, mirror, active.max())?;
    }
    Ok(counts)
}

/// What became of a list that was taken in whole.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) counts: Counts,
    pub(crate) rows: usize,
    /// The first rows that cannot be read: in which reply, and why.
    pub(crate) unreadable: Vec<(String, String)>,
    /// The first objects that are not understood.
    pub(crate) flagged: Vec<Flagged>,
}

/// Where the pages of a list are kept: calls with each of them, in their order.
pub(crate) type EachPage =
    dyn Fn(&mut dyn FnMut(NewRecord) -> Result<(), Error>) -> Result<(), Error>;

/// The same of all pages of a list, however many: each is looked at when its turn comes, and once
/// more if any of them changes the mirror.
pub(crate) fn absorb_whole(
    c: &mut Connection,
    signer: &Signer,
    id: ConnectionId,
    each: &EachPage,
) -> Result<Taken, Error> {
    let mirror = current_or_new(c, id)?;
    let mut number = tip(c, id)?.length;
    let mut desk = Desk::of(mirror);
    let mut pages = Pages::default();
    let mut taken = Taken::default();
    let mut active = None;
    each(&mut |record| {
        number += 1;
        let reading = reading_of(&record)?;
        taken.counts += step(c, &mut desk, number, &reading, &mut pages)?;
        let new = pages.new_of(&reading);
        taken.rows += new.len();
        active = active.max(reading.active());
        let room = FLAGGED_MAX.saturating_sub(taken.flagged.len());
        let flagged = new.iter().filter_map(Seen::flagged);
        taken.flagged.extend(flagged.take(room));
        let room = UNREADABLE_MAX.saturating_sub(taken.unreadable.len());
        let unreadable = reading.unreadable.into_iter().take(room);
        taken
            .unreadable
            .extend(unreadable.map(|reason| (record.subject.clone(), reason)));
        Ok(())
    })?;
    if taken.counts.is_change() {
        desk.write(c)?;
        each(&mut |record| append(c, signer, id, [&record]).map(drop))?;
        go_on(c, mirror, active)?;
    }
    Ok(taken)
}

fn reading_of(record: &NewRecord) -> Result<Reading, Error> {
    Ok(read(Source {
        kind: record.kind.name(),
        subject: &record.subject,
        status: record.status.into(),
        page: record.page,
        pages: record.pages,
        body: &record.body()?,
    }))
}
