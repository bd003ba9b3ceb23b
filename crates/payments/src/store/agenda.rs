//! The agenda: payments and refunds that are due to be looked at, in business time.

use contract::Timestamp;
use contract::id::{AccountId, AttemptId, PaymentId, RefundId, ReservationId};
use diesel::dsl::{AsExprOf, max};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use store::Connection;

use crate::Error;
use crate::model::{Occasion, RefundState, State};
use crate::schema::{account, payment, refund};

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

/// What is due at an instant of wall time, of one account or of all, the oldest first, at most
/// `limit` of it.
pub(crate) fn due(
    connection: &mut Connection,
    wall: Timestamp,
    of: Option<AccountId>,
    limit: i64,
) -> Result<Vec<Due>, Error> {
    // By the clock that is the furthest ahead: without a bound that is the same for all rows, the
    // whole agenda would be read to find that nothing is due.
    let furthest: Option<i64> = account::table
        .filter(all_accounts(of).or(account::id.nullable().eq(of)))
        .select(max(account::clock_offset_ms))
        .first(connection)?;
    let latest = Timestamp::from_millis(wall.millis() + furthest.unwrap_or(0));
    let mut all = payments(connection, wall, latest, of, limit)?;
    all.extend(refunds(connection, wall, latest, of, limit)?);
    all.sort_by_key(|due| due.at);
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(all)
}

type PaymentRow = (
    AccountId,
    ReservationId,
    PaymentId,
    String,
    Option<AttemptId>,
    Option<Timestamp>,
);

fn payments(
    connection: &mut Connection,
    wall: Timestamp,
    latest: Timestamp,
    of: Option<AccountId>,
    limit: i64,
) -> Result<Vec<Due>, Error> {
    let rows: Vec<PaymentRow> = payment::table
        .inner_join(account::table.on(account::id.eq(payment::account_id)))
        .filter(payment::agenda_ms.is_not_null())
        .filter(payment::agenda_ms.assume_not_null().le(latest))
        .filter(
            payment::agenda_ms
                .assume_not_null()
                .le(account::clock_offset_ms + wall.millis()),
        )
        .filter(all_accounts(of).or(account::id.nullable().eq(of)))
        .order((payment::agenda_ms, payment::id))
        .limit(limit)
        .select((
            payment::account_id,
            payment::reservation_id,
            payment::id,
            payment::state,
            payment::attempt_id,
            payment::agenda_ms,
        ))
        .load(connection)?;
    let due = |(account, reservation, payment, state, attempt, at): PaymentRow| {
        let occasion = match attempt {
            Some(_) => Occasion::Attempt,
            None if state == State::Held.name() => Occasion::Hold,
            None => Occasion::Payment,
        };
        Some(Due {
            account,
            reservation,
            payment,
            refund: None,
            occasion,
            at: at?,
        })
    };
    Ok(rows.into_iter().filter_map(due).collect())
}

type RefundRow = (
    AccountId,
    ReservationId,
    PaymentId,
    RefundId,
    Option<AttemptId>,
    Option<Timestamp>,
);

fn refunds(
    connection: &mut Connection,
    wall: Timestamp,
    latest: Timestamp,
    of: Option<AccountId>,
    limit: i64,
) -> Result<Vec<Due>, Error> {
    let rows: Vec<RefundRow> = refund::table
        .inner_join(payment::table.on(payment::id.eq(refund::payment_id)))
        .inner_join(account::table.on(account::id.eq(payment::account_id)))
        .filter(refund::agenda_ms.is_not_null())
        .filter(refund::agenda_ms.assume_not_null().le(latest))
        .filter(
            refund::agenda_ms
                .assume_not_null()
                .le(account::clock_offset_ms + wall.millis()),
        )
        .filter(all_accounts(of).or(account::id.nullable().eq(of)))
        .order((refund::agenda_ms, refund::id))
        .limit(limit)
        .select((
            payment::account_id,
            payment::reservation_id,
            payment::id,
            refund::id,
            refund::attempt_id,
            refund::agenda_ms,
        ))
        .load(connection)?;
    let due = |(account, reservation, payment, refund, attempt, at): RefundRow| {
        let occasion = match attempt {
            Some(_) => Occasion::Attempt,
            None => Occasion::Refund,
        };
        Some(Due {
            account,
            reservation,
            payment,
            refund: Some(refund),
            occasion,
            at: at?,
        })
    };
    Ok(rows.into_iter().filter_map(due).collect())
}

fn all_accounts(of: Option<AccountId>) -> AsExprOf<bool, Bool> {
    of.is_none().into_sql::<Bool>()
}

/// Where the payment or refund stands that was due, as the Open API calls it.
pub(crate) fn standing(connection: &mut Connection, due: Due) -> Result<&'static str, Error> {
    let state: String = match due.refund {
        Some(id) => refund::table
            .find(id)
            .select(refund::state)
            .first(connection)?,
        None => payment::table
            .find(due.payment)
            .select(payment::state)
            .first(connection)?,
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
