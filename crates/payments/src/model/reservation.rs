//! A reservation: how it is made, changed and called off.

use chrono::NaiveDate;
use chrono_tz::Tz;
use contract::Timestamp;
use contract::auto_payment::Policy;
use contract::id::{AccountId, GuestId, InvoiceItemId, ListingId, ReservationId};
use contract::invoice::NewInvoiceItem;
use contract::local::LocalTime;
use contract::reservation::{CanceledBy, ReservationFields, Status};
use contract::tax::Channel;
use money::Currency;
use serde_json::{Map, Value};

use super::invoice::{self, Item, Totals};
use super::pricing::{Booking, Catalog, price};
use super::text::check_length;
use super::{Rejection, stay};

/// Names that the platform gives and clients cannot, beside those that are typed.
const COMPUTED: [&str; 14] = [
    "_id",
    "id",
    "accountId",
    "confirmationCode",
    "integration",
    "nightsCount",
    "listing",
    "createdAt",
    "lastUpdatedAt",
    "confirmedAt",
    "canceledAt",
    "atTimeOfConfirmation",
    "ignoreCalendar",
    "ignoreTerms",
];

const REASON_MAX: usize = 2000;
const SOURCE_MAX: usize = 100;
const GUESTS_MAX: u16 = 1000;

/// The channel of every reservation: none other is connected.
pub(crate) const CHANNEL: Channel = Channel::Manual;

/// A stay and its invoice. What was paid for it is the folio's, and stands apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reservation {
    pub(crate) id: ReservationId,
    pub(crate) account: AccountId,
    pub(crate) listing: ListingId,
    pub(crate) guest: GuestId,
    pub(crate) status: Status,
    pub(crate) confirmation_code: String,
    pub(crate) source: String,
    pub(crate) check_in: NaiveDate,
    pub(crate) check_out: NaiveDate,
    pub(crate) arrival: Timestamp,
    pub(crate) departure: Timestamp,
    pub(crate) planned_arrival: Option<LocalTime>,
    pub(crate) planned_departure: Option<LocalTime>,
    pub(crate) guests_count: i64,
    pub(crate) currency: Currency,
    pub(crate) items: Vec<Item>,
    /// Whether the catalog's fees and taxes are among the lines; otherwise they are the client's
    /// alone.
    pub(crate) is_priced: bool,
    /// The catalog as it was when the reservation was confirmed.
    pub(crate) snapshot: Option<Catalog>,
    /// The policy of automatic payments as it was when the reservation was confirmed.
    pub(crate) auto_payments: Option<Policy>,
    pub(crate) canceled_by: Option<CanceledBy>,
    pub(crate) cancellation_reason: Option<String>,
    /// What clients wrote that nothing is computed from.
    pub(crate) rest: Map<String, Value>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) confirmed: Option<Timestamp>,
    pub(crate) canceled: Option<Timestamp>,
}

/// What a listing gives its reservations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) listing: ListingId,
    pub(crate) currency: Currency,
    pub(crate) timezone: Tz,
    pub(crate) check_in_time: LocalTime,
    pub(crate) check_out_time: LocalTime,
}

/// What is new about a new reservation.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) id: ReservationId,
    pub(crate) account: AccountId,
    pub(crate) guest: GuestId,
    pub(crate) confirmation_code: String,
}

impl Reservation {
    /// What the invoice comes to.
    pub(crate) fn totals(&self) -> Totals {
        invoice::totals(&self.items, self.currency)
    }

    /// How many nights.
    pub(crate) fn nights(&self) -> i64 {
        stay::nights(self.check_in, self.check_out)
    }

    /// What differs from how it was before, as it is told.
    pub(crate) fn changes_since(&self, before: &Self) -> Vec<&'static str> {
        let (now, then) = (self, before);
        let stay = |r: &Self| (r.listing, r.check_in, r.check_out, r.arrival, r.departure);
        [
            ("status", now.status != then.status),
            ("stay", stay(now) != stay(then)),
            ("guest", now.guest != then.guest),
            ("guestsCount", now.guests_count != then.guests_count),
            ("money", now.items != then.items),
            (
                "details",
                now.source != then.source || now.rest != then.rest,
            ),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }

