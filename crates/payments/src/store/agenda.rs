//! The agenda: payments and refunds that are due to be looked at, in business time.

use contract::Timestamp;
use contract::id::{AccountId, PaymentId, RefundId, ReservationId};
use diesel::dsl::max;
use diesel::prelude::*;
use store::Connection;

use crate::Error;
use crate::schema::{account, payment, refund};

/// Something whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) account: AccountId,
    pub(crate) reservation: ReservationId,
    pub(crate) payment: PaymentId,
    /// The refund, if it is the refund's time that has come.
    pub(crate) refund: Option<RefundId>,
    /// Its own instant, in the account's business time.
    pub(crate) at: Timestamp,
}

/// What is due at an instant of wall time, the oldest first, at most `limit` of it.
pub(crate) fn due(
    connection: &mut Connection,
    wall: Timestamp,
    limit: i64,
) -> Result<Vec<Due>, Error> {
    let business = account::clock_offset_ms + wall.millis();
    // By the clock that is the furthest ahead: without a bound that is the same for all rows, the
    // whole agenda would be read to find that nothing is due.
    let furthest: Option<i64> = account::table
        .select(max(account::clock_offset_ms))
        .first(connection)?;
    let latest = Timestamp::from_millis(wall.millis() + furthest.unwrap_or(0));
    let payments: Vec<(AccountId, ReservationId, PaymentId, Option<Timestamp>)> = payment::table
        .inner_join(account::table.on(account::id.eq(payment::account_id)))
        .filter(payment::agenda_ms.is_not_null())
        .filter(payment::agenda_ms.assume_not_null().le(latest))
        .filter(payment::agenda_ms.assume_not_null().le(business))
        .order((payment::agenda_ms, payment::id))
        .limit(limit)
        .select((
            payment::account_id,
            payment::reservation_id,
            payment::id,
            payment::agenda_ms,
        ))
        .load(connection)?;
    let refunds: Vec<(
        AccountId,
        ReservationId,
        PaymentId,
        RefundId,
        Option<Timestamp>,
    )> = refund::table
        .inner_join(payment::table.on(payment::id.eq(refund::payment_id)))
        .inner_join(account::table.on(account::id.eq(payment::account_id)))
        .filter(refund::agenda_ms.is_not_null())
        .filter(refund::agenda_ms.assume_not_null().le(latest))
        .filter(refund::agenda_ms.assume_not_null().le(business))
        .order((refund::agenda_ms, refund::id))
        .limit(limit)
        .select((
            payment::account_id,
            payment::reservation_id,
            payment::id,
            refund::id,
            refund::agenda_ms,
        ))
        .load(connection)?;
    let payments = payments
        .into_iter()
        .filter_map(|(account, reservation, payment, at)| {
            at.map(|at| Due {
                account,
                reservation,
                payment,
                refund: None,
                at,
            })
        });
    let refunds = refunds
        .into_iter()
        .filter_map(|(account, reservation, payment, refund, at)| {
            at.map(|at| Due {
                account,
                reservation,
                payment,
                refund: Some(refund),
                at,
            })
        });
    let mut all: Vec<Due> = payments.chain(refunds).collect();
    all.sort_by_key(|due| due.at);
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(all)
}
