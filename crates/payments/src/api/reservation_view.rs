//! How reservations are shown.

use contract::id::{AccountId, PaymentProviderId};
use contract::invoice::{InvoiceItem, ReservationMoney};
use contract::local::LocalDate;
use contract::reservation as wire;
use money::{Decimal, Money};
use serde_json::{Map, Value, json};
use store::Connection;

use super::fields::Fields;
use super::payment_view::View;
use super::show::show;
use crate::Error;
use crate::model::invoice::Item;
use crate::model::reservation::CHANNEL;
use crate::model::{Folio, State};
use crate::store::reservation::Stay;
use crate::store::{folio, provider};

/// A reservation's payments, as far as they were asked for.
#[derive(Default)]
struct Payments {
    shown: Vec<Value>,
    due_minor: i64,
}

/// Reservations as they are shown, cut to what was asked for. Payments are read only when they are
/// among it.
pub(crate) fn show_all(
    connection: &mut Connection,
    account: AccountId,
    stays: Vec<Stay>,
    fields: &Fields,
) -> Result<Vec<Value>, Error> {
    let default = provider::default_of(connection, account)?;
    stays
        .into_iter()
        .map(|stay| {
            let payments = payments(connection, account, &stay, fields)?;
            show(&whole(stay, payments, default), fields)
        })
        .collect()
}

fn payments(
    connection: &mut Connection,
    account: AccountId,
    stay: &Stay,
    fields: &Fields,
) -> Result<Payments, Error> {
    let wants_payments = fields.want("money.payments");
    if !wants_payments && !fields.want("money.paymentsDue") {
        return Ok(Payments::default());
    }
    let Some(found) = folio::load(connection, account, stay.reservation.id)? else {
        return Ok(Payments::default());
    };
    let due_minor = still_to_be_taken(&found.folio);
    let mut shown = Vec::new();
    if wants_payments && !found.folio.payments.is_empty() {
        for payment in View::load(connection, found)?.payments()? {
            shown.push(show(&payment, &Fields::default())?);
        }
    }
    Ok(Payments { shown, due_minor })
}

/// What the payments that wait for their date will bring in.
fn still_to_be_taken(folio: &Folio) -> i64 {
    folio
        .payments
        .iter()
        .filter(|payment| payment.state == State::Scheduled)
        .map(|payment| payment.amount.minor())
        .sum()
}

fn whole(
    stay: Stay,
    payments: Payments,
    default_provider: Option<PaymentProviderId>,
) -> wire::Reservation {
    let providers = stay.listing.provider_id.or(default_provider);
    let money = money(&stay, payments, providers.into_iter().collect());
    let nights_count = stay.reservation.nights();
    let reservation = stay.reservation;
    wire::Reservation {
        id: reservation.id,
        account_id: reservation.account,
        listing_id: reservation.listing,
        guest_id: reservation.guest,
        status: reservation.status,
        confirmation_code: reservation.confirmation_code,
        source: reservation.source,
        integration: wire::Integration {
            platform: CHANNEL.name().to_owned(),
        },
        check_in: reservation.arrival,
        check_out: reservation.departure,
        check_in_date_localized: LocalDate(reservation.check_in),
        check_out_date_localized: LocalDate(reservation.check_out),
        planned_arrival: reservation.planned_arrival,
        planned_departure: reservation.planned_departure,
        nights_count,
        guests_count: reservation.guests_count,
        guest: wire::GuestInShort {
            id: stay.guest.id,
            full_name: stay.guest.full_name,
            first_name: stay.guest.first_name,
            last_name: stay.guest.last_name,
            email: stay.guest.email,
            phone: stay.guest.phone,
        },
        listing: wire::ListingInShort {
            id: stay.listing.id,
            title: stay.listing.title,
            nickname: stay.listing.nickname,
            timezone: stay.listing.timezone,
            default_check_in_time: stay.home.check_in_time,
            default_check_out_time: stay.home.check_out_time,
        },
        money,
        at_time_of_confirmation: reservation
            .snapshot
            .map(|catalog| wire::AtTimeOfConfirmation {
                snapshot_created: true,
                taxes: catalog.taxes,
            }),
        created_at: reservation.created,
        last_updated_at: reservation.updated,
        confirmed_at: reservation.confirmed,
        canceled_at: reservation.canceled,
        canceled_by: reservation.canceled_by,
        cancellation_reason: reservation.cancellation_reason,
        rest: reservation.rest,
    }
}

