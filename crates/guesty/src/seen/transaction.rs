//! The payment transactions report.

use money::{Currency, Decimal};
use serde::{Deserialize, Serialize};

use super::report_time::ReportTime;
use crate::field::Field;

/// A transaction, as the processor has it on record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Transaction {
    /// The processor's id of it.
    pub transaction_id: Field<String>,
    /// The reservation's code.
    pub reservation_confirmation_code: Field<String>,
    /// How much.
    pub amount: Field<Decimal>,
    /// The currency.
    pub currency: Field<Currency>,
    /// The card's last four digits; a source that prints them as a number loses leading zeros.
    pub last4: Field<String>,
    /// The card's first six digits.
    pub bin: Field<String>,
    /// The processing account: `1387.2 - My Company - GBP`.
    pub sub_account: Field<String>,
    /// When the merchant asked.
    pub merchant_date: Field<ReportTime>,
    /// When the processor processed it.
    pub system_date: Field<ReportTime>,
    /// When it was settled.
    pub settlement_date: Field<ReportTime>,
    /// The card's network.
    pub payment_method: Field<String>,
    /// The acquirer's reference.
    #[serde(rename = "processorARN")]
    pub processor_arn: Field<String>,
    /// What the guest's statement says.
    pub dynamic_descriptor: Field<String>,
    /// `Processed` or `Declined`.
    pub status: Field<String>,
    /// `Charge`, `Refund`, …
    pub transaction_type: Field<String>,
    /// The code of the authorization or of the error.
    pub authorization_or_error_code: Field<String>,
}
