//! The payouts reconciliation report. The guide and the schema show different rows; this has the
//! fields of both.

use money::{Currency, Decimal};
use serde::{Deserialize, Serialize};

use super::report_time::ReportTime;
use crate::field::Field;

/// What one activity adds to a payout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PayoutRow {
    /// The payout's id.
    pub payout_id: Field<String>,
    /// When it was sent.
    pub payout_process_date: Field<ReportTime>,
    /// When the bank sent it back.
    pub payout_reject_or_return_date: Field<ReportTime>,
    /// What it is called.
    pub payout_name: Field<String>,
    /// What the bank statement says.
    pub payout_descriptor: Field<String>,
    /// `ACH`, …
    pub payout_method: Field<String>,
    /// The whole of it.
    pub payout_amount: Field<Decimal>,
    /// `Processed`, `Rejected by Processor`, …
    pub payout_status: Field<String>,
    /// The bank's code.
    pub payout_authorization_or_error_code: Field<String>,
    /// Who pays.
    pub payout_processor: Field<String>,
    /// What the row is about: a transaction, a fee, a reserve, an adjustment.
    pub activity_type: Field<String>,
    /// What the row adds to the payout.
    pub activity_amount: Field<Decimal>,
    /// When it was settled.
    pub settlement_date: Field<ReportTime>,
    /// The transaction.
    pub transaction_id: Field<String>,
    /// The reservation's confirmation code; of a chargeback, the case.
    pub merchant_transaction_id: Field<String>,
    /// The processor's other id of it.
    pub processor_transaction_id: Field<String>,
    /// When the processor processed it.
    pub transaction_system_date: Field<ReportTime>,
    /// When the merchant asked.
    pub transaction_merchant_date: Field<ReportTime>,
    /// When the acquirer had it.
    pub transaction_processor_date: Field<ReportTime>,
    /// `Charge`, `Refund`, …
    pub transaction_type: Field<String>,
    /// How it was paid.
    pub payment_type: Field<String>,
    /// The card's network.
    pub transaction_payment_method: Field<String>,
    /// The whole transaction.
    pub transaction_amount: Field<Decimal>,
    /// Who processed it.
    pub transaction_processor: Field<String>,
    /// What the fee is called.
    pub fee_name: Field<String>,
    /// What kind of fee.
    pub fee_type: Field<String>,
    /// Of which category.
    pub fee_category: Field<String>,
    /// Of which group.
    pub fee_group_name: Field<String>,
    /// The fee.
    pub fee_amount: Field<Decimal>,
    /// Who takes it.
    pub fee_source: Field<String>,
    /// Who bears it.
    pub fee_target: Field<String>,
    /// When the reserve was held back.
    pub reserve_collection_date: Field<ReportTime>,
    /// When it is released.
    pub reserve_release_date: Field<ReportTime>,
    /// How it is released.
    pub reserve_release_type: Field<String>,
    /// How much of it.
    pub reserve_release_amount: Field<Decimal>,
    /// The adjustment's id.
    pub adjustment_id: Field<String>,
    /// When it was made.
    pub adjustment_date: Field<ReportTime>,
    /// Of which category.
    pub adjustment_category: Field<String>,
    /// Of what kind.
    pub adjustment_type: Field<String>,
    /// What it is called.
    pub adjustment_name: Field<String>,
    /// On which method.
    pub adjustment_payment_method: Field<String>,
    /// Where it stands.
    pub adjustment_status: Field<String>,
    /// How much.
    pub adjustment_amount: Field<Decimal>,
    /// What the processor counts as paid out.
    pub payout_value: Field<Decimal>,
    /// A limit as a percentage.
    pub percentage_limit: Field<String>,
    /// What was held back for it.
    pub percentage_limit_adjustment_value: Field<Decimal>,
    /// A limit as an amount.
    pub amount_limit: Field<Decimal>,
    /// What was held back for it.
    pub amount_limit_adjustment_value: Field<Decimal>,
    /// The limit that held.
    pub active_limit: Field<String>,
    /// The currency.
    pub currency: Field<Currency>,
    /// The processing account: `1387.2 - My Company - GBP`.
    pub sub_account: Field<String>,
    /// The account at the source.
    pub platform_account: Field<String>,
    /// The reservation's code, where the guide's row has it.
    pub reservation_confirmation_code: Field<String>,
    /// The transaction's amount, where the guide's row has it.
    pub amount: Field<Decimal>,
    /// The card's last four digits.
    pub last4: Field<String>,
    /// The card's first six digits.
    pub bin: Field<String>,
    /// When the merchant asked.
    pub merchant_date: Field<ReportTime>,
    /// When the processor processed it.
    pub system_date: Field<ReportTime>,
    /// The card's network.
    pub payment_method: Field<String>,
    /// The acquirer's reference.
    #[serde(rename = "processorARN")]
    pub processor_arn: Field<String>,
    /// What the guest's statement says.
    pub dynamic_descriptor: Field<String>,
    /// Whether the transaction was processed.
    pub status: Field<String>,
    /// The code of the authorization or of the error.
    pub authorization_or_error_code: Field<String>,
}
