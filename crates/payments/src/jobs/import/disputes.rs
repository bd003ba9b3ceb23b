//! What subscribers are told of disputes: a processor reports them by itself, so the import is where
//! the platform hears of them.

use contract::id::AccountId;
use processors::{TransactionKind, TransactionRecord};
use serde_json::json;
use store::Connection;

use crate::Error;
use crate::store::event::{self, DomainEvent};
use crate::store::transaction;

/// Tells of each chargeback and each reversal among transactions that were just kept for the first
/// time, so of each once. Not of a sale that no payment of the account was made with: merchants can
/// have other accounts.
pub(super) fn tell(
    connection: &mut Connection,
    account: AccountId,
    new: &[&TransactionRecord],
) -> Result<(), Error> {
    for record in new {
        let Some(event) = dispute(connection, account, record)? else {
            continue;
        };
        event::record(connection, account, &event, record.merchant_at)?;
    }
    Ok(())
}

fn dispute(
    connection: &mut Connection,
    account: AccountId,
    record: &TransactionRecord,
) -> Result<Option<DomainEvent>, Error> {
    use TransactionKind::{Chargeback, ReversalChargeback};

    if !matches!(record.kind, Chargeback | ReversalChargeback) {
        return Ok(None);
    }
    let found = match &record.original {
        Some(sale) => transaction::payment_of(connection, account, sale)?,
        None => None,
    };
    Ok(found.map(|(payment, reservation)| DomainEvent {
        kind: "payments.disputes",
        reservation: Some(reservation),
        subject: payment.0,
        body: json!({
            "type": record.kind.name(),
            "amount": record.amount.to_decimal(),
            "currency": record.amount.currency().code(),
            "reason": record.authorization_or_error_code,
            "caseId": record.case_id,
        }),
    }))
}
