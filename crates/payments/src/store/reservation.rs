//! Reservations. What was paid for them is written by the folio alone, and only read here.

use chrono::NaiveDate;
use contract::Timestamp;
use contract::id::{AccountId, GuestId, ListingId, ReservationId};
use contract::local::LocalTime;
use contract::reservation::{CanceledBy, Status};
use diesel::dsl::exists;
use diesel::prelude::*;
use money::{Currency, Money};
use serde_json::{Map, Value};
use store::{Connection, random_bytes};

use super::scope::Scope;
use super::{auto_payment, catalog, guest, invoice, listing};
use crate::Error;
use crate::model::reservation::{Home, Reservation};
use crate::schema::{guest as guest_table, listing as listing_table, reservation};

/// A reservation with all that it is shown with, but its payments.
#[derive(Debug, Clone)]
pub(crate) struct Stay {
    pub(crate) reservation: Reservation,
    pub(crate) guest: guest::Row,
    pub(crate) listing: listing::Row,
    pub(crate) home: Home,
    pub(crate) paid: Money,
    pub(crate) refunded: Money,
    pub(crate) is_touched: bool,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = reservation)]
pub(super) struct Row {
    id: ReservationId,
    account_id: AccountId,
    confirmation_code: String,
    currency: String,
    amount_scale: i64,
    paid_minor: i64,
    refunded_minor: i64,
    is_touched: bool,
    created_ms: Timestamp,
    #[diesel(embed)]
    changing: Changing,
}

/// What `PUT` may change.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = reservation, treat_none_as_null = true)]
pub(super) struct Changing {
    listing_id: ListingId,
    guest_id: GuestId,
    status: String,
    source: String,
    check_in: NaiveDate,
    check_out: NaiveDate,
    check_in_ms: Timestamp,
    check_out_ms: Timestamp,
    guests_count: i64,
    total_minor: i64,
    body: String,
    is_priced: bool,
    snapshot: Option<String>,
    canceled_by: Option<String>,
    cancellation_reason: Option<String>,
    updated_ms: Timestamp,
    confirmed_ms: Option<Timestamp>,
    canceled_ms: Option<Timestamp>,
    auto_payments: Option<String>,
}

/// The names under which the guest's own times stand in the body.
const PLANNED_ARRIVAL: &str = "plannedArrival";
const PLANNED_DEPARTURE: &str = "plannedDeparture";

impl Changing {
    fn of(reservation: &Reservation) -> Result<Self, Error> {
        Ok(Self {
            listing_id: reservation.listing,
            guest_id: reservation.guest,
            status: reservation.status.name().to_owned(),
            source: reservation.source.clone(),
            check_in: reservation.check_in,
            check_out: reservation.check_out,
            check_in_ms: reservation.arrival,
            check_out_ms: reservation.departure,
            guests_count: reservation.guests_count,
            total_minor: reservation.totals().total.minor(),
            body: body(reservation),
            is_priced: reservation.is_priced,
            snapshot: reservation
                .snapshot
                .as_ref()
                .map(catalog::write)
                .transpose()?,
            canceled_by: reservation.canceled_by.map(|who| who.name().to_owned()),
            cancellation_reason: reservation.cancellation_reason.clone(),
            updated_ms: reservation.updated,
            confirmed_ms: reservation.confirmed,
            canceled_ms: reservation.canceled,
            auto_payments: reservation
                .auto_payments
                .as_ref()
                .map(auto_payment::write)
                .transpose()?,
        })
    }
}

fn body(reservation: &Reservation) -> String {
    let mut body = reservation.rest.clone();
    for (name, time) in [
        (PLANNED_ARRIVAL, reservation.planned_arrival),
        (PLANNED_DEPARTURE, reservation.planned_departure),
    ] {
        if let Some(time) = time {
            body.insert(name.to_owned(), time.to_string().into());
        }
    }
    Value::Object(body).to_string()
}

fn planned(body: &mut Map<String, Value>, name: &str) -> Option<LocalTime> {
    body.shift_remove(name)?.as_str()?.parse().ok()
}

/// How many ten-thousandths of the currency a minor unit is.
fn amount_scale(currency: Currency) -> i64 {
    10_i64.pow(4_u32.saturating_sub(currency.exponent().into()))
}

pub(crate) fn insert(connection: &mut Connection, new: &Reservation) -> Result<(), Error> {
    let row = Row {
        id: new.id,
        account_id: new.account,
        confirmation_code: new.confirmation_code.clone(),
        currency: new.currency.code().to_owned(),
        amount_scale: amount_scale(new.currency),
        paid_minor: 0,
        refunded_minor: 0,
        is_touched: false,
        created_ms: new.created,
        changing: Changing::of(new)?,
    };
    diesel::insert_into(reservation::table)
        .values(row)
        .execute(connection)?;
    invoice::replace(connection, new.id, &new.items)
}

/// Writes what a client may change. What was paid stays as the folio last wrote it.
pub(crate) fn update(
    connection: &mut Connection,
    old: &Reservation,
    new: &Reservation,
) -> Result<(), Error> {
    diesel::update(reservation::table.find(new.id))
        .set(Changing::of(new)?)
        .execute(connection)?;
    if old.items != new.items {
        invoice::replace(connection, new.id, &new.items)?;
    }
    Ok(())
}

