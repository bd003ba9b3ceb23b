//! The payment transactions report on the wire.

use serde::Serialize;
use utoipa::ToSchema;

use crate::report::ReportAmount;

/// A row of the report: a transaction as GuestyPay's books have it.
///
/// Dates are in UTC, to the second and without a zone: `2025-09-15T02:20:45`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// The processor's id of it: `1387001358100142998`.
    pub transaction_id: String,
    /// The reservation's code; empty when it belongs to none.
    pub reservation_confirmation_code: String,
    /// How much, never negative: the type says which way.
    pub amount: ReportAmount,
    /// The currency's ISO 4217 code.
    pub currency: String,
    /// The card's last four digits, with leading zeros.
    pub last4: String,
    /// The card's first six digits.
    pub bin: String,
    /// The processing account: `1387.2 - My Company - GBP`.
    pub sub_account: String,
    /// When the merchant asked.
    pub merchant_date: String,
    /// When the processor processed it.
    pub system_date: String,
    /// When it was settled; null until then.
    pub settlement_date: Option<String>,
    /// The card's network: `Visa`.
    pub payment_method: String,
    /// The acquirer's reference; null for what never goes through clearing.
    #[serde(rename = "processorARN")]
    pub processor_arn: Option<String>,
    /// What the guest's statement says.
    pub dynamic_descriptor: String,
    /// `Processed` or `Declined`.
    pub status: String,
    /// `Verify`, `Authorization`, `Charge`, …
    pub transaction_type: String,
    /// The authorization code of what was processed, the error's number of what was declined.
    pub authorization_or_error_code: String,
}
