//! Messages as they are sent: what the event says, and what it is about as it is now.

use contract::id::{GuestId, ListingId, PaymentId, PaymentMethodId, RefundId, ReservationId};
use contract::local::LocalDate;
use contract::webhook::{
    EventContext, FolioEvent, FolioOfEvent, GuestEvent, ListingEvent, ListingOfEvent, Meta,
    PaymentEvent, PaymentOfEvent, ReservationEvent, StayEvent,
};
use money::{Decimal, Money};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::Connection;

use crate::Error;
use crate::api::fields::Fields;
use crate::api::reservation_view::show_all;
use crate::model::Source;
use crate::model::reservation::CHANNEL;
use crate::store::delivery::Message;
use crate::store::scope::Scope;
use crate::store::{attempt, folio, guest, payment_method, reservation};

/// What an event of an account may tell: all of it.
fn scope(message: &Message) -> Scope {
    Scope {
        account: message.account,
        listings: None,
    }
}

/// A message's body.
pub(super) fn body(connection: &mut Connection, message: &Message) -> Result<String, Error> {
    let event = message.event.clone();
    match event.as_str() {
        "reservation.new" | "reservation.updated" => text(&ReservationEvent {
            reservation: whole_reservation(connection, message)?,
            event,
        }),
        "reservation.created.v2" | "reservation.updated.v2" => text(&stay(connection, message)?),
        "guest-folio.created" | "guest-folio.updated" => text(&folio_of(connection, message)?),
        "payments.method.received" => text(&PaymentEvent {
            payment: method(connection, message)?,
            event,
        }),
        _ if event.starts_with("payments.") => text(&PaymentEvent {
            payment: payment(connection, message)?,
            event,
        }),
        _ if event.starts_with("guest.") => text(&guest_of(connection, message)?),
        _ => text(&ListingEvent {
            event,
            listing: ListingOfEvent {
                id: ListingId(message.subject),
            },
            meta: Meta {
                event_id: message.event_id,
                message_id: message.public_id(),
            },
        }),
    }
}

fn text(event: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(event)
        .map_err(|error| Error::Corrupt(format!("a message cannot be written: {error}")))
}

fn gone(message: &Message) -> Error {
    Error::Corrupt(format!(
        "{} of message {}: {} is gone",
        message.event, message.id, message.subject
    ))
}

fn reservation_id(message: &Message) -> Result<ReservationId, Error> {
    message.reservation.ok_or_else(|| gone(message))
}

fn find_stay(connection: &mut Connection, message: &Message) -> Result<reservation::Stay, Error> {
    let id = reservation_id(message)?;
    reservation::find(connection, &scope(message), id)?.ok_or_else(|| gone(message))
}

fn whole_reservation(connection: &mut Connection, message: &Message) -> Result<Value, Error> {
    let stay = find_stay(connection, message)?;
    show_all(connection, message.account, vec![stay], &Fields::default())?
        .pop()
        .ok_or_else(|| gone(message))
}

fn stay(connection: &mut Connection, message: &Message) -> Result<StayEvent, Error> {
    let reservation = find_stay(connection, message)?.reservation;
    let facts: Facts = facts(message)?;
    let guests = reservation.guests_count;
    Ok(StayEvent {
        event: message.event.clone(),
        published_at: message.created,
        changes: facts.changes,
        account_id: reservation.account,
        reservation_id: reservation.id,
        unit_id: reservation.listing,
        guest_id: reservation.guest,
        status: reservation.status,
        confirmation_code: reservation.confirmation_code,
        source: reservation.source,
        platform: CHANNEL.name().to_owned(),
        check_in_date_localized: LocalDate(reservation.check_in),
        check_out_date_localized: LocalDate(reservation.check_out),
        guests_count: guests,
        number_of_guests: reservation
            .rest
            .get("numberOfGuests")
            .cloned()
            .unwrap_or_else(|| json!({ "numberOfAdults": guests })),
        eta: reservation.arrival,
        etd: reservation.departure,
        created_at: reservation.created,
        altered_at: reservation.updated,
    })
}

/// What of a reservation's `money` its folio leaves out: payments have events of their own.
const NOT_OF_THE_FOLIO: [&str; 3] = ["payments", "autoPaymentsPolicy", "paymentProviderIds"];