pub(crate) fn find(
    connection: &mut Connection,
    scope: &Scope,
    id: ReservationId,
) -> Result<Option<Stay>, Error> {
    Ok(find_all(connection, scope, &[id])?.pop())
}

/// The reservations of these ids, as far as there are such, in the order of the ids.
pub(crate) fn find_all(
    connection: &mut Connection,
    scope: &Scope,
    ids: &[ReservationId],
) -> Result<Vec<Stay>, Error> {
    let rows = reservation::table
        .inner_join(guest_table::table.on(guest_table::id.eq(reservation::guest_id)))
        .inner_join(listing_table::table.on(listing_table::id.eq(reservation::listing_id)))
        .filter(reservation::account_id.eq(scope.account))
        .filter(reservation::id.eq_any(ids.to_vec()))
        .select((
            Row::as_select(),
            guest::Row::as_select(),
            listing::Row::as_select(),
        ))
        .load(connection)?;
    let mut stays = with_invoices(connection, rows)?;
    stays.retain(|stay| scope.covers(stay.reservation.listing));
    stays.sort_by_key(|stay| ids.iter().position(|id| *id == stay.reservation.id));
    Ok(stays)
}

/// A guest's confirmed reservations whose payments follow a policy.
pub(crate) fn paid_automatically(
    connection: &mut Connection,
    account: AccountId,
    guest: GuestId,
) -> Result<Vec<ReservationId>, Error> {
    Ok(reservation::table
        .filter(reservation::guest_id.eq(guest))
        .filter(reservation::account_id.eq(account))
        .filter(reservation::auto_payments.is_not_null())
        .filter(reservation::status.eq(Status::Confirmed.name()))
        .filter(reservation::is_touched.eq(false))
        .order(reservation::id)
        .select(reservation::id)
        .load(connection)?)
}

/// A confirmation code that the account has not given yet.
pub(crate) fn new_code(connection: &mut Connection, account: AccountId) -> Result<String, Error> {
    const CHARACTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    loop {
        let random = random_bytes::<8>();
        let characters = random.map(|byte| char::from(CHARACTERS[usize::from(byte) % 62]));
        let code = format!("GY-{}", characters.iter().collect::<String>());
        let is_taken: bool = diesel::select(exists(
            reservation::table
                .filter(reservation::account_id.eq(account))
                .filter(reservation::confirmation_code.eq(&code)),
        ))
        .get_result(connection)?;
        if !is_taken {
            return Ok(code);
        }
    }
}

/// Reads rows with their invoices.
pub(super) fn with_invoices(
    connection: &mut Connection,
    rows: Vec<(Row, guest::Row, listing::Row)>,
) -> Result<Vec<Stay>, Error> {
    let ids: Vec<ReservationId> = rows.iter().map(|(row, ..)| row.id).collect();
    let mut invoices = invoice::of(connection, &ids)?;
    rows.into_iter()
        .map(|(row, guest, listing)| {
            let items = invoices.remove(&row.id).unwrap_or_default();
            stay(row, guest, listing, items)
        })
        .collect()
}

fn stay(
    row: Row,
    guest: guest::Row,
    listing: listing::Row,
    items: Vec<invoice::Row>,
) -> Result<Stay, Error> {
    let corrupt = |what: String| Error::Corrupt(format!("reservation {}: {what}", row.id));
    let changing = row.changing;
    let currency: Currency = row
        .currency
        .parse()
        .map_err(|error: money::MoneyError| corrupt(error.to_string()))?;
    let mut rest: Map<String, Value> =
        serde_json::from_str(&changing.body).map_err(|error| corrupt(error.to_string()))?;
    let canceled_by = match changing.canceled_by.as_deref() {
        None => None,
        Some(name) => {
            Some(CanceledBy::named(name).ok_or_else(|| corrupt(format!("cancelled by {name}")))?)
        }
    };
    let reservation = Reservation {
        id: row.id,
        account: row.account_id,
        listing: changing.listing_id,
        guest: changing.guest_id,
        status: Status::named(&changing.status)
            .ok_or_else(|| corrupt(format!("status {}", changing.status)))?,
        confirmation_code: row.confirmation_code,
        source: changing.source,
        check_in: changing.check_in,
        check_out: changing.check_out,
        arrival: changing.check_in_ms,
        departure: changing.check_out_ms,
        planned_arrival: planned(&mut rest, PLANNED_ARRIVAL),
        planned_departure: planned(&mut rest, PLANNED_DEPARTURE),
        guests_count: changing.guests_count,
        currency,
        items: items.into_iter().map(|item| item.item(currency)).collect(),
        is_priced: changing.is_priced,
        snapshot: changing
            .snapshot
            .map(|text| catalog::read(&text).map_err(|error| corrupt(error.to_string())))
            .transpose()?,
        auto_payments: changing
            .auto_payments
            .map(|text| auto_payment::read(&text).map_err(|error| corrupt(error.to_string())))
            .transpose()?,
        canceled_by,
        cancellation_reason: changing.cancellation_reason,
        rest,
        created: row.created_ms,
        updated: changing.updated_ms,
        confirmed: changing.confirmed_ms,
        canceled: changing.canceled_ms,
    };
    Ok(Stay {
        reservation,
        home: listing.home()?,
        guest,
        listing,
        paid: Money::from_minor(row.paid_minor, currency),
        refunded: Money::from_minor(row.refunded_minor, currency),
        is_touched: row.is_touched,
    })
}
