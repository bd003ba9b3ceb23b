//! Making a reservation, and changing it: one transaction each, the same for whoever asks.

use contract::id::{AccountId, GuestId, ListingId, ReservationId};
use contract::reservation::{NewGuest, ReservationFields, Status};
use contract::{ObjectId, Timestamp};
use serde_json::{Map, Value, json};
use store::{Connection, new_id};

use crate::model::Rejection;
use crate::model::guest::from_reservation;
use crate::model::reservation::{Home, Identity, Reservation, change, create};
use crate::store::event::{self, DomainEvent};
use crate::store::reservation::Stay;
use crate::store::scope::Scope;
use crate::store::{catalog, guest, listing, reservation};
use crate::{Error, auto_payments};

/// Makes a reservation, and makes its guest known if it brings one.
pub(crate) fn book(
    connection: &mut Connection,
    scope: &Scope,
    written: &ReservationFields,
    now: Timestamp,
) -> Result<ReservationId, Error> {
    let listing = written
        .listing_id
        .ok_or_else(|| Rejection::invalid("listingId", "it is required"))?;
    let home = home_of(connection, scope, listing)?;
    let catalog = catalog::of(connection, scope.account, listing)?;
    let guest = match (written.guest_id, &written.guest) {
        (Some(id), _) => known_guest(connection, scope, id)?,
        (None, Some(new)) => make_known(connection, scope.account, new, now)?,
        (None, None) => {
            let reason = "it is required, or a guest to make known";
            return Err(Rejection::invalid("guestId", reason).into());
        }
    };
    let identity = Identity {
        id: new_id(),
        account: scope.account,
        guest,
        confirmation_code: reservation::new_code(connection, scope.account)?,
    };
    let mut new = create(written, home, identity, &catalog, now, &mut new_id)?;
    if new.status == Status::Confirmed {
        auto_payments::agree(connection, &mut new)?;
    }
    reservation::insert(connection, &new)?;
    let made = of_reservation("reservation.new", new.id);
    event::record(connection, scope.account, &made, now)?;
    if new.auto_payments.is_some() {
        auto_payments::follow(connection, scope.account, new.id, now)?;
    }
    Ok(new.id)
}

/// Changes a reservation, or calls it off: what is left out stays. What changes nothing is no event.
/// The reservation must be locked.
pub(crate) fn amend(
    connection: &mut Connection,
    scope: &Scope,
    id: ReservationId,
    written: &ReservationFields,
    now: Timestamp,
) -> Result<(), Error> {
    let stay = find(connection, scope, id)?;
    let is_touched = stay.is_touched;
    let kept = stay.reservation;
    let home = match written.listing_id {
        Some(listing) if listing != kept.listing => home_of(connection, scope, listing)?,
        _ => stay.home,
    };
    let mut current = kept.clone();
    if let Some(guest) = written.guest_id {
        current.guest = known_guest(connection, scope, guest)?;
    }
    let catalog = catalog::of(connection, scope.account, home.listing)?;
    let mut new = change(&current, written, home, &catalog, now, &mut new_id)?;
    if new.status == Status::Confirmed && kept.status != Status::Confirmed && !is_touched {
        auto_payments::agree(connection, &mut new)?;
    }
    save(connection, &kept, &new, now)
}

/// Keeps a changed reservation, tells what changed, and has automatic payments follow it.
pub(crate) fn save(
    connection: &mut Connection,
    kept: &Reservation,
    new: &Reservation,
    now: Timestamp,
) -> Result<(), Error> {
    if new == kept {
        return Ok(());
    }
    reservation::update(connection, kept, new)?;
    let updated = DomainEvent {
        body: json!({ "changes": new.changes_since(kept) }),
        ..of_reservation("reservation.updated", new.id)
    };
    event::record(connection, new.account, &updated, now)?;
    if new.auto_payments.is_some() {
        auto_payments::follow(connection, new.account, new.id, now)?;
    }
    Ok(())
}

/// A reservation that whoever asks may see.
pub(crate) fn find(
    connection: &mut Connection,
    scope: &Scope,
    id: ReservationId,
) -> Result<Stay, Error> {
    Ok(reservation::find(connection, scope, id)?.ok_or(Rejection::ReservationNotFound)?)
}

fn home_of(connection: &mut Connection, scope: &Scope, id: ListingId) -> Result<Home, Error> {
    listing::find(connection, scope, id)?
        .ok_or_else(|| Rejection::invalid("listingId", format!("there is no listing {id}")))?
        .home()
}

fn known_guest(connection: &mut Connection, scope: &Scope, id: GuestId) -> Result<GuestId, Error> {
    guest::find(connection, scope, id)?
        .ok_or_else(|| Rejection::invalid("guestId", format!("there is no guest {id}")))?;
    Ok(id)
}

fn make_known(
    connection: &mut Connection,
    account: AccountId,
    new: &NewGuest,
    now: Timestamp,
) -> Result<GuestId, Error> {
    let id: GuestId = new_id();
    let row = guest::Row::new(id, account, &from_reservation(new)?, now)?;
    guest::insert(connection, &row)?;
    let made = happened("guest.created", None, id.0);
    event::record(connection, account, &made, now)?;
    Ok(id)
}

fn of_reservation(kind: &'static str, id: ReservationId) -> DomainEvent {
    happened(kind, Some(id), id.0)
}

fn happened(
    kind: &'static str,
    reservation: Option<ReservationId>,
    subject: ObjectId,
) -> DomainEvent {
    DomainEvent {
        kind,
        reservation,
        subject,
        body: Value::Object(Map::new()),
    }
}
