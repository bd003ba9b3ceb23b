//! Guests' payment methods.

use contract::Timestamp;
use contract::id::{
    AccountId, GuestId, ListingId, PaymentMethodId, PaymentProviderId, ReservationId,
};
use diesel::prelude::*;
use money::Currency;
use store::{Connection, Lock, both};

use super::guest;
use super::scope::Scope;
use crate::Error;
use crate::model::{Auto, Method, Rejection, State};
use crate::schema::{listing, payment, payment_method, provider, reservation};

/// A stored method.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = payment_method, treat_none_as_default_value = false)]
pub(crate) struct PaymentMethod {
    pub(crate) id: PaymentMethodId,
    pub(crate) account_id: AccountId,
    pub(crate) guest_id: GuestId,
    pub(crate) provider_id: PaymentProviderId,
    pub(crate) reservation_id: Option<ReservationId>,
    /// `STRIPE` or `AMARYLLIS`.
    pub(crate) method: String,
    pub(crate) token: String,
    pub(crate) payload: String,
    pub(crate) brand: String,
    pub(crate) last4: String,
    pub(crate) status: String,
    pub(crate) save_for_future_use: bool,
    pub(crate) is_reusable: bool,
    pub(crate) created_ms: Timestamp,
    pub(crate) updated_ms: Timestamp,
}

/// A stored method, and the way to the processor that keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Charged {
    pub(crate) method: Method,
    pub(crate) route: Route,
    pub(crate) summary: MethodSummary,
    pub(crate) save_for_future_use: bool,
}

/// The way to a processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// The account at the processor.
    pub(crate) merchant: String,
    /// The processor's name for the stored method.
    pub(crate) token: String,
}

/// What a payment shows of its method.
#[derive(Debug, Clone, Queryable)]
pub(crate) struct MethodSummary {
    pub(crate) id: PaymentMethodId,
    pub(crate) brand: String,
    pub(crate) last4: String,
    pub(crate) status: String,
}

/// What a new method is made with.
#[derive(Debug, Clone)]
pub(crate) struct NewMethodContext {
    pub(crate) provider: PaymentProviderId,
    pub(crate) merchant: String,
    pub(crate) guest_name: String,
    /// Of the reservation that it is for, if one was named.
    pub(crate) currency: Option<Currency>,
    pub(crate) confirmation_code: Option<String>,
}

/// The status of a method that can be charged.
pub(crate) const ACTIVE: &str = "ACTIVE";

pub(crate) fn insert(connection: &mut Connection, method: &PaymentMethod) -> Result<(), Error> {
    diesel::insert_into(payment_method::table)
        .values(method)
        .execute(connection)?;
    Ok(())
}

/// For which reservations listed methods may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usable {
    /// Whichever: all of the guest's methods.
    Whichever,
    /// Any of the guest's, or this one.
    AnyOr(Option<ReservationId>),
}

/// A guest's methods, the oldest first.
pub(crate) fn of_guest(
    connection: &mut Connection,
    account: AccountId,
    guest: GuestId,
    usable: Usable,
) -> Result<Vec<PaymentMethod>, Error> {
    let mut methods: Vec<PaymentMethod> = payment_method::table
        .filter(payment_method::account_id.eq(account))
        .filter(payment_method::guest_id.eq(guest))
        .order((payment_method::created_ms, payment_method::id))
        .select(PaymentMethod::as_select())
        .load(connection)?;
    if let Usable::AnyOr(reservation) = usable {
        methods.retain(|method| {
            method.is_reusable
                || method.reservation_id.is_none()
                || method.reservation_id == reservation
        });
    }
    Ok(methods)
}

/// An account's method.
pub(crate) fn of_id(
    connection: &mut Connection,
    account: AccountId,
    id: PaymentMethodId,
) -> Result<Option<PaymentMethod>, Error> {
    Ok(payment_method::table
        .find(id)
        .filter(payment_method::account_id.eq(account))
        .select(PaymentMethod::as_select())
        .first(connection)
        .optional()?)
}