    /// What its price depends on, beside its lines.
    fn booking(&self) -> Booking {
        Booking {
            check_in: self.check_in,
            nights: u32::try_from(self.nights()).unwrap_or_default().max(1),
            guests: self.guests_count,
            channel: CHANNEL,
            source: self.source.clone(),
            currency: self.currency,
        }
    }

    /// The lines that are not the catalog's.
    fn written_items(&self) -> Vec<Item> {
        let items = self.items.iter();
        items
            .filter(|item| item.origin.is_none())
            .cloned()
            .collect()
    }
}

/// Makes a reservation of what a client wrote, priced with the listing's catalog unless it wrote
/// taxes. `ids` gives those of invoice items.
pub(crate) fn create(
    written: &ReservationFields,
    home: Home,
    identity: Identity,
    catalog: &Catalog,
    now: Timestamp,
    ids: &mut dyn FnMut() -> InvoiceItemId,
) -> Result<Reservation, Rejection> {
    let status = written
        .status
        .ok_or_else(|| Rejection::invalid("status", "it is required"))?;
    if !is_first(status) {
        return Err(Rejection::invalid(
            "status",
            format!(
                "a reservation cannot begin as {}: give inquiry, reserved, awaiting_payment or \
                 confirmed",
                status.name()
            ),
        ));
    }
    let (check_in, check_out) = dates(written, home.timezone);
    let required = |date: Option<NaiveDate>, field: &str| {
        date.ok_or_else(|| Rejection::invalid(field, "it is required: give YYYY-MM-DD"))
    };
    let money = written.money.as_ref();
    let blank = Reservation {
        id: identity.id,
        account: identity.account,
        listing: home.listing,
        guest: identity.guest,
        status,
        confirmation_code: identity.confirmation_code,
        source: "Manual".to_owned(),
        check_in: required(check_in, "checkInDateLocalized")?,
        check_out: required(check_out, "checkOutDateLocalized")?,
        arrival: now,
        departure: now,
        planned_arrival: None,
        planned_departure: None,
        guests_count: 1,
        currency: money
            .and_then(|money| money.currency)
            .unwrap_or(home.currency),
        items: Vec::new(),
        is_priced: true,
        snapshot: None,
        auto_payments: None,
        canceled_by: None,
        cancellation_reason: None,
        rest: Map::new(),
        created: now,
        updated: now,
        confirmed: (status == Status::Confirmed).then_some(now),
        canceled: None,
    };
    let mut new = apply(&blank, written, home, now, ids)?;
    take_snapshot(&mut new, catalog, now);
    reprice(&mut new, catalog, ids)?;
    Ok(new)
}

/// The reservation after a client wrote: what it left out stays. The guest is changed by the
/// caller, who knows whether there is such a guest. `home` and `catalog` are the listing's that was
/// written, or else the present one's.
///
/// Until it is confirmed, what its price depends on has it priced with the catalog as it is by then,
/// and afterwards with the snapshot. A change of the catalog alone changes no reservation.
pub(crate) fn change(
    current: &Reservation,
    written: &ReservationFields,
    home: Home,
    catalog: &Catalog,
    now: Timestamp,
    ids: &mut dyn FnMut() -> InvoiceItemId,
) -> Result<Reservation, Rejection> {
    let mut new = apply(current, written, home, now, ids)?;
    let is_confirmed = take_snapshot(&mut new, catalog, now);
    let price_of = |it: &Reservation| (it.listing, it.booking(), it.written_items(), it.is_priced);
    if is_confirmed || price_of(&new) != price_of(current) {
        reprice(&mut new, catalog, ids)?;
    }
    if new != *current {
        new.updated = now;
    }
    Ok(new)
}

