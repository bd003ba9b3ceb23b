//! Names that processors give to their things, and the one that we give to an attempt. They are the
//! processor's texts: nobody but the processor reads anything into them.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

names! {
    /// The caller's own name for one attempt to move money, unique for a merchant: the same key
    /// never moves money twice. At most 255 characters.
    AttemptKey,
    /// A merchant's account with a processor, such as `1387`.
    MerchantId,
    /// A stored payment method in the processor's vault.
    MethodToken,
    /// A processor's payout to a merchant, such as `1387001136900000001`.
    PayoutId,
    /// A merchant's account in one currency, such as `1387.2`.
    SubAccountId,
    /// A processor's transaction, such as `1387001358100142998`.
    TransactionId,
}