fn money(
    stay: &Stay,
    payments: Payments,
    payment_provider_ids: Vec<PaymentProviderId>,
) -> ReservationMoney {
    let reservation = &stay.reservation;
    let currency = reservation.currency;
    let totals = reservation.totals();
    let balance = totals.total.minor() - stay.paid.minor() + stay.refunded.minor();
    let decimal = |minor| Money::from_minor(minor, currency).to_decimal();
    ReservationMoney {
        invoice_items: reservation.items.iter().map(item).collect(),
        payments: payments.shown,
        auto_payments_policy: reservation
            .auto_payments
            .as_ref()
            .map(|policy| policy.policy.clone())
            .unwrap_or_default(),
        payment_provider_ids,
        currency,
        fare_accommodation: totals.fare.to_decimal(),
        fare_accommodation_adjustment: totals.adjustment.to_decimal(),
        fare_accommodation_discount: totals.discount.to_decimal(),
        fare_accommodation_adjusted: totals.adjusted.to_decimal(),
        fare_cleaning: totals.cleaning.to_decimal(),
        sub_total_price: totals.subtotal.to_decimal(),
        total_taxes: totals.taxes.to_decimal(),
        host_service_fee: Decimal::default(),
        host_service_fee_tax: Decimal::default(),
        host_service_fee_inc_tax: Decimal::default(),
        host_payout: totals.total.to_decimal(),
        host_payout_usd: (currency.code() == "USD").then(|| totals.total.to_decimal()),
        total_paid: stay.paid.to_decimal(),
        total_refunded: stay.refunded.to_decimal(),
        payments_due: decimal(payments.due_minor),
        balance_due: decimal(balance),
        is_fully_paid: balance <= 0,
        is_touched_payments: stay.is_touched,
    }
}

fn item(item: &Item) -> InvoiceItem {
    InvoiceItem {
        id: item.id,
        title: item.title.clone(),
        description: item.description.clone(),
        amount: item.amount.to_decimal(),
        currency: item.amount.currency(),
        kind: item.kind().to_owned(),
        normal_type: item.normal_type.clone(),
        second_identifier: item.second_identifier.clone(),
        is_locked: item.is_locked || item.origin.is_some(),
        is_tax: item.is_tax(),
        is_auto_additional_fee: item.is_automatic_fee().then_some(true),
    }
}

/// A reservation in the third version's shape.
pub(super) fn v3(stay: Stay) -> wire::ReservationV3 {
    let reservation = stay.reservation;
    let given = |name: &str, otherwise: Value| -> Value {
        reservation.rest.get(name).cloned().unwrap_or(otherwise)
    };
    wire::ReservationV3 {
        notes: given("notes", Value::Object(Map::new())),
        custom_fields: given("customFields", json!([])),
        stay: vec![wire::Stay {
            number_of_guests: given(
                "numberOfGuests",
                json!({"numberOfAdults": reservation.guests_count}),
            ),
            check_in_date_localized: LocalDate(reservation.check_in),
            check_out_date_localized: LocalDate(reservation.check_out),
            guests_count: reservation.guests_count,
            unit_type_id: reservation.listing,
            unit_id: reservation.listing,
            eta: reservation.arrival,
            etd: reservation.departure,
        }],
        id: reservation.id,
        account_id: reservation.account,
        booker_id: reservation.guest,
        confirmation_code: reservation.confirmation_code,
        status: reservation.status,
        platform: CHANNEL.name().to_owned(),
        source: reservation.source,
        confirmed_at: reservation.confirmed,
        canceled_at: reservation.canceled,
        canceled_by: reservation.canceled_by,
        cancellation_reason: reservation.cancellation_reason,
        created_at: reservation.created,
        altered_at: reservation.updated,
    }
}
