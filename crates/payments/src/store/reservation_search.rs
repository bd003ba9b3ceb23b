//! Lists of reservations: what they can be searched and sorted by, and the search.

use diesel::prelude::*;
use store::Connection;

use super::fragment::{self, Backend};
use super::reservation::{Row, Stay, with_invoices};
use super::scope::Scope;
use super::{guest, listing};
use crate::Error;
use crate::model::search::{Condition, Kind, Order, Vocabulary};
use crate::schema::{guest as guest_table, listing as listing_table, reservation};

/// What reservations can be searched by.
pub(crate) const FIELDS: &Vocabulary = &[
    ("_id", Kind::Id),
    ("listingId", Kind::Id),
    ("guestId", Kind::Id),
    ("status", Kind::Text),
    ("confirmationCode", Kind::Text),
    ("source", Kind::Text),
    ("checkIn", Kind::Instant),
    ("checkOut", Kind::Instant),
    ("checkInDateLocalized", Kind::Date),
    ("checkOutDateLocalized", Kind::Date),
    ("createdAt", Kind::Instant),
    ("lastUpdatedAt", Kind::Instant),
    ("confirmedAt", Kind::Instant),
    ("canceledAt", Kind::Instant),
    ("canceledBy", Kind::Text),
    ("cancellationReason", Kind::Text),
    ("guestsCount", Kind::Count),
    ("money.currency", Kind::Text),
    ("money.hostPayout", Kind::Amount),
    ("money.totalPaid", Kind::Amount),
    ("money.totalRefunded", Kind::Amount),
    ("money.balanceDue", Kind::Amount),
    ("money.isFullyPaid", Kind::Flag),
    ("money.isTouchedPayments", Kind::Flag),
    ("guest.fullName", Kind::Text),
    ("guest.email", Kind::Text),
    ("guest.phone", Kind::Text),
    ("listing.title", Kind::Text),
    ("listing.nickname", Kind::Text),
];

fn column(field: &str) -> &'static str {
    match field {
        "listingId" => "reservation.listing_id",
        "guestId" => "reservation.guest_id",
        "status" => "reservation.status",
        "confirmationCode" => "reservation.confirmation_code",
        "source" => "reservation.source",
        "checkIn" => "reservation.check_in_ms",
        "checkOut" => "reservation.check_out_ms",
        "checkInDateLocalized" => "reservation.check_in",
        "checkOutDateLocalized" => "reservation.check_out",
        "createdAt" => "reservation.created_ms",
        "lastUpdatedAt" => "reservation.updated_ms",
        "confirmedAt" => "reservation.confirmed_ms",
        "canceledAt" => "reservation.canceled_ms",
        "canceledBy" => "reservation.canceled_by",
        "cancellationReason" => "reservation.cancellation_reason",
        "guestsCount" => "reservation.guests_count",
        "money.currency" => "reservation.currency",
        "money.hostPayout" => "(reservation.total_minor * reservation.amount_scale)",
        "money.totalPaid" => "(reservation.paid_minor * reservation.amount_scale)",
        "money.totalRefunded" => "(reservation.refunded_minor * reservation.amount_scale)",
        "money.balanceDue" => {
            "((reservation.total_minor - reservation.paid_minor + reservation.refunded_minor) \
             * reservation.amount_scale)"
        }
        "money.isFullyPaid" => {
            "(reservation.total_minor - reservation.paid_minor + reservation.refunded_minor <= 0)"
        }
        "money.isTouchedPayments" => "reservation.is_touched",
        "guest.fullName" => "guest.full_name",
        "guest.email" => "guest.email",
        "guest.phone" => "guest.phone",
        "listing.title" => "listing.title",
        "listing.nickname" => "listing.nickname",
        _ => "reservation.id",
    }
}

/// Which reservations are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    pub(crate) conditions: Vec<Condition>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: i64,
    pub(crate) skip: i64,
}

/// All that match. A macro, as the type of a joined query cannot well be written.
macro_rules! matching {
    ($connection:expr, $scope:expr, $search:expr) => {{
        let mut query = reservation::table
            .inner_join(guest_table::table.on(guest_table::id.eq(reservation::guest_id)))
            .inner_join(listing_table::table.on(listing_table::id.eq(reservation::listing_id)))
            .filter(reservation::account_id.eq($scope.account))
            .into_boxed::<Backend>();
        if let Some(listings) = $scope.only() {
            query = query.filter(reservation::listing_id.eq_any(listings));
        }
        for condition in &$search.conditions {
            query = query.filter(fragment::condition($connection, condition, column));
        }
        query
    }};
}

/// A page of reservations, and how many there are in all. Without an order they stand in that of
/// their ids, which is that of their making: pages then neither repeat nor skip while more come.
pub(crate) fn list(
    connection: &mut Connection,
    scope: &Scope,
    search: &Search,
) -> Result<(Vec<Stay>, i64), Error> {
    let count = matching!(connection, scope, search)
        .count()
        .get_result(connection)?;
    let mut page = matching!(connection, scope, search).select((
        Row::as_select(),
        guest::Row::as_select(),
        listing::Row::as_select(),
    ));
    for order in &search.order {
        page = page.then_order_by(fragment::order(connection, *order, column));
    }
    let rows = page
        .then_order_by(reservation::id)
        .limit(search.limit)
        .offset(search.skip)
        .load(connection)?;
    Ok((with_invoices(connection, rows)?, count))
}
