//! Object ids: 24 lower-case hexadecimal digits, one type for each kind of object.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// Length of an id in characters.
pub const LENGTH: usize = 24;

/// A text that is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an id: ids are 24 hexadecimal digits")]
pub struct InvalidId(String);

/// An id of any kind, 24 hexadecimal digits, kept as the text that it is on the wire and in the
/// database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-fA-F]{24}$", example = "64da254383ad1500284bd0c0")]
#[cfg_attr(
    feature = "diesel",
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
    diesel(sql_type = diesel::sql_types::Text)
)]
pub struct ObjectId([u8; LENGTH]);

impl ObjectId {
    /// Makes an id from its twelve bytes.
    pub fn from_bytes(bytes: [u8; 12]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'0'; LENGTH];
        for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Self(text)
    }

    /// The 24 digits.
    pub fn as_str(&self) -> &str {
        // The constructors admit ASCII digits only, so this never takes the default.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for ObjectId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits: [u8; LENGTH] = text
            .as_bytes()
            .try_into()
            .map_err(|_| InvalidId(shown(text)))?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(InvalidId(shown(text)));
        }
        Ok(Self(digits.map(|digit| digit.to_ascii_lowercase())))
    }
}

/// What of a wrong text an error message repeats: it may be as long as a request.
fn shown(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "diesel")]
mod sql {
    use diesel::backend::Backend;
    use diesel::deserialize::{self, FromSql};
    use diesel::serialize::{self, Output, ToSql};
    use diesel::sql_types::Text;

    use super::ObjectId;

    impl<DB: Backend> ToSql<Text, DB> for ObjectId
    where
        str: ToSql<Text, DB>,
    {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
            self.as_str().to_sql(out)
        }
    }

    impl<DB: Backend> FromSql<Text, DB> for ObjectId
    where
        String: FromSql<Text, DB>,
    {
        fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
            Ok(String::from_sql(bytes)?.parse()?)
        }
    }
}

/// Declares an id type of its own for each kind of object, so that one cannot be taken for another.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $example:literal),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[cfg_attr(
            feature = "diesel",
            derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow),
            diesel(sql_type = diesel::sql_types::Text)
        )]
        #[serde(transparent)]
        #[schema(
            value_type = String,
            pattern = "^[0-9a-fA-F]{24}$",
            example = $example
        )]
        pub struct $name(pub ObjectId);

        impl $name {
            /// The 24 digits.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<ObjectId> for $name {
            fn from(id: ObjectId) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        #[cfg(feature = "diesel")]
        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, DB>,
            ) -> diesel::serialize::Result {
                self.0.as_str().to_sql(out)
            }
        }

        #[cfg(feature = "diesel")]
        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(Self(String::from_sql(bytes)?.parse()?))
            }
        }
    )+};
}

ids! {
    /// A property manager's account: the tenant.
    AccountId = "5213a2d206112710005d96ff",
    /// A property for rent.
    ListingId = "64da223eb3de7a002a462fcc",
    /// A person who stays or pays.
    GuestId = "64da2084867c12ee0c2ca47f",
    /// A stay, and the folio that its charges and payments stand on.
    ReservationId = "64da254383ad1500284bd0c0",
    /// A payment, planned or made, on a reservation.
    PaymentId = "64da254383ad1500284bd0c0",
    /// One call of a processor for a payment.
    AttemptId = "64da254383ad1500284bd0c0",
    /// A refund of a payment, planned or made.
    RefundId = "64da254383ad1500284bd0c0",
    /// A subscription to what happens in an account.
    WebhookId = "64da254383ad1500284bd0c0",
    /// A message sent to a subscriber, once.
    WebhookAttemptId = "64da254383ad1500284bd0c0",
    /// A capture of an authorization hold.
    CaptureId = "64da254383ad1500284bd0c0",
    /// A guest's stored payment method.
    PaymentMethodId = "64da2367d8d9771c02befbb2",
    /// An account's connection to a processor.
    PaymentProviderId = "623833c1486b1c0033604efc",
    /// A line of a reservation's invoice.
    InvoiceItemId = "64da254383ad1500284bd0c0",
    /// A tax of the catalog.
    TaxId = "64da254383ad1500284bd0c0",
    /// An additional fee of the catalog.
    FeeId = "64da254383ad1500284bd0c0",
    /// Connections whose books are kept together.
    PortfolioId = "64da254383ad1500284bd0c0",
    /// A connection of the books to an account.
    ConnectionId = "64da254383ad1500284bd0c0",
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_and_text_tell_the_same_id(bytes: [u8; 12]) {
            let id = ObjectId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse::<ObjectId>().unwrap(), id);
            prop_assert_eq!(id.as_str().to_uppercase().parse::<ObjectId>().unwrap(), id);
        }

        #[test]
        fn ids_stand_in_the_order_of_their_bytes_and_of_their_texts(a: [u8; 12], b: [u8; 12]) {
            let (first, second) = (ObjectId::from_bytes(a), ObjectId::from_bytes(b));
            prop_assert_eq!(first.cmp(&second), a.cmp(&b));
            prop_assert_eq!(first.as_str().cmp(second.as_str()), a.cmp(&b));
        }

        #[test]
        fn anything_but_24_digits_is_refused(text in "\\PC{0,40}") {
            let is_id = text.len() == 24 && text.chars().all(|c| c.is_ascii_hexdigit());
            prop_assert_eq!(text.parse::<ObjectId>().is_ok(), is_id);
        }
    }

    #[test]
    fn a_refusal_repeats_a_long_text_only_in_part() {
        let error = "é".repeat(1_000_000).parse::<ObjectId>().unwrap_err();
        assert!(error.to_string().len() < 200);
    }

    #[test]
    fn json_has_ids_as_texts_of_24_digits_alone() {
        let id: PaymentId = serde_json::from_str("\"64DA246C7A5A2D00331A5B1C\"").unwrap();
        assert_eq!(
            serde_json::to_string(&id).unwrap(),
            "\"64da246c7a5a2d00331a5b1c\""
        );
        for json in ["\"64da246c7a5a2d00331a5b1\"", "\"\"", "null", "24", "[]"] {
            assert!(serde_json::from_str::<PaymentId>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_refusal_repeats_the_text_and_says_what_an_id_is() {
        let error = "abc".parse::<PaymentId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"abc\" is not an id: ids are 24 hexadecimal digits"
        );
    }
}
