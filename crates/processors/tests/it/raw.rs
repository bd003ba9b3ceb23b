//! Replies in the processors' own words.

use std::collections::BTreeSet;

use processors::sandbox::KnownMethod;
use processors::{Answer, MethodToken, Processor, Shape};
use serde_json::{Value, json};

use crate::bank::{Bank, billing, money, usd};

/// A PaymentIntent as the Open API's documentation prints one.
const DOCUMENTED: &str = include_str!("payment_intent_2023.json");

async fn stripe_visa(bank: &Bank) -> MethodToken {
    let known = KnownMethod {
        token: MethodToken::new("pm_1Nf0FOGfrrmRCKB1k7y7M57E"),
        merchant: bank.merchant.clone(),
        shape: Shape::PaymentIntent,
        card: "pm_card_visa".to_owned(),
        exp_month: 12,
        exp_year: 2026,
        billing: billing(),
    };
    bank.sandbox.store_method(known.clone()).await.unwrap();
    known.token
}

/// Every place where a value differs from the documented one, as JSON pointers.
fn differences(path: &str, documented: &Value, rendered: &Value, found: &mut BTreeSet<String>) {
    match (documented, rendered) {
        (Value::Object(documented), Value::Object(rendered)) => {
            assert!(
                documented.keys().eq(rendered.keys()),
                "keys differ, or their order, in {path}"
            );
            for (key, value) in documented {
                differences(&format!("{path}/{key}"), value, &rendered[key], found);
            }
        }
        (Value::Array(documented), Value::Array(rendered)) => {
            assert_eq!(documented.len(), rendered.len(), "{path}");
            for (index, value) in documented.iter().enumerate() {
                differences(&format!("{path}/{index}"), value, &rendered[index], found);
            }
        }
        _ if documented == rendered => {}
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// Replaces computed ids by their kind: their values mean nothing, that they are there does.
fn redacted(answer: &Answer) -> Value {
    fn redact(value: &mut Value) {
        match value {
            Value::Object(fields) => fields.values_mut().for_each(redact),
            Value::Array(items) => items.iter_mut().for_each(redact),
            Value::String(text) => {
                for prefix in [
                    "pi_3", "ch_3", "re_3", "txn_3", "fee_1", "seti_1", "pm_1", "cus_", "ca_",
                ] {
                    while let Some(start) = text.find(prefix)
                        && text[start..].len() >= prefix.len() + 23
                    {
                        let kind = prefix.split('_').next().unwrap_or_default();
                        let end = start + prefix.len() + 23;
                        text.replace_range(start..end, &format!("[{kind}]"));
                    }
                }
                if let Some(start) = text.find("_secret_") {
                    text.truncate(start + "_secret_".len());
                }
            }
            _ => {}
        }
    }
    let mut raw = answer.raw.clone();
    redact(&mut raw);
    raw
}

store::on_both_engines! {
    async fn a_payment_intent_has_the_documented_keys_in_their_order(bank: Bank) {
        let method = stripe_visa(&bank).await;
        let charged = bank.charge("charge", &method, usd(50_000)).await.unwrap();
        let documented: Value = serde_json::from_str(DOCUMENTED).unwrap();
        let mut found = BTreeSet::new();
        differences("", &documented, &charged.raw, &mut found);
        // All that differs from the documented values: ids, and what this merchant's contract says.
        let charge = "/charges/data/0";
        let expected = [
            "/application".to_owned(),
            "/application_fee_amount".to_owned(),
            format!("{charge}/application"),
            format!("{charge}/application_fee"),
            format!("{charge}/application_fee_amount"),
            format!("{charge}/balance_transaction"),
            format!("{charge}/calculated_statement_descriptor"),
            format!("{charge}/customer"),
            format!("{charge}/id"),
            format!("{charge}/payment_intent"),
            format!("{charge}/payment_method_details/card/fingerprint"),
            format!("{charge}/receipt_url"),
            format!("{charge}/refunds/url"),
            format!("{charge}/statement_descriptor"),
            "/charges/url".to_owned(),
            "/client_secret".to_owned(),
            "/customer".to_owned(),
            "/id".to_owned(),
            "/latest_charge".to_owned(),
            "/statement_descriptor".to_owned(),
        ];
        assert_eq!(found, expected.into());
        assert_eq!(charged.confirmation, charged.raw["id"].as_str().unwrap());
        // 2.9 % of 500.00 and 0.30.
        assert_eq!(charged.raw["application_fee_amount"], 1_480);
    }

    async fn every_state_of_a_payment_intent_has_the_same_keys(bank: Bank) {
        let documented: Value = serde_json::from_str(DOCUMENTED).unwrap();
        let documented: Vec<_> = documented.as_object().unwrap().keys().collect();
        let visa = stripe_visa(&bank).await;
        let declining = bank.method_shaped("pm_card_chargeDeclined", Shape::PaymentIntent).await;
        let asking = bank.method_shaped("pm_card_authenticationRequired", Shape::PaymentIntent);
        let asking = asking.await;
        let hold = bank.hold("hold 1", &visa, usd(1_000)).await.unwrap();
        let released = bank.hold("hold 2", &visa, usd(1_000)).await.unwrap();
        let answers = [
            bank.charge("declined", &declining, usd(1_000)).await.unwrap(),
            bank.charge("asks", &asking, usd(1_000)).await.unwrap(),
            bank.capture("capture", &hold.transaction_id, Some(usd(600))).await.unwrap(),
            bank.void("void", &released.transaction_id).await.unwrap(),
            hold,
        ];
        let statuses = [
            "requires_payment_method",
            "requires_action",
            "succeeded",
            "canceled",
            "requires_capture",
        ];
        for (answer, status) in answers.iter().zip(statuses) {
            assert_eq!(answer.raw["status"], status);
            assert!(answer.raw.as_object().unwrap().keys().eq(documented.iter().copied()));
        }
    }

    async fn a_hold_keeps_one_payment_intent_through_its_life(bank: Bank) {
        let method = stripe_visa(&bank).await;
        let hold = bank.hold("hold", &method, usd(1_000)).await.unwrap();
        let capture = bank.capture("capture", &hold.transaction_id, Some(usd(600))).await.unwrap();
        let refund = bank.refund("refund", &capture.transaction_id, Some(usd(100))).await.unwrap();
        assert_eq!(hold.confirmation, capture.confirmation);
        assert_eq!(refund.raw["payment_intent"], hold.raw["id"]);
        assert_eq!(refund.raw["charge"], hold.raw["latest_charge"]);
        assert_eq!(hold.raw["amount_capturable"], 1_000);
        assert_eq!(hold.raw["amount_received"], 0);
        assert_eq!(capture.raw["amount_capturable"], 0);
        assert_eq!(capture.raw["amount_received"], 600);
        assert_eq!(capture.raw["charges"]["data"][0]["amount_captured"], 600);
    }

    async fn stripes_units_are_stripes(bank: Bank) {
        let currencies = ["JPY", "ISK", "KWD"].map(|code| code.parse().unwrap());
        let merchant = bank.sandbox.open_merchant("Far away", &currencies).await.unwrap();
        let bank = bank.of(merchant);
        let method = stripe_visa(&bank).await;
        for (minor, currency, written) in [(500, "JPY", 500), (500, "ISK", 50_000), (5_120, "KWD", 5_120)] {
            let charged = bank.charge(currency, &method, money(minor, currency)).await.unwrap();
            assert_eq!(charged.raw["amount"], written);
            assert_eq!(charged.raw["amount_received"], written);
        }
    }

    async fn every_charge_is_a_payment_intent_of_its_own(bank: Bank) {
        let method = stripe_visa(&bank).await;
        let mut ids = BTreeSet::new();
        for n in 0..50 {
            let charged = bank.charge(&format!("charge {n}"), &method, usd(100)).await.unwrap();
            ids.insert(charged.confirmation);
        }
        assert_eq!(ids.len(), 50);
        assert!(ids.iter().all(|id| id.starts_with("pi_3") && id.len() == 27));
    }
}

/// The replies in full. The books are the same on both engines, so one is enough.
async fn bank() -> Bank {
    use store::testing::{Engine, Fixture};
    Bank::on(Engine::Sqlite).await
}

/// Printed here, and not by the snapshot library: that does not know exact numbers.
fn printed(raw: &Value) -> String {
    serde_json::to_string_pretty(raw).unwrap()
}

#[tokio::test]
async fn what_stripe_says() {
    let bank = bank().await;
    let visa = stripe_visa(&bank).await;
    let declining = "pm_card_chargeDeclinedInsufficientFunds";
    let declining = bank.method_shaped(declining, Shape::PaymentIntent).await;
    let asking = "pm_card_authenticationRequired";
    let asking = bank.method_shaped(asking, Shape::PaymentIntent).await;
    let verify = bank.verify("verify", "pm_card_visa", Shape::PaymentIntent);
    let verified = bank.sandbox.verify(verify).await.unwrap();
    let verify = bank.verify("no", "pm_card_verifyDeclined", Shape::PaymentIntent);
    let not_verified = bank.sandbox.verify(verify).await.unwrap();
    let charge = bank.charge("charge", &visa, usd(50_000)).await.unwrap();
    let decline = bank
        .charge("decline", &declining, usd(50_000))
        .await
        .unwrap();
    let asked = bank.charge("ask", &asking, usd(50_000)).await.unwrap();
    let hold = bank.hold("hold", &visa, usd(120_000)).await.unwrap();
    let capture = bank
        .capture("capture", &hold.transaction_id, Some(usd(60_000)))
        .await
        .unwrap();
    let refund = bank
        .refund("refund", &capture.transaction_id, Some(usd(20_000)))
        .await
        .unwrap();
    let other = bank
        .hold("other", &visa, usd(5_000))
        .await
        .unwrap()
        .transaction_id;
    let void = bank.void("void", &other).await.unwrap();
    for (name, answer) in [
        ("stripe_verify", verified),
        ("stripe_verify_decline", not_verified),
        ("stripe_charge", charge),
        ("stripe_decline", decline),
        ("stripe_authentication", asked),
        ("stripe_hold", hold),
        ("stripe_partial_capture", capture),
        ("stripe_refund", refund),
        ("stripe_void", void),
    ] {
        insta::assert_snapshot!(name, printed(&redacted(&answer)));
    }
}

#[tokio::test]
async fn what_guesty_pay_says() {
    let bank = bank().await;
    let pounds = |minor| money(minor, "GBP");
    let mastercard = bank.method("pm_card_mastercard").await;
    let declining = bank.method("pm_card_chargeDeclinedInsufficientFunds").await;
    let verify = bank.verify("verify", "pm_card_visa", Shape::Amaryllis);
    let verified = bank.sandbox.verify(verify).await.unwrap();
    let charge = bank
        .charge("charge", &mastercard, pounds(120_000))
        .await
        .unwrap();
    let decline = bank
        .charge("decline", &declining, pounds(120_000))
        .await
        .unwrap();
    let hold = bank
        .hold("hold", &mastercard, pounds(100_000))
        .await
        .unwrap();
    let authorization = &hold.transaction_id;
    let capture = bank
        .capture("capture", authorization, Some(pounds(60_000)))
        .await
        .unwrap();
    let captured = &capture.transaction_id;
    let void = bank
        .refund("void", captured, Some(pounds(10_000)))
        .await
        .unwrap();
    let refund = bank
        .refund_next_day("refund", captured, Some(pounds(20_000)))
        .await
        .unwrap();
    for (name, answer) in [
        ("guesty_pay_verify", verified),
        ("guesty_pay_charge", charge),
        ("guesty_pay_decline", decline),
        ("guesty_pay_hold", hold),
        ("guesty_pay_partial_capture", capture),
        ("guesty_pay_partial_void", void),
        ("guesty_pay_partial_refund", refund),
    ] {
        let mut raw = answer.raw;
        raw["PaymentMethodToken"] = json!("[token]");
        insta::assert_snapshot!(name, printed(&raw));
    }
}
