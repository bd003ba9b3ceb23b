//! Reservations: stays, and the folios that payments hang on.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use contract::Timestamp;
use contract::id::{AccountId, GuestId, ListingId, ReservationId};
use contract::list::List;
use contract::reservation::{NewGuest, ReservationFields, ReservationV3};
use serde_json::{Map, Value, json};
use store::{Connection, Lock, new_id};

use super::body::Body;
use super::ctx::Ctx;
use super::error::ApiError;
use super::fields::Fields;
use super::guests;
use super::path::Id;
use super::query::Query;
use super::reservation_view::{show_all, v3};
use crate::model::Rejection;
use crate::model::guest::from_reservation;
use crate::model::reservation::{Home, Identity, Reservation, change, create};
use crate::model::search::{read_filters, read_order};
use crate::store::event::{self, DomainEvent};
use crate::store::reservation::Stay;
use crate::store::reservation_search::{self, FIELDS, Search};
use crate::store::scope::Scope;
use crate::store::{catalog, guest, listing, reservation};
use crate::{Error, Platform};

/// The most reservations that the third version gives at once, as documented.
const IDS_MAX: usize = 10;

/// The routes of this resource.
pub(super) fn routes() -> Router<Arc<Platform>> {
    Router::new()
        .route("/v1/reservations", get(list).post(create_reservation))
        .route("/v1/reservations/{id}", get(retrieve).put(update))
        .route("/v1/reservations-v3", get(list_v3))
}

/// Lists reservations in the order of their ids, unless asked otherwise.
async fn list(ctx: Ctx, query: Query) -> Result<Json<List<Value>>, ApiError> {
    let fields = Fields::read(query.text("fields"));
    let page = query.page()?;
    let search = Search {
        conditions: read_filters(query.text("filters").unwrap_or("[]"), FIELDS)?,
        order: read_order(query.text("sort").unwrap_or_default(), FIELDS)?,
        limit: page.limit,
        skip: page.skip,
    };
    let scope = ctx.scope();
    let (results, count) = ctx
        .platform
        .store
        .read(move |c| {
            let (stays, count) = reservation_search::list(c, &scope, &search)?;
            Ok::<_, Error>((show_all(c, scope.account, stays, &fields)?, count))
        })
        .await?;
    Ok(Json(List {
        results,
        count,
        limit: page.limit,
        skip: page.skip,
    }))
}

/// Makes a reservation, and makes its guest known if it brings one.
async fn create_reservation(
    ctx: Ctx,
    Body(written): Body<ReservationFields>,
) -> Result<Json<Value>, ApiError> {
    let (scope, now) = (ctx.scope(), ctx.now);
    let listing = written
        .listing_id
        .ok_or_else(|| Rejection::invalid("listingId", "it is required"))?;
    let shown = ctx
        .platform
        .store
        .write(Lock::none(), move |c| {
            let home = home_of(c, &scope, listing)?;
            let catalog = catalog::of(c, scope.account, listing)?;
            let guest = match (written.guest_id, &written.guest) {
                (Some(id), _) => known_guest(c, &scope, id)?,
                (None, Some(new)) => make_known(c, scope.account, new, now)?,
                (None, None) => {
                    let reason = "it is required, or a guest to make known";
                    return Err(Rejection::invalid("guestId", reason).into());
                }
            };
            let identity = Identity {
                id: new_id(),
                account: scope.account,
                guest,
                confirmation_code: reservation::new_code(c, scope.account)?,
            };
            let new = create(&written, home, identity, &catalog, now, &mut new_id)?;
            reservation::insert(c, &new)?;
            event::record(c, scope.account, &happened("reservation.new", new.id), now)?;
            show_one(c, &scope, new.id, &Fields::default())
        })
        .await?;
    Ok(Json(shown))
}

/// Shows a reservation.
async fn retrieve(
    ctx: Ctx,
    Id(id): Id<ReservationId>,
    query: Query,
) -> Result<Json<Value>, ApiError> {
    let fields = Fields::read(query.text("fields"));
    let scope = ctx.scope();
    let shown = ctx
        .platform
        .store
        .read(move |c| show_one(c, &scope, id, &fields))
        .await?;
    Ok(Json(shown))
}

/// Changes a reservation, or calls it off: what the body leaves out stays. Its guest is changed
/// under `/v1/guests-crud`, not here. What changes nothing is no event.
async fn update(
    ctx: Ctx,
    Id(id): Id<ReservationId>,
    Body(written): Body<ReservationFields>,
) -> Result<Json<Value>, ApiError> {
    let (scope, now) = (ctx.scope(), ctx.now);
    let shown = ctx
        .platform
        .store
        .write(Lock::row("reservation", &id), move |c| {
            let stay = find(c, &scope, id)?;
            let kept = stay.reservation;
            let home = match written.listing_id {
                Some(listing) if listing != kept.listing => home_of(c, &scope, listing)?,
                _ => stay.home,
            };
            let mut current = kept.clone();
            if let Some(guest) = written.guest_id {
                current.guest = known_guest(c, &scope, guest)?;
            }
            let catalog = catalog::of(c, scope.account, home.listing)?;
            let new = change(&current, &written, home, &catalog, now, &mut new_id)?;
            save(c, &kept, &new, now)?;
            show_one(c, &scope, id, &Fields::default())
        })
        .await?;
    Ok(Json(shown))
}

/// Lists reservations by their ids, in the third version's shape. Ids that lead nowhere are left out.
async fn list_v3(ctx: Ctx, query: Query) -> Result<Json<Vec<ReservationV3>>, ApiError> {
    let ids: Vec<ReservationId> = query.ids("reservationIds")?.unwrap_or_default();
    if !(1..=IDS_MAX).contains(&ids.len()) {
        return Err(ApiError::BadRequest(format!(
            "reservationIds must be 1 to {IDS_MAX} ids, not {}: ask for more in several requests",
            ids.len()
        )));
    }
    let scope = ctx.scope();
    let stays = ctx
        .platform
        .store
        .read(move |c| reservation::find_all(c, &scope, &ids))
        .await?;
    Ok(Json(stays.into_iter().map(v3).collect()))
}

/// Keeps a changed reservation, and tells what changed.
pub(super) fn save(
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
        ..happened("reservation.updated", new.id)
    };
    event::record(connection, new.account, &updated, now)
}

pub(super) fn find(
    connection: &mut Connection,
    scope: &Scope,
    id: ReservationId,
) -> Result<Stay, Error> {
    Ok(reservation::find(connection, scope, id)?.ok_or(Rejection::ReservationNotFound)?)
}

pub(super) fn show_one(
    connection: &mut Connection,
    scope: &Scope,
    id: ReservationId,
    fields: &Fields,
) -> Result<Value, Error> {
    let stay = find(connection, scope, id)?;
    show_all(connection, scope.account, vec![stay], fields)?
        .pop()
        .ok_or_else(|| Rejection::ReservationNotFound.into())
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
    let id = new_id();
    let row = guest::Row::new(id, account, &from_reservation(new)?, now)?;
    guest::insert(connection, &row)?;
    event::record(
        connection,
        account,
        &guests::happened("guest.created", id),
        now,
    )?;
    Ok(id)
}

fn happened(kind: &'static str, reservation: ReservationId) -> DomainEvent {
    DomainEvent {
        kind,
        reservation: Some(reservation),
        subject: reservation.0,
        body: Value::Object(Map::new()),
    }
}
