//! The parameters that routes have in common, as they are described.

use contract::id::{FeeId, GuestId, ListingId, PaymentId, ReservationId, TaxId, WebhookId};
use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr, Required};

use super::super::listings::TEXT_MAX;
use super::super::query::{LIMIT_DEFAULT, LIMIT_MAX, SKIP_MAX};

/// A listing's place in a path.
pub(crate) struct OneListing;

/// A guest's place in a path.
pub(crate) struct OneGuest;

/// A reservation's place in a path.
pub(crate) struct OneReservation;

/// The places in a path of a reservation, and of a payment on it.
pub(crate) struct OnePayment;

/// A tax's place in a path.
pub(crate) struct OneTax;

/// A fee's place in a path.
pub(crate) struct OneFee;

/// A webhook's place in a path.
pub(crate) struct OneWebhook;

/// `limit` and `skip`.
pub(crate) struct OnePage;

/// `fields`.
pub(crate) struct Picked;

/// `columns`, which guests call `fields`, too.
pub(crate) struct Columns;

/// `Idempotency-Key`.
pub(crate) struct OncePerKey;

/// The header that makes a request be done once.
pub(super) const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// A bare key, or one in quotes.
const KEY: &str = r#"^("([ !#-\[\]-~]|\\["\\])+"|[!#-+\--:<-\[\]-~]+)$"#;

/// `filters` and `sort`.
pub(crate) struct Searched;

/// What listings are searched by.
pub(crate) struct ListingSearch;

/// Declares what sets of parameters are described with. A route names the set among its parameters.
macro_rules! parameters {
    ($($set:ident [$($parameter:expr),+ $(,)?])+) => {$(
        impl utoipa::IntoParams for $set {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                vec![$($parameter),+]
            }
        }
    )+};
}

pub(super) use parameters;

parameters! {
    OneListing [place::<ListingId>("id", "The listing.")]
    OneGuest [place::<GuestId>("id", "The guest.")]
    OneReservation [place::<ReservationId>("id", "The reservation.")]
    OnePayment [
        place::<ReservationId>("id", "The reservation."),
        place::<PaymentId>("payment", "The payment."),
    ]
    OneTax [place::<TaxId>("id", "The tax.")]
    OneFee [place::<FeeId>("id", "The fee.")]
    OneWebhook [place::<WebhookId>("id", "The webhook.")]
    OnePage [
        optional(
            "limit",
            "The largest number of results.",
            whole_number(1, LIMIT_MAX).default(Some(LIMIT_DEFAULT.into())),
        ),
        optional(
            "skip",
            "How many results to pass over.",
            whole_number(0, SKIP_MAX).default(Some(0.into())),
        ),
    ]
    OncePerKey [
        ParameterBuilder::new()
            .name(IDEMPOTENCY_KEY)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "Sent again under its key, the request is not done again: the reply is the first one's.",
            ))
            .schema(Some(text().pattern(Some(KEY)).max_length(Some(255)).examples(["8e03978e-40d5-43e8-bc93-6894a57f9324"])))
            .build(),
    ]
    Picked [optional("fields", FIELDS, text())]
    Columns [optional("columns", FIELDS, text())]
    Searched [
        optional(
            "filters",
            "A JSON list of `{\"field\", \"operator\", \"value\"}`, all of which must hold: \
             `$eq $not $gt $gte $lt $lte $between $in $contains $notcontains`. An object of fields and \
             values asks for equality.",
            text().examples([r#"[{"field": "status", "operator": "$eq", "value": "confirmed"}]"#]),
        ),
        optional("sort", SORT, text()),
    ]
    ListingSearch [
        ids("ids", "Only these."),
        ids("nids", "Not these."),
        optional(
            "q",
            "A text in the title, nickname, internal note or address.",
            text().max_length(Some(TEXT_MAX)),
        ),
        optional("city", "The city of the address.", text()),
        optional("tags", "Tags, separated by commas: those that have all of them.", text()),
        optional("active", "Whether they are in use.", flag().default(Some(true.into()))),
        optional("listed", "Whether they are offered.", flag()),
        optional("sort", SORT, text().default(Some("title".into()))),
    ]
}

const FIELDS: &str = "Dotted paths of what to show, separated by blanks or commas, such as \
                      `status money.payments`: the reply then has only these, and `_id`. Without it, \
                      everything.";

const SORT: &str = "Fields to sort by, separated by blanks or commas; `-` before one sorts down.";

/// Something's place in a path.
fn place<Id: ToSchema>(name: &str, about: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(Ref::from_schema_name(Id::name())))
        .build()
}

pub(super) fn optional(name: &str, about: &str, schema: impl Into<RefOr<Schema>>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

/// Separated by commas; the other ways of writing lists are taken, too.
fn ids(name: &str, about: &str) -> Parameter {
    let id = text().pattern(Some("^[0-9a-fA-F]{24}$"));
    let mut parameter = optional(name, about, ArrayBuilder::new().items(id));
    parameter.style = Some(ParameterStyle::Form);
    parameter.explode = Some(false);
    parameter
}

pub(super) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn flag() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

#[expect(clippy::cast_precision_loss, reason = "the bounds are small")]
pub(super) fn whole_number(least: i64, most: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least as f64))
        .maximum(Some(most as f64))
}
