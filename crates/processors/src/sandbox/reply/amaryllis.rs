//! GuestyPay's reply to a transaction. The protocol's fields are public, the reply's full form is
//! not: these are the documented fields of the reply, and of the request that it answers.

use serde_json::{Value, json};

use crate::TransactionKind;
use crate::sandbox::account::Account;
use crate::sandbox::operation::Posted;

/// Words that the protocol uses but does not publish; the reports' names of the same things.
const fn instruction(kind: TransactionKind) -> &'static str {
    kind.name()
}

pub(super) fn reply(account: &Account, posted: &Posted) -> Value {
    let Posted {
        transaction,
        original,
        method,
        ..
    } = posted;
    let approved = transaction.is_approved();
    let error_id = transaction
        .decline()
        .map_or("0", |decline| decline.error_id);
    let authorization_code = approved.then_some(&transaction.authorization_or_error_code);
    let refunds = matches!(
        transaction.kind.whole(),
        TransactionKind::Refund | TransactionKind::Credit
    );
    json!({
        "SuccessFlag": approved,
        "TransactionID": transaction.id.to_string(),
        "ErrorID": error_id,
        "AuthorizationCode": authorization_code,
        "AccountID": account.merchant.to_string(),
        "SubAccountID": account.number.to_string(),
        "InstructionType": instruction(transaction.kind),
        "OperationType": if refunds { "Credit" } else { "Debit" },
        "OriginalTransactionID": original.as_ref().map_or("0".to_owned(), |it| it.id.to_string()),
        "CustomerOriginatedTxID": transaction.attempt_key,
        "CustomerDateTime": transaction.merchant_at.to_report_text(),
        "Amount": transaction.amount(account).fixed(),
        "CurrencyType": account.currency.code(),
        "PaymentMethodType": "CreditCard",
        "PaymentMethodToken": method.token.as_str(),
        "DynamicDescriptor": account.descriptor,
        "MerchantFreeText": transaction.confirmation_code,
    })
}
