//! A run, from its first part to its last.

use std::fmt::Display;
use std::sync::Arc;

use contract::Timestamp;
use guesty::{Reader, Reply};
use store::{Clock, Connection};
use tokio_util::sync::CancellationToken;

use super::account::LastAsked;
use super::lease::{Lease, RunId};
use super::place::Place;
use super::record::Plan;
use super::{FirstGeneration, Part, Problem, Progress, Source, Span, Summary};
use crate::Error;
use crate::evidence::Chain;
use crate::in_short;
use crate::mirror::{Counts, Delivery, absorb};

const NO_ACCESS: &str = "not asked for, as there is no access to the source: see above";

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How many days after its end a month of a report is mature: what was read then is not read
    /// again.
    pub mature_after_days: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mature_after_days: 120,
        }
    }
}

/// Brings the mirror of one connection up to date.
#[derive(Clone)]
pub struct Sync {
    pub(super) chain: Chain,
    pub(super) source: Arc<dyn Source>,
    pub(super) reader: Reader,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
    stop: CancellationToken,
    pub(super) asked: LastAsked,
}

/// What is heard of a run while it lasts.
pub(super) struct Run<'a> {
    /// Its right to run.
    pub(super) right: RunId,
    /// Cancelled once it is to end.
    pub(super) stop: &'a CancellationToken,
    pub(super) part: Part,
    pub(super) counts: Counts,
    pub(super) summary: Summary,
    /// Whether there is no access to the source any more.
    pub(super) is_cut_off: bool,
    /// How many requests in a row the source gave no answer to.
    pub(super) failures: u32,
    pub(super) progress: &'a (dyn Fn(Progress) + Send + std::marker::Sync),
}

impl Run<'_> {
    /// What the source answers, unless the run is to end: then it is not waited for.
    pub(super) async fn asks<T>(&self, answer: impl Future<Output = T>) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Error::SyncStopped(self.right.chain())),
            answer = answer => Ok(answer),
        }
    }

    pub(super) fn tell(&self, list: &str, done: u64, total: Option<u64>) {
        (self.progress)(Progress {
            part: self.part,
            list: list.to_owned(),
            done,
            total,
        });
    }

    /// Whether the reading of a list goes on where an earlier run was interrupted.
    pub(super) fn goes_on(&mut self, list: &str, place: &Place) {
        if let Ok(done @ 1..) = u64::try_from(place.done) {
            self.summary.resumed.push((list.to_owned(), done));
        }
    }

    pub(super) fn note(&mut self, what: impl Into<String>, reason: &dyn Display) {
        let (part, what, reason) = (self.part, what.into(), reason.to_string());
        tracing::warn!(%part, what, reason, "could not be read");
        self.summary.note(Problem { part, what, reason });
    }

    /// The source tells of another account: nothing of that is asked for.
    pub(super) fn note_another_account(&mut self, error: &Error) {
        self.is_cut_off = true;
        self.note("the account", error);
    }

    /// What in a reply could not be read is a problem of its own each time.
    pub(super) fn note_unreadable(&mut self, delivery: &Delivery) {
        for reason in &delivery.reading.unreadable {
            self.note_reply(&delivery.record.subject, reason);
        }
    }

    /// Something in the reply to a request could not be read.
    pub(super) fn note_reply(&mut self, subject: &str, reason: &dyn Display) {
        tracing::debug!(subject, "what could not be read was asked for so");
        self.note(in_short(subject), reason);
    }
}

impl Sync {
    /// Reads by the first generation of the API.
    pub fn new(chain: &Chain, reader: Reader, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        Self {
            chain: chain.clone(),
            source: Arc::new(FirstGeneration::new(reader.clone())),
            reader,
            clock,
            settings,
            stop: CancellationToken::new(),
            asked: LastAsked::default(),
        }
    }

    /// The same, with properties and reservations read elsewhere.
    #[must_use]
    pub fn with_source(self, source: Arc<dyn Source>) -> Self {
        Self { source, ..self }
    }

