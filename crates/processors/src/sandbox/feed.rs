//! The feed of a sub-account's transactions, for reports.

use diesel::prelude::*;
use store::Connection;

use super::account::Account;
use super::brand;
use super::halt::Halt;
use super::tables::{method, transaction};
use super::transaction::Transaction;
use crate::{AttemptKey, Cursor, SubAccountId, TransactionId, TransactionKind, TransactionRecord};

/// A page of a sub-account's feed.
pub(crate) fn after(
    c: &mut Connection,
    account: &Account,
    after: Cursor,
    limit: usize,
) -> Result<Vec<TransactionRecord>, Halt> {
    let rows: Vec<(Transaction, (String, String, String))> = transaction::table
        .inner_join(method::table.on(method::token.eq(transaction::method)))
        .filter(transaction::sub_account.eq(&account.id))
        .filter(transaction::position.gt(after.0))
        .order(transaction::position)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((
            transaction::all_columns,
            (method::brand, method::bin, method::last4),
        ))
        .load(c)?;
    Ok(rows
        .into_iter()
        .map(|(row, card)| record(account, row, card))
        .collect())
}

fn record(
    account: &Account,
    row: Transaction,
    (network, bin, last4): (String, String, String),
) -> TransactionRecord {
    TransactionRecord {
        position: Cursor(row.position),
        id: row.public_id(),
        sub_account: SubAccountId::new(&account.id),
        arn: arn(&row, &bin),
        amount: row.amount(account),
        key: AttemptKey::new(row.attempt_key),
        original: row.original_id.map(|id| TransactionId::new(id.to_string())),
        kind: row.kind,
        status: row.status,
        last4,
        bin,
        payment_method: brand::name(&network).to_owned(),
        confirmation_code: row.confirmation_code,
        merchant_at: row.merchant_at,
        system_at: row.system_at,
        settled_at: row.settled_at,
        dynamic_descriptor: account.descriptor.clone(),
        authorization_or_error_code: row.authorization_or_error_code,
        case_id: row.case_id,
    }
}

/// The acquirer's reference number of what goes through clearing: 23 digits, of which the last
/// checks the others.
fn arn(row: &Transaction, bin: &str) -> Option<String> {
    use TransactionKind::{Capture, Charge, Credit, Refund};

    let clears = matches!(row.kind.whole(), Charge | Capture | Refund | Credit);
    (clears && row.is_approved()).then(|| {
        let day = row.system_at.to_datetime().format("%y%j").to_string();
        let digits = format!("7{bin}{}{:011}", &day[1..], row.id % 100_000_000_000);
        format!("{digits}{}", luhn(&digits))
    })
}

/// The digit that makes a number pass the check of card numbers.
fn luhn(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            if place % 2 == 0 {
                digit * 2 / 10 + digit * 2 % 10
            } else {
                digit
            }
        })
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_card_numbers() {
        // The textbook's example: 7992739871 is completed by a 3.
        assert_eq!(luhn("7992739871"), 3);
    }
}
