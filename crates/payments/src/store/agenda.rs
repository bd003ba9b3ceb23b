//! The agenda: payments and refunds that are due to be looked at, in business time.

use contract::Timestamp;
use contract::id::{AccountId, AttemptId, PaymentId, RefundId, ReservationId};
use diesel::dsl::max;
use diesel::prelude::*;
use store::{Connection, both};

use super::attempt::AttemptState;
use crate::Error;
use crate::model::{Occasion, RefundState, State};
use crate::schema::{account, attempt, payment, refund};

/// Something whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Due {
    pub(crate) account: AccountId,
    pub(crate) reservation: ReservationId,
    pub(crate) payment: PaymentId,
    /// The refund, if it is the refund's time that has come.
    pub(crate) refund: Option<RefundId>,
    pub(crate) occasion: Occasion,
    /// Its own instant, in the account's business time.
    pub(crate) at: Timestamp,
}

impl Due {
    /// What stands on the agenda, whenever it is due.
    pub(crate) fn item(&self) -> (PaymentId, Option<RefundId>) {
        (self.payment, self.refund)
    }

    /// Where it stands among others: by its instant, payments before refunds.
    pub(crate) fn order(&self) -> impl Ord + use<> {
        let Self {
            payment, refund, ..
        } = self;
        let id = refund.map_or(payment.0, |refund| refund.0);
        (self.at, refund.is_some(), id.as_str().to_owned())
    }
}

/// A place on the agenda, to read on from.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    at: Timestamp,
    payment: String,
    refund: String,
}

impl Place {
    /// Before everything.
    pub(crate) fn start() -> Self {
        Self {
            at: Timestamp::from_millis(i64::MIN),
            payment: String::new(),
            refund: String::new(),
        }
    }

    /// Where something stands: at the same instant, after all payments if it is a refund, and
    /// before all refunds if it is none.
    pub(crate) fn of(due: &Due) -> Self {
        let (payment, refund) = match due.refund {
            Some(refund) => (AFTER_ALL_IDS.to_owned(), refund.to_string()),
            None => (due.payment.to_string(), String::new()),
        };
        let at = due.at;
        Self {
            at,
            payment,
            refund,
        }
    }
}

/// Ids have the digits 0 to f.
const AFTER_ALL_IDS: &str = "g";

/// What is due at an instant of wall time, of all accounts, the oldest first, at most `limit` of
/// what stands after a place.
pub(crate) fn due(
    connection: &mut Connection,
    wall: Timestamp,
    after: &Place,
    limit: i64,
) -> Result<Vec<Due>, Error> {
    // By the clock that is the furthest ahead: without a bound that is the same for all rows, the
    // whole agenda would be read to find that nothing is due.
    let furthest: Option<i64> = account::table
        .select(max(account::clock_offset_ms))
        .first(connection)?;
    let latest = Timestamp::from_millis(wall.millis() + furthest.unwrap_or(0));
    let payments: Vec<PaymentRow> = payment::table
        .inner_join(account::table.on(account::id.eq(payment::account_id)))
        .filter(payment::agenda_ms.is_not_null())
        .filter(payment::agenda_ms.assume_not_null().le(latest))
        .filter(payment::agenda_ms.assume_not_null().ge(after.at))
        .filter(
            payment::agenda_ms
                .assume_not_null()
                .gt(after.at)
                .or(payment::id.gt(after.payment.as_str())),
        )
        .filter(
            payment::agenda_ms
                .assume_not_null()
                .le(account::clock_offset_ms + wall.millis()),
        )
        .order((payment::agenda_ms, payment::id))
        .limit(limit)
        .select(PaymentRow::as_select())
        .load(connection)?;
    let refunds: Vec<RefundRow> = refund::table
        .inner_join(payment::table.on(payment::id.eq(refund::payment_id)))
        .inner_join(account::table.on(account::id.eq(refund::account_id)))
        .filter(refund::agenda_ms.is_not_null())
        .filter(refund::agenda_ms.assume_not_null().le(latest))
        .filter(refund::agenda_ms.assume_not_null().ge(after.at))
        .filter(
            refund::agenda_ms
                .assume_not_null()
                .gt(after.at)
                .or(refund::id.gt(after.refund.as_str())),
        )
        .filter(
            refund::agenda_ms
                .assume_not_null()
                .le(account::clock_offset_ms + wall.millis()),
        )
        .order((refund::agenda_ms, refund::id))
        .limit(limit)
        .select(RefundRow::as_select())
        .load(connection)?;
    Ok(in_order(payments, refunds, limit))
}

