//! What processors report, month by month.

use std::sync::Arc;

use chrono::{Days, Months, NaiveDate};
use contract::Timestamp;
use contract::id::ConnectionId;
use diesel::prelude::*;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use guesty::seen::account::Account;
use guesty::{Error as SourceError, Problem, Reply, ReportQuery, Window};
use store::{Connection, both};

use super::months::{months, next};
use super::outage::is_trouble;
use super::place::Place;
use super::run::Run;
use super::spool::Spool;
use super::{Span, Sync};
use crate::Error;
use crate::mirror::{AsOf, Kind, Mirror, Taken, absorb_whole, current, last_active};
use crate::schema::object;

/// How long before a stay its first payment may be, and how far back nothing is looked for.
const MONTHS_BEFORE_A_STAY: Months = Months::new(12);
pub(super) const MONTHS_MAX: Months = Months::new(120);

/// How many months may fail one after the other: none of the others would be given either.
const FAILURES_MAX: u32 = 3;
/// How often a month is read that shifts while it is.
const TRIES_MAX: u32 = 4;
const GIVEN_UP: &str = "not asked for in this run, as three months one after the other could not be \
                        read: see above";

/// The two reports.
#[derive(Debug, Clone, Copy)]
enum Report {
    Transactions,
    Payouts,
}

impl Report {
    fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Payouts => "payouts",
        }
    }
}

/// The reading of a report.
struct Reading {
    report: Report,
    /// How many months were refused, or not answered, one after the other.
    failures: u32,
}

impl Reading {
    /// Whether no more of its months are asked for.
    fn is_over(&self, run: &mut Run<'_>) -> bool {
        let is_given_up = self.failures >= FAILURES_MAX;
        if is_given_up && !run.is_cut_off {
            run.note(format!("the other {}", self.report.name()), &GIVEN_UP);
        }
        is_given_up || run.is_cut_off
    }
}

impl Sync {
    pub(super) async fn payments(
        &self,
        run: &mut Run<'_>,
        span: Option<Span>,
    ) -> Result<(), Error> {
        for report in [Report::Transactions, Report::Payouts] {
            let failures = 0;
            let reading = Reading { report, failures };
            match span {
                Some(span) => self.months_of(run, reading, span).await?,
                None => self.all_months_of(run, reading).await?,
            }
        }
        Ok(())
    }

    /// Months that somebody wants to have read, whether mature or not.
    async fn months_of(
        &self,
        run: &mut Run<'_>,
        mut reading: Reading,
        span: Span,
    ) -> Result<(), Error> {
        let report = reading.report;
        let windows: Vec<Window> = months(span).collect();
        let total = windows.len() as u64;
        for (done, window) in (1..).zip(windows) {
            if reading.is_over(run) {
                break;
            }
            let place = self.place(&name(report, window)).await?;
            self.month(run, &mut reading, window, place).await?;
            run.tell(report.name(), done, Some(total));
        }
        Ok(())
    }

    /// All months up to this one that are not mature, and those after it while they have rows: an
    /// account's own time may be ahead of ours.
    async fn all_months_of(&self, run: &mut Run<'_>, mut reading: Reading) -> Result<(), Error> {
        let report = reading.report;
        let today = self.now().date();
        let Ok(span) = Span::new(self.first_day(today).await?, today) else {
            return Ok(());
        };
        let mut windows: Vec<Window> = months(span).collect();
        let total = windows.len() as u64;
        windows.reverse();
        let mut done = 0;
        while let Some(window) = windows.pop() {
            if reading.is_over(run) {
                break;
            }
            let place = self.place(&name(report, window)).await?;
            if self.is_mature(window, place.read_ms) {
                run.summary.windows_mature += 1;
            } else {
                let rows = self.month(run, &mut reading, window, place).await?;
                if windows.is_empty() && rows > 0 {
                    windows.extend(next(window));
                }
            }
            done += 1;
            run.tell(report.name(), done, Some(total.max(done)));
        }
        Ok(())
    }

    /// Reads a month to its end and takes it in whole; how many rows it has.
    async fn month(
        &self,
        run: &mut Run<'_>,
        reading: &mut Reading,
        window: Window,
        place: Place,
    ) -> Result<usize, Error> {
        let report = reading.report;
        let as_of = self.present_of_the_source().await?;
        let spool = match run.asks(self.pages_of(report, window)).await?? {
            Ok(spool) => spool,
            Err(error) => {
                let is_refused =
                    matches!(error.problem, Problem::Refused(_) | Problem::NotFound(_));
                let is_of_all = is_refused || is_trouble(&error);
                reading.failures = if is_of_all { reading.failures + 1 } else { 0 };
                let what = name(report, window);
                self.note_failure(run, what, &error).await?;
                return Ok(0);
            }
        };
        reading.failures = 0;
        let taken = self.take_in_whole(run, spool, place.at_end_as_of(as_of));
        let rows = taken.await?.rows;
        run.summary.windows_read += 1;
        Ok(rows)
    }

