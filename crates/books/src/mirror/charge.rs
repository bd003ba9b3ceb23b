//! The charges of a reservation: what the guest was asked for, line by line.

use guesty::seen::money::InvoiceItem;
use guesty::seen::reservation::Reservation;

/// A line of a reservation's invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge<'a> {
    /// The line, with its amount, type and nights.
    pub item: &'a InvoiceItem,
    /// Whether a tax is on it. The source has no such field: it follows from the taxes that held
    /// when the reservation was confirmed, and is not known where the source did not keep them.
    pub is_taxable: Option<bool>,
}

/// The charges of a reservation, in the source's order.
pub fn charges(reservation: &Reservation) -> impl Iterator<Item = Charge<'_>> {
    let items = reservation.money.invoice_items.iter();
    items.map(|item| Charge {
        item,
        is_taxable: is_taxable(reservation, item),
    })
}

fn is_taxable(reservation: &Reservation, item: &InvoiceItem) -> Option<bool> {
    if item.is_tax.get() == Some(true) {
        return Some(false);
    }
    let taxes = &reservation.at_time_of_confirmation.taxes;
    if taxes.is_empty() {
        return None;
    }
    let code = item.normal_type.text();
    Some(taxes.iter().any(|tax| {
        let names_it = tax.applied_on_fees.iter().any(|fee| fee.text() == code);
        tax.applied_to_all_fees.get() == Some(true) || names_it
    }))
}
