//! How texts with a form of their own are described to clients. Everything else describes itself by
//! its fields.

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::Timestamp;
use crate::invoice::{ADDITIONAL_FEES, NORMAL_TYPES};
use crate::local::{LocalDate, LocalTime};
use crate::tax::MonthDay;

/// A text of a form, with an example and what is to be said of it.
fn text(example: &str, about: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(about))
        .examples([Value::from(example)])
}

fn format(name: &str) -> SchemaFormat {
    SchemaFormat::Custom(name.to_owned())
}

/// The kinds of invoice items.
pub(crate) fn normal_type() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("What kind it is."))
        .enum_values(Some(NORMAL_TYPES))
        .build()
}

/// The kinds of additional fees, where one may be named.
pub(crate) fn additional_fee() -> Object {
    let none = [Value::Null];
    let kinds = ADDITIONAL_FEES.into_iter().map(Value::from).chain(none);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some("Which additional fee it is."))
        .enum_values(Some(kinds))
        .build()
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        let about = "An instant in UTC, to the millisecond. In requests a date alone is its midnight, \
                     a zone may be given, and years are those from 1970 to 9999.";
        text("2023-08-14T13:05:00.263Z", about)
            .format(Some(format("date-time")))
            .into()
    }
}

impl PartialSchema for LocalDate {
    fn schema() -> RefOr<Schema> {
        text("2023-05-30", "A date by the property's own calendar.")
            .format(Some(format("date")))
            .into()
    }
}

impl PartialSchema for LocalTime {
    fn schema() -> RefOr<Schema> {
        text(
            "15:00",
            "A time of day by the property's own clock, to the minute.",
        )
        .pattern(Some(r"^([01]\d|2[0-3]):[0-5]\d$"))
        .into()
    }
}

impl PartialSchema for MonthDay {
    fn schema() -> RefOr<Schema> {
        text("12-31", "A day of every year.")
            .pattern(Some(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"))
            .into()
    }
}

impl ToSchema for Timestamp {}
impl ToSchema for LocalDate {}
impl ToSchema for LocalTime {}
impl ToSchema for MonthDay {}