/// The reservation with one more line.
pub(crate) fn add_item(
    current: &Reservation,
    line: &NewInvoiceItem,
    catalog: &Catalog,
    now: Timestamp,
    ids: &mut dyn FnMut() -> InvoiceItemId,
) -> Result<Reservation, Rejection> {
    let mut new = Reservation {
        items: invoice::add(&current.items, line, current.currency, ids())?,
        updated: now,
        ..current.clone()
    };
    reprice(&mut new, catalog, ids)?;
    Ok(new)
}

/// Keeps the catalog of a reservation that is confirmed now, and says whether it did.
fn take_snapshot(new: &mut Reservation, catalog: &Catalog, now: Timestamp) -> bool {
    let is_confirmed = new.confirmed == Some(now) && new.snapshot.is_none();
    if is_confirmed {
        new.snapshot = Some(catalog.clone());
    }
    is_confirmed
}

/// Puts the catalog's lines in place of those that it added before; a line of the same origin and
/// kind stays that line.
fn reprice(
    new: &mut Reservation,
    catalog: &Catalog,
    ids: &mut dyn FnMut() -> InvoiceItemId,
) -> Result<(), Rejection> {
    if !new.is_priced {
        return Ok(());
    }
    let catalog = new.snapshot.as_ref().unwrap_or(catalog);
    let mut items = new.written_items();
    for line in price(&items, catalog, &new.booking())? {
        let known = new
            .items
            .iter()
            .find(|item| item.origin == Some(line.origin) && item.normal_type == line.normal_type);
        let id = known.map_or_else(&mut *ids, |item| item.id);
        items.push(line.item(id));
    }
    invoice::check_total(&items, new.currency)?;
    new.items = items;
    Ok(())
}

/// What a client wrote, without what follows from it for the price.
fn apply(
    current: &Reservation,
    written: &ReservationFields,
    home: Home,
    now: Timestamp,
    ids: &mut dyn FnMut() -> InvoiceItemId,
) -> Result<Reservation, Rejection> {
    let mut new = current.clone();
    change_status(&mut new, written, now)?;
    change_stay(&mut new, written, home)?;
    change_money(&mut new, written, ids)?;
    change_rest(&mut new, written)?;
    Ok(new)
}

fn is_first(status: Status) -> bool {
    matches!(
        status,
        Status::Inquiry | Status::Reserved | Status::AwaitingPayment | Status::Confirmed
    )
}

/// Whether a reservation may go from one status to another.
pub(crate) fn may_become(from: Status, to: Status) -> bool {
    use Status::{
        AwaitingPayment, Canceled, Closed, Confirmed, Declined, Expired, Inquiry, Reserved,
    };
    match from {
        Inquiry => matches!(
            to,
            Reserved | AwaitingPayment | Confirmed | Closed | Declined | Expired
        ),
        Reserved => matches!(to, AwaitingPayment | Confirmed | Canceled | Expired),
        AwaitingPayment => matches!(to, Reserved | Confirmed | Canceled | Expired),
        Confirmed => to == Canceled,
        Canceled | Closed | Declined | Expired => false,
    }
}

fn change_status(
    new: &mut Reservation,
    written: &ReservationFields,
    now: Timestamp,
) -> Result<(), Rejection> {
    if let Some(to) = written.status.filter(|to| *to != new.status) {
        if !may_become(new.status, to) {
            return Err(Rejection::invalid(
                "status",
                format!(
                    "a reservation that is {} cannot become {}",
                    new.status.name(),
                    to.name()
                ),
            ));
        }
        new.status = to;
        match to {
            Status::Confirmed => new.confirmed = Some(now),
            Status::Canceled => {
                new.canceled = Some(now);
                new.canceled_by = Some(CanceledBy::TeamMember);
            }
            _ => {}
        }
    }
    let says_why = written.canceled_by.is_some() || written.cancellation_reason.is_some();
    if says_why && new.status != Status::Canceled {
        return Err(Rejection::invalid(
            "canceledBy, cancellationReason",
            format!(
                "they go with the status canceled, not with {}",
                new.status.name()
            ),
        ));
    }
    if let Some(who) = written.canceled_by {
        new.canceled_by = Some(who);
    }
    if let Some(why) = &written.cancellation_reason {
        check_length("cancellationReason", why, REASON_MAX)?;
        new.cancellation_reason = Some(why.clone());
    }
    Ok(())
}

