//! The payouts reconciliation report on the wire.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::report::ReportAmount;

/// A row of the report: an activity in a payout.
///
/// First the fields of the published schema, in its order; then those that only the guide has. The
/// guide's fields are null in a row that is no transaction, but for the currency and the sub-account.
/// Dates are in UTC, to the second and without a zone: `2025-09-15T02:20:45`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PayoutActivity {
    /// The payout: `1387001136900000001`.
    pub payout_id: String,
    /// When it is, or was, sent to the bank.
    pub payout_process_date: String,
    /// When it was sent back, or declined.
    pub payout_reject_or_return_date: Option<String>,
    /// `Payout`, or `Re-issue of` and the id of the payout that it is sent again for.
    pub payout_name: Cow<'static, str>,
    /// What the bank's statement says.
    pub payout_descriptor: String,
    /// `ACH`.
    pub payout_method: &'static str,
    /// How much; the rows' activity amounts sum to it.
    pub payout_amount: String,
    /// `Processed`, `Pending Due Date`, `Rejected by Processor`, …
    pub payout_status: String,
    /// The processor's code of what was sent, the bank's of what it rejected; null before.
    pub payout_authorization_or_error_code: Option<String>,
    /// Who sends it.
    pub payout_processor: &'static str,
    /// `Transaction`, `Fee`, `Reserve Held`, `Reserve Released` or `Adjustment`.
    pub activity_type: String,
    /// When the transaction was settled.
    pub settlement_date: Option<String>,
    /// The transaction, in a row that is one.
    pub transaction_id: Option<String>,
    /// The reservation's code, in every row that belongs to a transaction of it; the dispute's case in
    /// what belongs to a chargeback or its reversal.
    pub merchant_transaction_id: Option<String>,
    /// The transaction that the row is, or belongs to.
    pub processor_transaction_id: Option<String>,
    /// When the processor got that transaction.
    pub transaction_system_date: Option<String>,
    /// When the merchant asked for it.
    pub transaction_merchant_date: Option<String>,
    /// When it was processed.
    pub transaction_processor_date: Option<String>,
    /// Its type, in a row that is one.
    pub transaction_type: Option<String>,
    /// `Regular`.
    pub payment_type: Option<&'static str>,
    /// The card's network.
    pub transaction_payment_method: Option<String>,
    /// How much that transaction was, never negative.
    pub transaction_amount: Option<String>,
    /// Who processed it.
    pub transaction_processor: Option<&'static str>,
    /// `Percentage Fee`, `Fixed Fee` or `Dispute Fee`.
    pub fee_name: Option<&'static str>,
    /// `Percentage` or `Fixed`.
    pub fee_type: Option<&'static str>,
    /// What the fee is for.
    pub fee_category: Option<&'static str>,
    /// The group that it is listed in.
    pub fee_group_name: Option<&'static str>,
    /// How much the fee is, not negative where it is taken.
    pub fee_amount: Option<String>,
    /// The type of the transaction that it is charged for.
    pub fee_source: Option<String>,
    /// Who bears it.
    pub fee_target: Option<&'static str>,
    /// When a reserve was held.
    pub reserve_collection_date: Option<String>,
    /// When it is, or was, released.
    pub reserve_release_date: Option<String>,
    /// Why it was released: `Scheduled`, `Refund`, …
    pub reserve_release_type: Option<String>,
    /// How much was released.
    pub reserve_release_amount: Option<String>,
    /// The adjustment.
    pub adjustment_id: Option<String>,
    /// When it was made.
    pub adjustment_date: Option<String>,
    /// What for.
    pub adjustment_category: Option<String>,
    /// `Credit`, or `Debit` where it takes away.
    pub adjustment_type: Option<&'static str>,
    /// Null: adjustments have no name.
    pub adjustment_name: (),
    /// Null.
    pub adjustment_payment_method: (),
    /// `Processed`.
    pub adjustment_status: Option<&'static str>,
    /// Null, as the limits that follow: adjustments are sums, not shares of a payout.
    pub payout_value: (),
    /// Null.
    pub percentage_limit: (),
    /// Null.
    pub percentage_limit_adjustment_value: (),
    /// Null.
    pub amount_limit: (),
    /// Null.
    pub amount_limit_adjustment_value: (),
    /// Null.
    pub active_limit: (),
    /// How much was adjusted, with its sign.
    pub adjustment_amount: Option<String>,
    /// What the row adds to the payout; less than nothing for what it takes away.
    pub activity_amount: String,
    /// The payout's currency, by its ISO 4217 code.
    pub currency: String,
    /// The processing account: `1387.2 - My Company - GBP`.
    pub sub_account: String,
    /// The platform's account: its id and its name.
    pub platform_account: String,
    /// The reservation's code; empty when the transaction belongs to none.
    pub reservation_confirmation_code: Option<String>,
    /// The transaction's amount, never negative.
    pub amount: Option<ReportAmount>,
    /// The card's last four digits.
    pub last4: Option<String>,
    /// The card's first six digits.
    pub bin: Option<String>,
    /// When the merchant asked.
    pub merchant_date: Option<String>,
    /// When the processor processed it.
    pub system_date: Option<String>,
    /// The card's network.
    pub payment_method: Option<String>,
    /// The acquirer's reference.
    #[serde(rename = "processorARN")]
    pub processor_arn: Option<String>,
    /// What the guest's statement says.
    pub dynamic_descriptor: Option<String>,
    /// The transaction's status.
    pub status: Option<String>,
    /// The transaction's authorization code.
    pub authorization_or_error_code: Option<String>,
}
