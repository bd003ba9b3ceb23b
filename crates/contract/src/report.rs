//! What the reports on GuestyPay's books have in common on the wire.

use money::{Fixed, FixedText, Money};
use serde::Serialize;
use utoipa::ToSchema;

/// An amount with all the digits that its currency has. The documents show a number, the published
/// schema wants a string; a setting of the server decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ReportAmount {
    /// `1000.00`
    Number(Fixed),
    /// `"1000.00"`
    Text(FixedText),
}

impl ReportAmount {
    /// The amount in either form.
    pub fn new(amount: Money, as_text: bool) -> Self {
        if as_text {
            Self::Text(FixedText(amount))
        } else {
            Self::Number(Fixed(amount))
        }
    }
}