fn change_stay(
    new: &mut Reservation,
    written: &ReservationFields,
    home: Home,
) -> Result<(), Rejection> {
    let (check_in, check_out) = dates(written, home.timezone);
    let is_new_time = written.planned_arrival.is_some() || written.planned_departure.is_some();
    if check_in.or(check_out).is_none() && !is_new_time && home.listing == new.listing {
        // The instants stay as well, whatever the listing's clock says by now.
        return Ok(());
    }
    new.listing = home.listing;
    new.check_in = check_in.unwrap_or(new.check_in);
    new.check_out = check_out.unwrap_or(new.check_out);
    stay::check(new.check_in, new.check_out)?;
    new.planned_arrival = written.planned_arrival.or(new.planned_arrival);
    new.planned_departure = written.planned_departure.or(new.planned_departure);
    let arrival = new.planned_arrival.unwrap_or(home.check_in_time);
    let departure = new.planned_departure.unwrap_or(home.check_out_time);
    new.arrival = stay::instant(new.check_in, arrival.0, home.timezone);
    new.departure = stay::instant(new.check_out, departure.0, home.timezone);
    Ok(())
}

/// The dates that were written, by the property's calendar.
fn dates(written: &ReservationFields, zone: Tz) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let date = |instant: Timestamp| stay::date(instant, zone);
    (
        written
            .check_in_date_localized
            .map(|date| date.0)
            .or(written.check_in.map(date)),
        written
            .check_out_date_localized
            .map(|date| date.0)
            .or(written.check_out.map(date)),
    )
}

fn change_money(
    new: &mut Reservation,
    written: &ReservationFields,
    ids: &mut dyn FnMut() -> InvoiceItemId,
) -> Result<(), Rejection> {
    let Some(money) = &written.money else {
        return Ok(());
    };
    if let Some(currency) = money.currency.filter(|given| *given != new.currency) {
        return Err(Rejection::invalid(
            "money.currency",
            format!(
                "the reservation is in {}, which cannot be changed to {currency}",
                new.currency
            ),
        ));
    }
    let invoice = invoice::write(&new.items, money, new.currency, ids)?;
    new.items = invoice.items;
    new.is_priced &= !invoice.replaces_catalog;
    Ok(())
}

fn change_rest(new: &mut Reservation, written: &ReservationFields) -> Result<(), Rejection> {
    if let Some(count) = written.guests_count {
        if !(1..=GUESTS_MAX).contains(&count) {
            return Err(Rejection::invalid(
                "guestsCount",
                format!("give a number from 1 to {GUESTS_MAX}"),
            ));
        }
        new.guests_count = count.into();
    }
    if let Some(source) = &written.source {
        if source.trim().is_empty() {
            return Err(Rejection::invalid("source", "it is empty"));
        }
        check_length("source", source, SOURCE_MAX)?;
        new.source.clone_from(source);
    }
    let mut rest = written.rest.clone();
    rest.retain(|name, _| !COMPUTED.contains(&name.as_str()));
    super::merge::merge(&mut new.rest, &rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_leads_only_where_the_table_says() {
        // A line for each status; what is not named is refused.
        const TABLE: &str = "
            inquiry          reserved awaiting_payment confirmed closed declined expired
            reserved         awaiting_payment confirmed canceled expired
            awaiting_payment reserved confirmed canceled expired
            confirmed        canceled
            canceled
            closed
            declined
            expired
        ";
        for line in TABLE.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (from, to) = line.split_once(' ').unwrap_or((line, ""));
            let allowed: Vec<&str> = to.split_whitespace().collect();
            for status in Status::ALL {
                let from = Status::named(from).unwrap();
                let expected = allowed.contains(&status.name());
                assert_eq!(may_become(from, status), expected, "{from:?} {status:?}");
            }
        }
    }
}
