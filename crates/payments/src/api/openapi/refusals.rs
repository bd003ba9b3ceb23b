//! What routes refuse, in the words that they refuse it with.

use std::collections::BTreeMap;

use contract::Timestamp;
use serde_json::json;
use utoipa::IntoResponses;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{Ref, RefOr, Response};

use super::super::providers::NO_PROVIDER;
use super::page::NO_FILE;
use crate::model::Rejection;

/// Declares what the refusals of a route are described with: their status, what they have in common, and
/// each of their texts. A route names the type among its responses.
macro_rules! refusals {
    ($($(#[$about:meta])* $name:ident: $status:literal $common:literal [$($rejection:expr),+ $(,)?])+) => {$(
        $(#[$about])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let rejections = [$($rejection),+];
                let response = texts($common, rejections.iter().map(named));
                BTreeMap::from([($status.to_owned(), response.into())])
            }
        }
    )+};
}

/// A refusal's name and its text.
fn named(rejection: &Rejection) -> (String, String) {
    let debug = format!("{rejection:?}");
    let name = debug.split([' ', '(', '{']).next().unwrap_or_default();
    (name.to_owned(), rejection.to_string())
}

fn texts(common: &str, texts: impl Iterator<Item = (String, String)>) -> Response {
    let examples = texts.map(|(name, text)| {
        let example = ExampleBuilder::new().value(Some(json!(text))).build();
        (name, example)
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Message")))
        .examples_from_iter(examples)
        .build();
    ResponseBuilder::new()
        .description(common)
        .content("application/json", content)
        .build()
}

use Rejection as R;

/// Of the route of a listing's provider.
pub(crate) struct NoProvider;

impl IntoResponses for NoProvider {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let about = "No such listing, or no provider that takes its payments.";
        let listing = named(&R::ListingNotFound);
        missing(
            about,
            [
                listing,
                ("ProviderNotFound".to_owned(), NO_PROVIDER.to_owned()),
            ],
        )
    }
}

/// Of the description's page.
pub(crate) struct NoFile;

impl IntoResponses for NoFile {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let about = "The page has no such file.";
        missing(about, [("FileNotFound".to_owned(), NO_FILE.to_owned())])
    }
}

fn missing<const COUNT: usize>(
    about: &str,
    names: [(String, String); COUNT],
) -> BTreeMap<String, RefOr<Response>> {
    BTreeMap::from([("404".to_owned(), texts(about, names.into_iter()).into())])
}

refusals! {
    /// Of routes of a listing.
    NoListing: "404" "No such listing, or not for this application." [R::ListingNotFound]
    /// Of routes of a guest.
    NoGuest: "404" "No such guest, or not for this application." [R::GuestNotFound]
    /// Of making a method, which may be for a reservation.
    NoGuestOrReservation: "404" "No such guest, or no such reservation of theirs." [
        R::GuestNotFound,
        R::ReservationNotFound,
    ]
    /// Of routes of a reservation.
    NoReservation: "404" "No such reservation, or not for this application." [R::ReservationNotFound]
    /// Of routes of a payment.
    NoPayment: "404" "No such reservation, or no such payment on it." [
        R::ReservationNotFound,
        R::PaymentNotFound,
    ]
    /// Of routes of a refund.
    NoRefund: "404" "No such reservation, payment on it, or refund of that." [
        R::ReservationNotFound,
        R::PaymentNotFound,
        R::RefundNotFound,
    ]
    /// Of routes of a tax.
    NoTax: "404" "No such tax, or not for this application." [R::TaxNotFound]
    /// Of routes of a fee.
    NoFee: "404" "No such fee, or not for this application." [R::FeeNotFound]
    /// Of routes of a webhook.
    NoWebhook: "404" "No such webhook." [R::WebhookNotFound]
    /// Of the route of a url's secret.
    NoWebhookUrl: "404" "No webhook has this url." [R::WebhookUrlNotFound]
    /// Of routes of an attempt.
    NoWebhookAttempt: "404" "No such webhook, or no such attempt of it." [
        R::WebhookNotFound,
        R::WebhookAttemptNotFound,
    ]

    /// Of posting a payment.
    PaymentRefused: "400" "What is wrong, and what to do. Nothing was charged." [
        R::MethodRequired,
        R::UnknownMethodName("GOLD".to_owned()),
        R::MethodIdRequired("STRIPE".to_owned()),
        R::MethodIdNotExpected("CASH".to_owned()),
        R::MethodNotFound,
        R::MethodInactive,
        R::MethodSpent,
        R::BadAmount("1.001 has more digits than USD has".to_owned()),
        R::AmountNotPositive,
        R::HoldAboveBalance { balance: "300.00 USD".to_owned() },
        R::HoldWithoutCard,
        R::HoldCannotWait,
        R::PaidAtOfCard,
        R::PaidInFuture,
        R::RecordedCannotWait,
        R::NoteTooLong,
        R::ProviderNotFound,
    ]
    /// Of changing a payment.
    ChangeRefused: "400" "What is wrong, and what to do. Nothing was changed." [
        R::NotScheduled("SUCCEEDED"),
        R::StatusNotSettable("SUCCEEDED".to_owned()),
        R::CannotCancel("SUCCEEDED"),
        R::MethodNotFound,
        R::MethodInactive,
        R::MethodSpent,
        R::BadAmount("1.001 has more digits than USD has".to_owned()),
        R::AmountNotPositive,
        R::NoteTooLong,
        R::InProgress,
    ]
    /// Of cancelling a payment.
    CancelRefused: "400" "Why it cannot be cancelled." [
        R::CannotCancel("SUCCEEDED"),
        R::CancelWithRefunds,
        R::HoldExpired(Timestamp::from_millis(1_692_622_800_000)),
        R::InProgress,
    ]
    /// Of capturing a hold.
    CaptureRefused: "400" "What is wrong, and what to do. Nothing was captured." [
        R::NotHeld("SUCCEEDED"),
        R::HoldExpired(Timestamp::from_millis(1_692_622_800_000)),
        R::CaptureTooLarge { held: "300.00 USD".to_owned() },
        R::BadAmount("1.001 has more digits than USD has".to_owned()),
        R::NothingToMove,
        R::InProgress,
    ]
    /// Of refunding a payment.
    RefundRefused: "400" "What is wrong, and what to do. Nothing went back." [
        R::NotRefundable("FAILED"),
        R::RefundTooLarge { left: "100.50 USD".to_owned() },
        R::BadAmount("1.001 has more digits than USD has".to_owned()),
        R::NothingToMove,
        R::NoteTooLong,
        R::InProgress,
    ]
    /// Of cancelling a refund.
    CancelRefundRefused: "400" "Why it cannot be cancelled." [
        R::RefundNotScheduled("SUCCEEDED"),
        R::InProgress,
    ]
    /// Of making a payment method.
    MethodRefused: "400" "What is wrong, and what to do. No method was made." [
        R::MethodNotMade("Your card was declined.".to_owned()),
        R::ProviderNotFound,
        R::ProviderNotSetUp,
    ]
    /// Of subscribing.
    WebhookRefused: "400" "What is wrong with the url or the events." [
        R::TooManyWebhooks(20),
        R::invalid("url", "it must begin with https://"),
    ]
    /// Of changing a subscription.
    WebhookChangeRefused: "400" "What is wrong with the events." [
        R::invalid("url", "it cannot be changed: delete this webhook and make another"),
    ]
    /// Of sending a webhook's message again.
    ReplayRefused: "400" "Why it is not sent." [R::WebhookDisabled]
}
