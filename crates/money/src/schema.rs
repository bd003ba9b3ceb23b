//! How amounts and currencies are described to clients: numbers without a float's format, so that
//! no generated client rounds by it.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::{Currency, Decimal, Fixed, FixedText};

macro_rules! described {
    ($($kind:ident: $json:ident, $example:expr, $about:expr $(, $pattern:literal)?;)+) => {$(
        impl PartialSchema for $kind {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::$json)
                    .description(Some($about))
                    $(.pattern(Some($pattern)))?
                    .examples([serde_json::Value::from($example)])
                    .into()
            }
        }

        impl ToSchema for $kind {}
    )+};
}

described! {
    Decimal: Number, 100,
        "An exact decimal number in its shortest form: read it as a decimal, not as a float. Of money, \
         major units with no more digits than the currency has, and without an exponent.";
    Fixed: Number, 100,
        "An exact decimal number with all the digits that its currency has, as in 1000.00.";
    FixedText: String, "1000.00",
        "An exact decimal number, as a text, with all the digits that its currency has.",
        r"^-?\d+(\.\d+)?$";
    Currency: String, "USD",
        "A currency by its ISO 4217 code.", "^[A-Z]{3}$";
}