    /// The same, ending once a token is cancelled as if somebody had asked each run to.
    #[must_use]
    pub fn until(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// Reads some parts, in their own order. The span is of arrivals for reservations, of the
    /// processors' dates for payments; without one, all reservations are read, and all months that
    /// are not mature. What cannot be read is in the summary; an error is the database's, or that
    /// another run is under way, or that the span is absurd.
    pub async fn run(
        &self,
        parts: &[Part],
        span: Option<Span>,
        progress: &(dyn Fn(Progress) + Send + std::marker::Sync),
    ) -> Result<Summary, Error> {
        let parts: Vec<Part> = (Part::ALL.into_iter())
            .filter(|part| parts.contains(part))
            .collect();
        if let Some(span) = span {
            span.check(&parts, self.now().date())?;
        }
        let plan = Plan {
            parts,
            changed_only: false,
            span,
        };
        self.carry_out(&plan, progress).await
    }

    /// Carries out a plan, as the only run that there is.
    pub(super) async fn carry_out(
        &self,
        plan: &Plan,
        progress: &(dyn Fn(Progress) + Send + std::marker::Sync),
    ) -> Result<Summary, Error> {
        let stop = self.stop.child_token();
        let lease = Lease::take(&self.chain, &self.clock, plan.clone(), stop).await?;
        let summary = self.read(&lease, plan, progress).await?;
        lease.end(&summary).await?;
        Ok(summary)
    }

    async fn read(
        &self,
        lease: &Lease,
        plan: &Plan,
        progress: &(dyn Fn(Progress) + Send + std::marker::Sync),
    ) -> Result<Summary, Error> {
        let mut summary = Summary::default();
        let (mut is_cut_off, mut failures) = (false, 0);
        for part in plan.parts.iter().copied() {
            let mut run = Run {
                right: lease.run(),
                stop: lease.stop(),
                part,
                counts: Counts::default(),
                summary,
                is_cut_off,
                failures,
                progress,
            };
            let ended = self.read_part(&mut run, plan).await;
            if let Err(error @ Error::AnotherAccount { .. }) = &ended {
                run.note_another_account(error);
            }
            (is_cut_off, failures) = (run.is_cut_off, run.failures);
            summary = run.summary;
            summary.parts.push((part, run.counts));
            match ended {
                Ok(()) | Err(Error::AnotherAccount { .. }) => {}
                Err(Error::SyncStopped(_)) => {
                    summary.is_stopped = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(summary)
    }

    async fn read_part(&self, run: &mut Run<'_>, plan: &Plan) -> Result<(), Error> {
        if run.is_cut_off {
            run.note("all of it", &NO_ACCESS);
            return Ok(());
        }
        // The properties begin with the account.
        if run.part != Part::Properties {
            self.is_ours_for(run).await?;
        }
        match run.part {
            Part::Properties => self.properties(run).await,
            Part::Reservations if plan.changed_only => self.changed_reservations(run).await,
            Part::Reservations => self.reservations(run, plan.span).await,
            Part::Taxes => self.catalog(run).await,
            Part::Payments => self.payments(run, plan.span).await,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Takes in a reply that stands for itself.
    pub(super) async fn take_in(&self, run: &mut Run<'_>, reply: &Reply) -> Result<(), Error> {
        let delivery = Delivery::of(reply, 1, 1)?;
        self.commit(run, vec![delivery], None).await
    }

    /// Takes in what came together, and keeps how far the list was read, in one transaction.
    pub(super) async fn commit(
        &self,
        run: &mut Run<'_>,
        deliveries: Vec<Delivery>,
        place: Option<Place>,
    ) -> Result<(), Error> {
        run.failures = 0;
        self.is_ours_for(run).await?;
        for delivery in &deliveries {
            run.note_unreadable(delivery);
        }
        let room = run.summary.room_for_flagged();
        let flagged = deliveries.iter().flat_map(|came| came.reading.flagged());
        let flagged: Vec<_> = flagged.take(room).collect();
        let (id, signer) = (self.chain.id, Arc::clone(&self.chain.signer));
        let (right, now) = (run.right, self.now());
        let work = move |c: &mut Connection| {
            right.hold(c, now)?;
            let counts = absorb(c, &signer, id, &deliveries)?;
            if let Some(place) = &place {
                place.save(c)?;
            }
            Ok::<_, Error>(counts)
        };
        run.counts += self.chain.store.write(self.chain.lock(), work).await?;
        run.summary.flagged.extend(flagged);
        Ok(())
    }

    pub(super) async fn place(&self, list: &str) -> Result<Place, Error> {
        let (id, list, now) = (self.chain.id, list.to_owned(), self.now());
        let place = move |c: &mut Connection| Place::resume(c, id, &list, now);
        self.chain.store.read(place).await
    }

    pub(super) async fn save(&self, run: &Run<'_>, place: Place) -> Result<(), Error> {
        let (right, now) = (run.right, self.now());
        let work = move |c: &mut Connection| {
            right.hold(c, now)?;
            place.save(c)
        };
        self.chain.store.write(self.chain.lock(), work).await
    }
}
