//! A row of the payouts report, as it is printed.

use std::borrow::Cow;

use contract::Timestamp;
use contract::payout::PayoutActivity;
use contract::report::ReportAmount;
use money::Money;

use super::report::money;
use crate::Error;
use crate::store::payout::{ADJUSTMENT, FEE, RESERVE_HELD, RESERVE_RELEASED, TRANSACTION};
use crate::store::payout_row::{Line, Payout, PayoutRow};
use crate::store::transaction::Transaction;

/// How merchants are paid.
const METHOD: &str = "ACH";
/// The only processor that there is so far.
const PROCESSOR: &str = "Sandbox";
/// What all payments are to GuestyPay.
const PAYMENT_TYPE: &str = "Regular";
/// What fees are listed under.
const FEE_GROUP: &str = "Transaction Fees";
/// Who bears fees.
const FEE_TARGET: &str = "Merchant";
/// What an adjustment in a payout is.
const ADJUSTED: &str = "Processed";

/// All of a row but the names of its accounts.
pub(super) fn print(row: PayoutRow, as_text: bool) -> Result<PayoutActivity, Error> {
    let PayoutRow {
        payout,
        line,
        transaction,
    } = row;
    let mut entry = of_payout(payout)?;
    let amount = money(line.amount_minor, &entry.currency)?;
    entry.activity_amount = amount.fixed();
    if let Some(transaction) = transaction {
        relate(&mut entry, &transaction)?;
        match line.activity.as_str() {
            TRANSACTION => show(&mut entry, transaction, as_text)?,
            FEE => entry.fee_source = Some(transaction.kind),
            _ => {}
        }
    }
    describe(&mut entry, line, amount)?;
    Ok(entry)
}

fn of_payout(payout: Payout) -> Result<PayoutActivity, Error> {
    Ok(PayoutActivity {
        payout_amount: money(payout.amount_minor, &payout.currency)?.fixed(),
        payout_id: payout.id,
        payout_process_date: payout.process_ms.to_report_text(),
        payout_reject_or_return_date: payout.rejected_ms.map(Timestamp::to_report_text),
        payout_name: match payout.reissue_of {
            Some(rejected) => Cow::Owned(format!("Re-issue of {rejected}")),
            None => Cow::Borrowed("Payout"),
        },
        payout_descriptor: payout.descriptor,
        payout_method: METHOD,
        payout_status: payout.status,
        payout_authorization_or_error_code: Some(payout.code).filter(|code| !code.is_empty()),
        payout_processor: PROCESSOR,
        currency: payout.currency,
        ..PayoutActivity::default()
    })
}

/// What is said of the transaction that a row is, or belongs to.
fn relate(entry: &mut PayoutActivity, transaction: &Transaction) -> Result<(), Error> {
    let amount = money(transaction.amount_minor, &transaction.currency)?;
    let code = Some(&transaction.confirmation_code).filter(|code| !code.is_empty());
    entry.merchant_transaction_id = transaction.case_id.as_ref().or(code).cloned();
    entry.transaction_system_date = Some(transaction.system_ms.to_report_text());
    entry.transaction_merchant_date = Some(transaction.merchant_ms.to_report_text());
    entry.transaction_processor_date = Some(transaction.system_ms.to_report_text());
    entry.payment_type = Some(PAYMENT_TYPE);
    entry.transaction_payment_method = Some(transaction.payment_method.clone());
    entry.transaction_amount = Some(amount.fixed());
    entry.transaction_processor = Some(PROCESSOR);
    Ok(())
}

/// What the guide says of a transaction, in the row that it is.
fn show(entry: &mut PayoutActivity, transaction: Transaction, as_text: bool) -> Result<(), Error> {
    let amount = money(transaction.amount_minor, &transaction.currency)?;
    entry.transaction_type = Some(transaction.kind);
    entry.reservation_confirmation_code = Some(transaction.confirmation_code);
    entry.amount = Some(ReportAmount::new(amount, as_text));
    entry.last4 = Some(transaction.last4);
    entry.bin = Some(transaction.bin);
    entry.merchant_date = Some(transaction.merchant_ms.to_report_text());
    entry.system_date = Some(transaction.system_ms.to_report_text());
    entry.payment_method = Some(transaction.payment_method);
    entry.processor_arn = transaction.arn;
    entry.dynamic_descriptor = Some(transaction.descriptor);
    entry.status = Some(transaction.status);
    entry.authorization_or_error_code = Some(transaction.code);
    Ok(())
}

/// What a row's activity says of itself.
fn describe(entry: &mut PayoutActivity, line: Line, amount: Money) -> Result<(), Error> {
    let settled = line.settled_ms.to_report_text();
    let reserve = line.reserve_ms.map(Timestamp::to_report_text);
    match line.activity.as_str() {
        TRANSACTION => {
            entry.settlement_date = Some(settled);
            entry.transaction_id.clone_from(&line.transaction_id);
        }
        FEE => describe_fee(entry, line.detail.as_deref(), amount)?,
        RESERVE_HELD => {
            entry.reserve_collection_date = Some(settled);
            entry.reserve_release_date = reserve;
        }
        RESERVE_RELEASED => {
            entry.reserve_collection_date = reserve;
            entry.reserve_release_date = Some(settled);
            entry.reserve_release_type = line.detail;
            entry.reserve_release_amount = Some(amount.fixed());
        }
        ADJUSTMENT => {
            entry.adjustment_id = line.adjustment_id;
            entry.adjustment_date = Some(settled);
            entry.adjustment_category = line.adjustment_category;
            entry.adjustment_type = Some(if amount.is_negative() {
                "Debit"
            } else {
                "Credit"
            });
            entry.adjustment_status = Some(ADJUSTED);
            entry.adjustment_amount = Some(amount.fixed());
        }
        other => return Err(Error::Corrupt(format!("activity {other} of a payout"))),
    }
    entry.processor_transaction_id = line.transaction_id;
    entry.activity_type = line.activity;
    Ok(())
}

fn describe_fee(entry: &mut PayoutActivity, fee: Option<&str>, amount: Money) -> Result<(), Error> {
    let (name, kind, category) = match fee {
        Some("Percentage") => ("Percentage Fee", "Percentage", "Processing"),
        Some("Fixed") => ("Fixed Fee", "Fixed", "Processing"),
        Some("Dispute") => ("Dispute Fee", "Fixed", "Dispute"),
        other => return Err(Error::Corrupt(format!("fee {other:?} of a payout"))),
    };
    let fee = amount
        .negated()
        .map_err(|error| Error::Corrupt(error.to_string()))?;
    entry.fee_name = Some(name);
    entry.fee_type = Some(kind);
    entry.fee_category = Some(category);
    entry.fee_group_name = Some(FEE_GROUP);
    entry.fee_amount = Some(fee.fixed());
    entry.fee_target = Some(FEE_TARGET);
    Ok(())
}