/// A guest's methods that can be charged for a reservation more than once, the newest first; without
/// those that were declined for good, for whatever reservation.
pub(crate) fn reusable(
    connection: &mut Connection,
    account: AccountId,
    guest: GuestId,
    reservation: ReservationId,
) -> Result<Vec<Method>, Error> {
    let usable = Usable::AnyOr(Some(reservation));
    let mut known = of_guest(connection, account, guest, usable)?;
    known.retain(|method| method.status == ACTIVE && method.save_for_future_use);
    let refused = declined_for_good(connection, known.iter().map(|method| method.id))?;
    known.retain(|method| !refused.contains(&method.id));
    let newest_first = known.into_iter().rev();
    Ok(newest_first
        .map(|method| Method {
            id: method.id,
            guest: method.guest_id,
            name: method.method,
            is_active: true,
            is_spent: false,
        })
        .collect())
}

/// Which of these methods are those of a payment of which
/// [`was_declined_for_good`](crate::model::Payment::was_declined_for_good) holds.
fn declined_for_good(
    connection: &mut Connection,
    methods: impl Iterator<Item = PaymentMethodId>,
) -> Result<Vec<PaymentMethodId>, Error> {
    let found: Vec<Option<PaymentMethodId>> = payment::table
        .filter(payment::payment_method_id.eq_any(methods.map(Some)))
        .filter(payment::state.eq(State::Failed.name()))
        .filter(payment::tries_left.gt(0))
        .filter(payment::tries_left.lt(i64::from(Auto::TRIES)))
        .select(payment::payment_method_id)
        .distinct()
        .load(connection)?;
    Ok(found.into_iter().flatten().collect())
}

/// The methods of a reservation's payments.
pub(crate) fn summaries(
    connection: &mut Connection,
    reservation: ReservationId,
) -> Result<Vec<MethodSummary>, Error> {
    Ok(payment_method::table
        .filter(
            payment_method::id.nullable().eq_any(
                payment::table
                    .filter(payment::reservation_id.eq(reservation))
                    .select(payment::payment_method_id),
            ),
        )
        .select((
            payment_method::id,
            payment_method::brand,
            payment_method::last4,
            payment_method::status,
        ))
        .load(connection)?)
}

/// The listing with its provider, and the reservation's currency and confirmation code.
type OfStay = (ListingId, Option<PaymentProviderId>, String, String);

/// What a new method of a guest is made with: the provider that was named, else the one of the
/// reservation's listing, else the account's default.
pub(crate) fn new_method_context(
    connection: &mut Connection,
    scope: &Scope,
    guest: GuestId,
    named: Option<PaymentProviderId>,
    reservation: Option<ReservationId>,
) -> Result<NewMethodContext, Error> {
    let account = scope.account;
    let guest_name = guest::find(connection, scope, guest)?
        .ok_or(Rejection::GuestNotFound)?
        .full_name;
    let stay: Option<OfStay> = match reservation {
        Some(id) => Some(
            reservation::table
                .inner_join(listing::table.on(listing::id.eq(reservation::listing_id)))
                .filter(
                    reservation::id
                        .eq(id)
                        .and(reservation::account_id.eq(account)),
                )
                .filter(reservation::guest_id.eq(guest))
                .select((
                    listing::id,
                    listing::provider_id,
                    reservation::currency,
                    reservation::confirmation_code,
                ))
                .first::<OfStay>(connection)
                .optional()?
                .filter(|(listing, ..)| scope.covers(*listing))
                .ok_or(Rejection::ReservationNotFound)?,
        ),
        None => None,
    };
    let of_listing = stay.as_ref().and_then(|(_, provider, ..)| *provider);
    let (provider, merchant) = active_provider(connection, account, named.or(of_listing))?;
    let currency = stay
        .as_ref()
        .map(|(.., code, _)| {
            code.parse()
                .map_err(|_| Error::Corrupt(format!("currency {code}")))
        })
        .transpose()?;
    Ok(NewMethodContext {
        provider,
        merchant,
        guest_name,
        currency,
        confirmation_code: stay.map(|(.., code)| code),
    })
}