fn folio_of(connection: &mut Connection, message: &Message) -> Result<FolioEvent, Error> {
    let stay = find_stay(connection, message)?;
    let fields = Fields::read(Some("money"));
    let of_stay = &stay.reservation;
    let mut folio = FolioOfEvent {
        reservation_id: of_stay.id,
        account_id: of_stay.account,
        confirmation_code: of_stay.confirmation_code.clone(),
        money: Map::new(),
        created_at: of_stay.created,
        updated_at: of_stay.updated,
    };
    let shown = show_all(connection, message.account, vec![stay], &fields)?.pop();
    if let Some(Value::Object(money)) =
        shown.and_then(|mut shown| Some(shown.get_mut("money")?.take()))
    {
        folio.money = money;
        for name in NOT_OF_THE_FOLIO {
            folio.money.shift_remove(name);
        }
    }
    Ok(FolioEvent {
        event: message.event.clone(),
        guest_folio: folio,
    })
}

fn guest_of(connection: &mut Connection, message: &Message) -> Result<GuestEvent, Error> {
    let id = GuestId(message.subject);
    let row = guest::find(connection, &scope(message), id)?.ok_or_else(|| gone(message))?;
    let returning = guest::returning(connection, std::slice::from_ref(&row), message.created)?;
    let shown = row.show(returning.contains(&id))?;
    Ok(GuestEvent {
        guest: serde_json::to_value(shown).map_err(|error| Error::Corrupt(error.to_string()))?,
        by: BY.to_owned(),
        event: message.event.clone(),
    })
}

/// Who makes guests known: people have no accounts of their own here.
const BY: &str = "open-api";

/// What an event says beside its subject.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Facts {
    changes: Vec<String>,
    attempt_id: Option<contract::id::AttemptId>,
    refund_id: Option<RefundId>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

fn facts(message: &Message) -> Result<Facts, Error> {
    serde_json::from_str(&message.facts)
        .map_err(|error| Error::Corrupt(format!("message {}: {error}", message.id)))
}

fn context(message: &Message) -> EventContext {
    EventContext {
        request_id: message.public_id(),
    }
}

fn method(connection: &mut Connection, message: &Message) -> Result<PaymentOfEvent, Error> {
    let id = PaymentMethodId(message.subject);
    let found = payment_method::find(connection, message.account, id)?;
    let found = found.ok_or_else(|| gone(message))?;
    Ok(PaymentOfEvent {
        account_id: Some(message.account),
        reservation_id: message.reservation,
        payment_method_id: Some(id),
        last4: Some(found.summary.last4),
        brand: Some(found.summary.brand),
        guest_id: Some(found.method.guest),
        ctx: Some(context(message)),
        ..PaymentOfEvent::default()
    })
}

fn payment(connection: &mut Connection, message: &Message) -> Result<PaymentOfEvent, Error> {
    let reservation = reservation_id(message)?;
    let stay = folio::load(connection, message.account, reservation)?;
    let stay = stay.ok_or_else(|| gone(message))?;
    let payment = stay.folio.payment(PaymentId(message.subject));
    let payment = payment.ok_or_else(|| gone(message))?;
    let method_id = match &payment.source {
        Source::Card { method, .. } => Some(*method),
        Source::Recorded { .. } => None,
    };
    let method = match method_id {
        Some(id) => payment_method::find(connection, message.account, id)?,
        None => None,
    };
    let facts = facts(message)?;
    // What an event says itself, of a dispute's own amount for instance, is said once.
    let says = |name: &str| facts.rest.contains_key(name);
    let failure_reason = match facts.attempt_id {
        Some(id) if message.event != "payments.received" => attempt::error_of(connection, id)?,
        _ => None,
    };
    let refund = facts.refund_id.and_then(|id| payment.refund(id));
    let refunded: Option<Decimal> = refund.map(|refund| refund.amount.to_decimal());
    let is_received = message.event == "payments.received";
    let amount: Money = if is_received {
        payment.collected()
    } else {
        payment.amount
    };
    let (last4, brand) = method
        .map(|method| (method.summary.last4, method.summary.brand))
        .unzip();
    Ok(PaymentOfEvent {
        account_id: Some(message.account),
        reservation_id: Some(reservation),
        payment_id: Some(payment.id),
        amount: (!says("amount")).then(|| amount.to_decimal()),
        currency: (!says("currency")).then_some(stay.folio.currency),
        confirmation_code: payment
            .reference
            .as_ref()
            .map(|known| known.confirmation.clone()),
        paid_at: payment.paid,
        payment_method_id: method_id,
        last4,
        brand,
        name: Some(stay.guest_name),
        guest_id: Some(stay.folio.guest),
        failure_reason,
        refund_amount: refunded,
        refunded_amount: refunded,
        total_refunded: refund.map(|_| payment.refunded().to_decimal()),
        rest: facts.rest,
        ctx: Some(context(message)),
    })
}
