//! Reading only what changed.
//!
//! What time it is at the source is asked for before a reading begins: all that changes later,
//! changes after that instant, by the source's own clock, whatever ours says. A reading that comes to
//! its end therefore has all that changed before it began, and the next one asks for what changed
//! since then, and for some time before, as a change may be seen a little after its instant. It is
//! walked in the order of ids, which a change does not move.
//!
//! What was removed cannot be seen in this way, nor what changes without saying when. So everything
//! is read once a day, and when the source does not do what this rests on.

use chrono::TimeDelta;

use super::record::Plan;
use super::run::Run;
use super::source::CHANGES;
use super::{List, Part, Progress, Summary, Sync};
use crate::Error;

/// How long after its instant a change may be seen for the first time.
const OVERLAP: TimeDelta = TimeDelta::minutes(15);
/// How often everything is read.
const ALL_EVERY: TimeDelta = TimeDelta::days(1);

impl Sync {
    /// Reads the properties, and the reservations that changed since they were last read; all parts
    /// whole if that was not done for a day. What cannot be read is in the summary; an error is the
    /// database's, or that another run is under way.
    pub async fn changed(
        &self,
        progress: &(dyn Fn(Progress) + Send + std::marker::Sync),
    ) -> Result<Summary, Error> {
        if self.is_all_due().await? {
            return self.run(&Part::ALL, None, progress).await;
        }
        let plan = Plan {
            parts: vec![Part::Properties, Part::Reservations],
            changed_only: true,
            span: None,
        };
        self.carry_out(&plan, progress).await
    }

    async fn is_all_due(&self) -> Result<bool, Error> {
        let all = List::Reservations { arrivals: None };
        let read = self.place(&all.name()).await?.read_ms;
        let now = self.now();
        Ok(read.is_none_or(|read| read > now || now - read >= ALL_EVERY))
    }

    pub(super) async fn changed_reservations(&self, run: &mut Run<'_>) -> Result<(), Error> {
        let Some(known) = self.place(CHANGES).await?.read_ms else {
            return self.reservations(run, None).await;
        };
        let mark = match run.asks(self.source.now()).await? {
            Ok(mark) => mark,
            Err(error) => {
                let what = "when reservations last changed";
                return self.note_failure(run, what, &error).await;
            }
        };
        // A source whose time went back, or that lost what it had, is another one than we know.
        if mark.is_none_or(|mark| mark < known) {
            return self.reservations(run, None).await;
        }
        let list = List::ChangedReservations {
            since: known - OVERLAP,
        };
        if !self.list(run, list, mark).await? {
            // What changed last is not among what changed: the source does not filter as it should.
            return self.reservations(run, None).await;
        }
        Ok(())
    }
}