/// The account's active provider of this id, else its default.
fn active_provider(
    connection: &mut Connection,
    account: AccountId,
    id: Option<PaymentProviderId>,
) -> Result<(PaymentProviderId, String), Error> {
    let mut active = provider::table
        .filter(provider::account_id.eq(account))
        .filter(provider::status.eq(ACTIVE))
        .order((provider::is_default.desc(), provider::created_ms))
        .select((provider::id, provider::merchant))
        .into_boxed();
    if let Some(id) = id {
        active = active.filter(provider::id.eq(id));
    }
    let (id, merchant): (PaymentProviderId, Option<String>) = active
        .first(connection)
        .optional()?
        .ok_or(Rejection::ProviderNotFound)?;
    Ok((id, merchant.ok_or(Rejection::ProviderNotSetUp)?))
}

/// A method that is about to be charged; none if the account has no such method. Whether it is spent
/// is asked with its row locked, so only a transaction that writes can.
pub(crate) fn to_charge(
    connection: &mut Connection,
    account: AccountId,
    id: PaymentMethodId,
) -> Result<Option<Charged>, Error> {
    let Some(mut found) = find(connection, account, id)? else {
        return Ok(None);
    };
    found.method.is_spent = !found.save_for_future_use && has_taken_a_payment(connection, id)?;
    Ok(Some(found))
}

/// A method that a payment has been given already; none if the account has no such method.
pub(crate) fn find(
    connection: &mut Connection,
    account: AccountId,
    id: PaymentMethodId,
) -> Result<Option<Charged>, Error> {
    let found = both!(connection, c => payment_method::table
        .inner_join(provider::table.on(provider::id.eq(payment_method::provider_id)))
        .filter(payment_method::id.eq(id))
        .filter(payment_method::account_id.eq(account))
        .select((PaymentMethod::as_select(), provider::merchant))
        .first::<(PaymentMethod, Option<String>)>(c));
    let Some((row, merchant)) = found.optional()? else {
        return Ok(None);
    };
    Ok(Some(Charged {
        method: Method {
            id: row.id,
            guest: row.guest_id,
            name: row.method,
            is_active: row.status == ACTIVE,
            is_spent: false,
        },
        route: Route {
            merchant: merchant.unwrap_or_default(),
            token: row.token,
        },
        summary: MethodSummary {
            id: row.id,
            brand: row.brand,
            last4: row.last4,
            status: row.status,
        },
        save_for_future_use: row.save_for_future_use,
    }))
}

/// Whether the method for one payment is spent: a payment that came to nothing leaves it unspent.
fn has_taken_a_payment(connection: &mut Connection, id: PaymentMethodId) -> Result<bool, Error> {
    // Two reservations of one guest may ask at once: the row is the meeting point.
    Lock::row("payment_method", &id).take(connection)?;
    let came_to_nothing = [State::Failed, State::Cancelled, State::Expired].map(State::name);
    let taken = payment::table
        .filter(payment::payment_method_id.eq(id))
        .filter(payment::state.ne_all(came_to_nothing))
        .select(payment::id)
        .first::<String>(connection)
        .optional()?;
    Ok(taken.is_some())
}

/// Keeps for how many payments the method is.
pub(crate) fn set_save_for_future_use(
    connection: &mut Connection,
    id: PaymentMethodId,
    save: bool,
    now: Timestamp,
) -> Result<(), Error> {
    diesel::update(payment_method::table.find(id))
        .filter(payment_method::save_for_future_use.ne(save))
        .set((
            payment_method::save_for_future_use.eq(save),
            payment_method::updated_ms.eq(now),
        ))
        .execute(connection)?;
    Ok(())
}
