//! The rows that a fixture is made of, written as they are, where clients would have them computed.

use chrono::NaiveDate;
use contract::Timestamp;
use contract::id::{AccountId, GuestId, InvoiceItemId, ListingId, ReservationId};
use diesel::prelude::*;
use store::Connection;

use crate::Error;
use crate::schema::{guest, invoice_item, listing, reservation};

#[derive(Insertable)]
#[diesel(table_name = guest)]
pub(crate) struct Guest {
    pub(crate) id: GuestId,
    pub(crate) account_id: AccountId,
    pub(crate) full_name: String,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) body: String,
    pub(crate) created_ms: Timestamp,
    pub(crate) updated_ms: Timestamp,
}

pub(crate) fn insert_guest(connection: &mut Connection, row: &Guest) -> Result<(), Error> {
    diesel::insert_into(guest::table)
        .values(row)
        .execute(connection)?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = listing)]
pub(crate) struct Listing {
    pub(crate) id: ListingId,
    pub(crate) account_id: AccountId,
    pub(crate) title: String,
    pub(crate) is_active: bool,
    pub(crate) is_listed: bool,
    pub(crate) currency: String,
    pub(crate) timezone: String,
    pub(crate) body: String,
    pub(crate) created_ms: Timestamp,
    pub(crate) updated_ms: Timestamp,
}

pub(crate) fn insert_listing(connection: &mut Connection, row: &Listing) -> Result<(), Error> {
    diesel::insert_into(listing::table)
        .values(row)
        .execute(connection)?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = reservation)]
pub(crate) struct Reservation {
    pub(crate) id: ReservationId,
    pub(crate) account_id: AccountId,
    pub(crate) listing_id: ListingId,
    pub(crate) guest_id: GuestId,
    pub(crate) status: String,
    pub(crate) confirmation_code: String,
    pub(crate) source: String,
    pub(crate) check_in: NaiveDate,
    pub(crate) check_out: NaiveDate,
    pub(crate) guests_count: i64,
    pub(crate) currency: String,
    pub(crate) total_minor: i64,
    pub(crate) paid_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) is_touched: bool,
    pub(crate) body: String,
    pub(crate) created_ms: Timestamp,
    pub(crate) updated_ms: Timestamp,
    pub(crate) confirmed_ms: Option<Timestamp>,
}

pub(crate) fn insert_reservation(
    connection: &mut Connection,
    row: &Reservation,
) -> Result<(), Error> {
    diesel::insert_into(reservation::table)
        .values(row)
        .execute(connection)?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = invoice_item)]
pub(crate) struct InvoiceItem {
    pub(crate) id: InvoiceItemId,
    pub(crate) reservation_id: ReservationId,
    pub(crate) position: i64,
    pub(crate) title: String,
    pub(crate) amount_minor: i64,
    pub(crate) normal_type: String,
    pub(crate) is_locked: bool,
}

pub(crate) fn insert_invoice(
    connection: &mut Connection,
    rows: &[InvoiceItem],
) -> Result<(), Error> {
    for row in rows {
        diesel::insert_into(invoice_item::table)
            .values(row)
            .execute(connection)?;
    }
    Ok(())
}
