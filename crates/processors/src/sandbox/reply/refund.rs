//! A Refund of 2023.

use serde_json::{Value, json};

use super::stripe::Scene;

pub(super) fn render(scene: &Scene<'_>) -> Value {
    let approved = scene.transaction.is_approved();
    let mut refund = json!({
        "id": scene.refund_id(),
        "object": "refund",
        "amount": scene.minor(scene.transaction.amount_minor),
        "balance_transaction": approved.then(|| scene.balance_transaction_id()),
        "charge": scene.charge_id(),
        "created": scene.transaction.merchant_at.seconds(),
        "currency": scene.currency(),
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": {},
        "payment_intent": scene.intent_id(),
        "reason": "requested_by_customer",
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": if approved { "succeeded" } else { "failed" },
        "transfer_reversal": null,
    });
    if !approved {
        refund["failure_reason"] = "declined".into();
    }
    refund
}
