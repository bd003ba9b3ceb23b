//! What Stripe's objects have in common: ids, the card, the holder, and why a card was declined.

use money::Money;
use serde_json::{Value, json};

use crate::sandbox::account::Account;
use crate::sandbox::declines::Decline;
use crate::sandbox::method::Method;
use crate::sandbox::operation::Posted;
use crate::sandbox::transaction::Transaction;
use crate::sandbox::{names, stripe_amount};
use crate::{Address, Order};

/// A transaction in Stripe's terms: it acts on the PaymentIntent that its original began.
pub(super) struct Scene<'a> {
    pub(super) account: &'a Account,
    pub(super) method: &'a Method,
    /// What was done now.
    pub(super) transaction: &'a Transaction,
    /// What began the PaymentIntent: the charge or the hold.
    pub(super) root: &'a Transaction,
    pub(super) order: Order,
}

impl<'a> Scene<'a> {
    pub(super) fn new(account: &'a Account, posted: &'a Posted) -> Result<Self, serde_json::Error> {
        let root = posted.original.as_ref().unwrap_or(&posted.transaction);
        let order = root
            .order_json
            .as_deref()
            .map_or(Ok(Order::default()), serde_json::from_str)?;
        Ok(Self {
            account,
            method: &posted.method,
            transaction: &posted.transaction,
            root,
            order,
        })
    }

    pub(super) fn intent_id(&self) -> String {
        names::stripe("pi_3", &subject(self.root))
    }

    pub(super) fn charge_id(&self) -> String {
        names::stripe("ch_3", &subject(self.root))
    }

    pub(super) fn setup_id(&self) -> String {
        names::stripe("seti_1", &subject(self.transaction))
    }

    pub(super) fn refund_id(&self) -> String {
        names::stripe("re_3", &subject(self.transaction))
    }

    /// The movement on the merchant's balance.
    pub(super) fn balance_transaction_id(&self) -> String {
        names::stripe("txn_3", &subject(self.transaction))
    }

    pub(super) fn fee_id(&self) -> String {
        names::stripe("fee_1", &subject(self.transaction))
    }

    pub(super) fn client_secret(&self, of: &str) -> String {
        format!("{of}_{}", names::stripe("secret_", &subject(self.root)))
    }

    pub(super) fn application_id(&self) -> String {
        names::stripe("ca_", self.account.merchant.to_string().as_bytes())
    }

    pub(super) fn customer_id(&self) -> String {
        names::stripe("cus_", self.method.token.as_str().as_bytes())
    }

    pub(super) fn fingerprint(&self) -> String {
        names::stripe("", self.method.behaviour.name.as_bytes())[..16].to_owned()
    }

    pub(super) fn currency(&self) -> String {
        self.account.currency.code().to_lowercase()
    }

    /// An amount of the sub-account, in Stripe's units.
    pub(super) fn minor(&self, amount_minor: i64) -> i64 {
        stripe_amount::minor(Money::from_minor(amount_minor, self.account.currency))
    }

    pub(super) fn billing_details(&self) -> Value {
        json!({
            "address": self.method.billing.address,
            "email": null,
            "name": self.method.billing.name,
            "phone": null,
        })
    }

    /// What the bank found when it compared what it was told with what it knows.
    pub(super) fn checks(&self) -> Value {
        let Address {
            line1, postal_code, ..
        } = &self.method.billing.address;
        let wrong_cvc = self
            .transaction
            .decline()
            .is_some_and(|decline| decline.code == "incorrect_cvc");
        json!({
            "address_line1_check": line1.as_ref().map(|_| "pass"),
            "address_postal_code_check": postal_code.as_ref().map(|_| "pass"),
            "cvc_check": if wrong_cvc { "fail" } else { "pass" },
        })
    }

    /// The stored method as an object.
    pub(super) fn payment_method(&self) -> Value {
        let card = &self.method.card;
        json!({
            "id": self.method.token.as_str(),
            "object": "payment_method",
            "billing_details": self.billing_details(),
            "card": {
                "brand": card.brand,
                "checks": self.checks(),
                "country": card.country,
                "exp_month": card.exp_month,
                "exp_year": card.exp_year,
                "fingerprint": self.fingerprint(),
                "funding": card.funding,
                "generated_from": null,
                "last4": card.last4,
                "networks": {"available": [card.brand], "preferred": null},
                "three_d_secure_usage": {"supported": true},
                "wallet": null,
            },
            "created": self.root.merchant_at.seconds(),
            "customer": self.customer_id(),
            "livemode": false,
            "metadata": {},
            "type": "card",
        })
    }

    /// Why a card was declined, as the last error of an intent.
    pub(super) fn error(&self, decline: &Decline, charge: Option<&str>) -> Value {
        let mut error = json!({
            "code": decline.code,
            "decline_code": decline.reason_code,
            "doc_url": format!(
                "https://stripe.com/docs/error-codes/{}",
                decline.code.replace('_', "-")
            ),
            "message": decline.message,
            "payment_method": self.payment_method(),
            "type": "card_error",
        });
        if let Some(charge) = charge {
            error["charge"] = charge.into();
        }
        error
    }

    /// Sends the card holder to confirm.
    pub(super) fn redirect(url: &str) -> Value {
        json!({
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": null, "url": url},
        })
    }
}

/// What an id stands for. The instant keeps apart two databases that count from the same number.
fn subject(transaction: &Transaction) -> [u8; 16] {
    let mut subject = [0; 16];
    subject[..8].copy_from_slice(&transaction.id.to_be_bytes());
    subject[8..].copy_from_slice(&transaction.merchant_at.millis().to_be_bytes());
    subject
}