    /// All pages of a month, read anew where it shifts meanwhile: its rows have no order in which one
    /// could go back.
    async fn pages_of(
        &self,
        report: Report,
        window: Window,
    ) -> Result<Result<Spool, SourceError>, Error> {
        let mut tries = 1;
        'anew: loop {
            let mut replies = self.replies(report, window);
            let mut spool = Spool::new();
            loop {
                match replies.try_next().await {
                    Ok(Some(reply)) => spool.push(&reply)?,
                    Ok(None) => return Ok(Ok(spool)),
                    Err(error) if is_shifted(&error) && tries < TRIES_MAX => {
                        tries += 1;
                        continue 'anew;
                    }
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
    }

    /// Takes in all pages of a month, and that it was read, in one transaction.
    async fn take_in_whole(
        &self,
        run: &mut Run<'_>,
        spool: Spool,
        place: Place,
    ) -> Result<Taken, Error> {
        self.is_ours_for(run).await?;
        run.failures = 0;
        let (id, signer) = (self.chain.id, Arc::clone(&self.chain.signer));
        let (right, now) = (run.right, self.now());
        let work = move |c: &mut Connection| {
            right.hold(c, now)?;
            let spool = spool.clone();
            let taken = absorb_whole(c, &signer, id, &move |visit| spool.each(visit))?;
            place.save(c)?;
            Ok::<_, Error>(taken)
        };
        let mut taken = self.chain.store.write(self.chain.lock(), work).await?;
        run.counts += taken.counts;
        let room = run.summary.room_for_flagged();
        let flagged = taken.flagged.drain(..).take(room);
        run.summary.flagged.extend(flagged);
        for (subject, reason) in &taken.unreadable {
            run.note_reply(subject, reason);
        }
        Ok(taken)
    }

    fn replies(
        &self,
        report: Report,
        window: Window,
    ) -> BoxStream<'static, Result<Reply, SourceError>> {
        let query = ReportQuery::dates(window);
        match report {
            Report::Transactions => {
                let pages = self.reader.transactions(&query);
                pages.map_ok(|page| page.reply).boxed()
            }
            Report::Payouts => {
                let pages = self.reader.payouts(&query);
                pages.map_ok(|page| page.reply).boxed()
            }
        }
    }

    /// What time it is at the source, as far as we can tell: a sandbox may live in the past, where
    /// months that are long over for us are still under way.
    async fn present_of_the_source(&self) -> Result<Option<Timestamp>, Error> {
        let (id, now) = (self.chain.id, self.now());
        let active = move |c: &mut Connection| match current(c, id)? {
            Some(mirror) => last_active(c, mirror),
            None => Ok(None),
        };
        let active = self.chain.store.read(active).await?;
        Ok(active.map(|active| active.min(now)))
    }

    /// Whether a month was read so late that nothing changes in it any more.
    fn is_mature(&self, window: Window, read: Option<Timestamp>) -> bool {
        let days = Days::new(self.settings.mature_after_days.into());
        let mature = window.end().checked_add_days(days);
        read.zip(mature)
            .is_some_and(|(read, mature)| read.date() > mature)
    }

    /// The first day on which there may have been a payment: that on which the account was made, or
    /// a year before the first stay.
    async fn first_day(&self, today: NaiveDate) -> Result<NaiveDate, Error> {
        let account = Mirror::of(&self.chain)
            .get::<Account>("account", AsOf::Now)
            .await?;
        let made = account.and_then(|account| account.value.created_at.get());
        let id = self.chain.id;
        let stay = self.chain.store.read(move |c| first_stay(c, id)).await?;
        let stay = stay.and_then(|day| day.parse::<NaiveDate>().ok());
        let before = |months| today.checked_sub_months(months).unwrap_or(today);
        let first = (made.map(Timestamp::date).into_iter())
            .chain(stay.and_then(|stay| stay.checked_sub_months(MONTHS_BEFORE_A_STAY)))
            .min();
        let first = first.unwrap_or_else(|| before(MONTHS_BEFORE_A_STAY));
        Ok(first.clamp(before(MONTHS_MAX), today))
    }
}

fn is_shifted(error: &SourceError) -> bool {
    matches!(
        error.problem,
        Problem::ListShifted { .. } | Problem::ListShrank { .. }
    )
}

fn name(report: Report, window: Window) -> String {
    format!("{} {}..{}", report.name(), window.start(), window.end())
}

/// The first day of the first stay that is known.
fn first_stay(c: &mut Connection, chain: ConnectionId) -> Result<Option<String>, Error> {
    let Some(mirror) = current(c, chain)? else {
        return Ok(None);
    };
    let days = object::table
        .filter(object::mirror_id.eq(mirror))
        .filter(object::kind.eq(Kind::Reservation.name()))
        .filter(object::day.is_not_null())
        .order(object::day)
        .select(object::day.assume_not_null());
    Ok(both!(c, c => days.first::<String>(c).optional())?)
}
