//! Invoice items: the lines of reservations' invoices.

use std::collections::HashMap;

use contract::ObjectId;
use contract::id::{InvoiceItemId, ReservationId};
use diesel::prelude::*;
use money::{Currency, Money};
use store::Connection;

use crate::Error;
use crate::model::invoice::Item;
use crate::schema::invoice_item;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = invoice_item)]
pub(crate) struct Row {
    id: InvoiceItemId,
    reservation_id: ReservationId,
    position: i64,
    title: String,
    description: Option<String>,
    amount_minor: i64,
    normal_type: String,
    second_identifier: Option<String>,
    is_locked: bool,
    origin_id: Option<ObjectId>,
}

impl Row {
    /// The line, in its reservation's currency.
    pub(crate) fn item(self, currency: Currency) -> Item {
        Item {
            id: self.id,
            title: self.title,
            description: self.description,
            amount: Money::from_minor(self.amount_minor, currency),
            normal_type: self.normal_type,
            second_identifier: self.second_identifier,
            is_locked: self.is_locked,
            origin: self.origin_id,
        }
    }
}

/// The lines of some reservations, in their order.
pub(crate) fn of(
    connection: &mut Connection,
    reservations: &[ReservationId],
) -> Result<HashMap<ReservationId, Vec<Row>>, Error> {
    let rows: Vec<Row> = invoice_item::table
        .filter(invoice_item::reservation_id.eq_any(reservations.to_vec()))
        .order((invoice_item::reservation_id, invoice_item::position))
        .select(Row::as_select())
        .load(connection)?;
    let mut invoices: HashMap<ReservationId, Vec<Row>> = HashMap::new();
    for row in rows {
        invoices.entry(row.reservation_id).or_default().push(row);
    }
    Ok(invoices)
}

/// Writes a reservation's lines in place of those that it had.
pub(crate) fn replace(
    connection: &mut Connection,
    reservation: ReservationId,
    items: &[Item],
) -> Result<(), Error> {
    diesel::delete(invoice_item::table.filter(invoice_item::reservation_id.eq(reservation)))
        .execute(connection)?;
    for (position, item) in (0..).zip(items) {
        let row = Row {
            id: item.id,
            reservation_id: reservation,
            position,
            title: item.title.clone(),
            description: item.description.clone(),
            amount_minor: item.amount.minor(),
            normal_type: item.normal_type.clone(),
            second_identifier: item.second_identifier.clone(),
            is_locked: item.is_locked,
            origin_id: item.origin,
        };
        diesel::insert_into(invoice_item::table)
            .values(row)
            .execute(connection)?;
    }
    Ok(())
}