/// What is due of one account until an instant of its own time, the oldest first, at most `limit`
/// of it.
pub(crate) fn due_of(
    connection: &mut Connection,
    account: AccountId,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Due>, Error> {
    let payments = payment::table
        .filter(payment::account_id.eq(account))
        .filter(payment::agenda_ms.is_not_null())
        .filter(payment::agenda_ms.assume_not_null().le(until))
        .order((payment::agenda_ms, payment::id))
        .limit(limit);
    let payments = both!(connection, c => payments.select(PaymentRow::as_select()).load(c))?;
    let refunds = refund::table
        .inner_join(payment::table.on(payment::id.eq(refund::payment_id)))
        .filter(refund::account_id.eq(account))
        .filter(refund::agenda_ms.is_not_null())
        .filter(refund::agenda_ms.assume_not_null().le(until))
        .order((refund::agenda_ms, refund::id))
        .limit(limit);
    let refunds = both!(connection, c => refunds.select(RefundRow::as_select()).load(c))?;
    Ok(in_order(payments, refunds, limit))
}

/// Dates of an account that had come, and whose attempts were started at an instant or after it and
/// never ended: with the instants at which they were started, in the agenda's order.
pub(crate) fn started_since(
    connection: &mut Connection,
    account: AccountId,
    since: Timestamp,
) -> Result<Vec<(Due, Timestamp)>, Error> {
    let payments: Vec<PaymentRow> = payment::table
        .inner_join(attempt::table.on(attempt::id.nullable().eq(payment::attempt_id)))
        .filter(payment::account_id.eq(account))
        .filter(payment::agenda_ms.is_not_null())
        .filter(payment::agenda_ms.assume_not_null().ge(since))
        .filter(payment::attempt_ms.ge(since))
        .filter(payment::state.eq(State::Processing.name()))
        .filter(attempt::state.eq(AttemptState::Started.name()))
        .select(PaymentRow::as_select())
        .load(connection)?;
    let refunds: Vec<RefundRow> = refund::table
        .inner_join(payment::table.on(payment::id.eq(refund::payment_id)))
        .inner_join(attempt::table.on(attempt::id.nullable().eq(refund::attempt_id)))
        .filter(refund::account_id.eq(account))
        .filter(refund::agenda_ms.is_not_null())
        .filter(refund::agenda_ms.assume_not_null().ge(since))
        .filter(refund::attempt_ms.ge(since))
        .filter(attempt::state.eq(AttemptState::Started.name()))
        .select(RefundRow::as_select())
        .load(connection)?;
    let payments = payments.into_iter().filter_map(PaymentRow::started);
    let refunds = refunds.into_iter().filter_map(RefundRow::started);
    let mut started: Vec<_> = payments.chain(refunds).collect();
    started.sort_by_key(|(due, _)| due.order());
    Ok(started)
}

fn in_order(payments: Vec<PaymentRow>, refunds: Vec<RefundRow>, limit: i64) -> Vec<Due> {
    let payments = payments.into_iter().filter_map(PaymentRow::due);
    let refunds = refunds.into_iter().filter_map(RefundRow::due);
    let mut all: Vec<Due> = payments.chain(refunds).collect();
    // Both were in order, and stay so at the same instant.
    all.sort_by_key(|due| due.at);
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    all
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = payment)]
struct PaymentRow {
    account_id: AccountId,
    reservation_id: ReservationId,
    id: PaymentId,
    state: String,
    due_ms: Option<Timestamp>,
    attempt_id: Option<AttemptId>,
    attempt_ms: Option<Timestamp>,
    agenda_ms: Option<Timestamp>,
}

impl PaymentRow {
    fn due(self) -> Option<Due> {
        let occasion = match self.attempt_id {
            Some(_) => Occasion::Attempt,
            None if self.state == State::Held.name() => Occasion::Hold,
            None => Occasion::Payment,
        };
        let at = self.agenda_ms?;
        Some(self.due_at(occasion, at))
    }

    fn started(self) -> Option<(Due, Timestamp)> {
        let (due, started) = self.due_ms.zip(self.attempt_ms)?;
        Some((self.due_at(Occasion::Payment, due), started))
    }

    fn due_at(self, occasion: Occasion, at: Timestamp) -> Due {
        Due {
            account: self.account_id,
            reservation: self.reservation_id,
            payment: self.id,
            refund: None,
            occasion,
            at,
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = refund)]
struct RefundRow {
    account_id: AccountId,
    #[diesel(select_expression = payment::reservation_id)]
    reservation_id: ReservationId,
    payment_id: PaymentId,
    id: RefundId,
    due_ms: Option<Timestamp>,
    attempt_id: Option<AttemptId>,
    attempt_ms: Option<Timestamp>,
    agenda_ms: Option<Timestamp>,
}

impl RefundRow {
    fn due(self) -> Option<Due> {
        let occasion = match self.attempt_id {
            Some(_) => Occasion::Attempt,
            None => Occasion::Refund,
        };
        let at = self.agenda_ms?;
        Some(self.due_at(occasion, at))
    }

    fn started(self) -> Option<(Due, Timestamp)> {
        let (due, started) = self.due_ms.zip(self.attempt_ms)?;
        Some((self.due_at(Occasion::Refund, due), started))
    }

    fn due_at(self, occasion: Occasion, at: Timestamp) -> Due {
        Due {
            account: self.account_id,
            reservation: self.reservation_id,
            payment: self.payment_id,
            refund: Some(self.id),
            occasion,
            at,
        }
    }
}

/// Where the payments or refunds stand that were due, as the Open API calls it.
pub(crate) fn standings(
    connection: &mut Connection,
    due: &[Due],
) -> Result<Vec<&'static str>, Error> {
    due.iter().map(|due| standing(connection, *due)).collect()
}

fn standing(connection: &mut Connection, due: Due) -> Result<&'static str, Error> {
    let state: String = if let Some(id) = due.refund {
        let state = refund::table.find(id).select(refund::state);
        both!(connection, c => state.first(c))?
    } else {
        let state = payment::table.find(due.payment).select(payment::state);
        both!(connection, c => state.first(c))?
    };
    let of_payment = || State::ALL.into_iter().find(|known| known.name() == state);
    let of_refund = || {
        let mut states = RefundState::ALL.into_iter();
        states.find(|known| known.name() == state)
    };
    let name = match due.refund {
        Some(_) => of_refund().map(RefundState::public_name),
        None => of_payment().map(State::public_name),
    };
    name.ok_or_else(|| Error::Corrupt(format!("the state {state}")))
}
