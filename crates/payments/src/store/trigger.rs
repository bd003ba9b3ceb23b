//! What a trigger happens to when nothing is named.

use chrono::NaiveDate;
use contract::Timestamp;
use contract::id::{AccountId, ListingId, PaymentId, ReservationId};
use contract::reservation::Status;
use diesel::dsl::max;
use diesel::prelude::*;
use store::Connection;

use crate::Error;
use crate::model::State;
use crate::schema::{listing, payment, reservation};

/// So many candidates are looked at.
const CANDIDATES_MAX: i64 = 100;

/// Which payment is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The hold placed last.
    Held,
    /// The card payment that falls due first.
    Scheduled,
    /// The card payments made last.
    Refundable,
}

/// The payments that fit, the best first.
pub(crate) fn payments(
    connection: &mut Connection,
    account: AccountId,
    wanted: Wanted,
) -> Result<Vec<(ReservationId, PaymentId)>, Error> {
    let state = match wanted {
        Wanted::Held => State::Held,
        Wanted::Scheduled => State::Scheduled,
        Wanted::Refundable => State::Succeeded,
    };
    let cards = payment::table
        .filter(payment::account_id.eq(account))
        .filter(payment::payment_method_id.is_not_null())
        .filter(payment::state.eq(state.name()))
        .select((payment::reservation_id, payment::id))
        .limit(CANDIDATES_MAX)
        .into_boxed();
    let ordered = match wanted {
        Wanted::Held => cards.order((payment::created_ms.desc(), payment::id.desc())),
        Wanted::Scheduled => cards.order((payment::due_ms, payment::id)),
        Wanted::Refundable => cards.order((payment::paid_ms.desc(), payment::id.desc())),
    };
    Ok(ordered.load(connection)?)
}

/// The payment of this id, if the account has it.
pub(crate) fn payment(
    connection: &mut Connection,
    account: AccountId,
    id: PaymentId,
) -> Result<Vec<(ReservationId, PaymentId)>, Error> {
    Ok(payment::table
        .filter(payment::id.eq(id))
        .filter(payment::account_id.eq(account))
        .select((payment::reservation_id, payment::id))
        .load(connection)?)
}

/// Which confirmed reservation is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StayWanted {
    /// Any.
    Confirmed,
    /// One whose guest has not left.
    NotLeft,
    /// One that has not begun.
    Ahead,
}

/// The reservation made last that fits.
pub(crate) fn stay(
    connection: &mut Connection,
    account: AccountId,
    wanted: StayWanted,
    now: Timestamp,
) -> Result<Option<ReservationId>, Error> {
    let mut confirmed = reservation::table
        .filter(reservation::account_id.eq(account))
        .filter(reservation::status.eq(Status::Confirmed.name()))
        .order((reservation::created_ms.desc(), reservation::id.desc()))
        .select(reservation::id)
        .into_boxed();
    confirmed = match wanted {
        StayWanted::Confirmed => confirmed,
        StayWanted::NotLeft => confirmed.filter(reservation::check_out_ms.gt(now)),
        StayWanted::Ahead => confirmed.filter(reservation::check_in_ms.gt(now)),
    };
    Ok(confirmed.first(connection).optional()?)
}

/// The active listing that comes first by title.
pub(crate) fn first_listing(
    connection: &mut Connection,
    account: AccountId,
) -> Result<Option<ListingId>, Error> {
    Ok(listing::table
        .filter(listing::account_id.eq(account))
        .filter(listing::removed_ms.is_null())
        .filter(listing::is_active.eq(true))
        .order((listing::title, listing::id))
        .select(listing::id)
        .first(connection)
        .optional()?)
}

/// When the last guest of a listing leaves.
pub(crate) fn last_departure(
    connection: &mut Connection,
    id: ListingId,
) -> Result<Option<NaiveDate>, Error> {
    Ok(reservation::table
        .filter(reservation::listing_id.eq(id))
        .filter(reservation::status.eq(Status::Confirmed.name()))
        .select(max(reservation::check_out))
        .first(connection)?)
}
