//! What each card of the sandbox does, as its documentation says.

use processors::{
    AttemptKey, DeclineClass, Failure, Processor, Shape, TransactionKind, TransactionStatus,
    Verdict,
};

use crate::bank::{Bank, refusal, usd};

const APPROVED: [&str; 15] = [
    "pm_card_visa",
    "pm_card_visa_debit",
    "pm_card_mastercard",
    "pm_card_mastercard_debit",
    "pm_card_mastercard_prepaid",
    "pm_card_amex",
    "pm_card_discover",
    "pm_card_diners",
    "pm_card_jcb",
    "pm_card_unionpay",
    "pm_card_authenticationRequiredSetupForOffSession",
    "pm_card_createDispute",
    "pm_card_refundFail",
    "pm_card_pendingRefund",
    "pm_card_holdNotAllowed",
];

use DeclineClass::{Hard, Soft};

/// Token, code at Stripe, number at GuestyPay, class.
const DECLINED: [(&str, &str, &str, DeclineClass); 9] = [
    ("pm_card_chargeDeclined", "generic_decline", "10004", Soft),
    (
        "pm_card_chargeDeclinedInsufficientFunds",
        "insufficient_funds",
        "10308",
        Soft,
    ),
    ("pm_card_chargeDeclinedLostCard", "lost_card", "10001", Hard),
    (
        "pm_card_chargeDeclinedStolenCard",
        "stolen_card",
        "10002",
        Hard,
    ),
    (
        "pm_card_chargeDeclinedExpiredCard",
        "expired_card",
        "10011",
        Hard,
    ),
    (
        "pm_card_chargeDeclinedIncorrectCvc",
        "incorrect_cvc",
        "10006",
        Hard,
    ),
    (
        "pm_card_chargeDeclinedProcessingError",
        "processing_error",
        "20200",
        Soft,
    ),
    (
        "pm_card_chargeDeclinedVelocityLimitExceeded",
        "card_velocity_exceeded",
        "10306",
        Soft,
    ),
    (
        "pm_card_chargeCustomerFail",
        "generic_decline",
        "10004",
        Soft,
    ),
];

fn is_approved(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Approved { .. })
}

fn declined(verdict: Verdict) -> (String, DeclineClass) {
    match verdict {
        Verdict::Declined { code, class, .. } => (code, class),
        other => panic!("not declined: {other:?}"),
    }
}

store::on_both_engines! {
    async fn good_cards_are_charged(bank: Bank) {
        for token in APPROVED {
            let method = bank.method(token).await;
            let charged = bank.charge(token, &method, usd(1_000)).await.unwrap();
            assert!(is_approved(&charged.verdict), "{token}: {charged:?}");
            assert_eq!(charged.confirmation, charged.transaction_id.as_str());
        }
    }

    async fn cards_decline_with_the_code_of_their_protocol(bank: Bank) {
        for (token, decline_code, error_id, class) in DECLINED {
            for (shape, code) in [(Shape::PaymentIntent, decline_code), (Shape::Amaryllis, error_id)]
            {
                let method = bank.method_shaped(token, shape).await;
                let charged =
                    bank.charge(&format!("{token} {shape:?} charge"), &method, usd(1_000)).await;
                assert_eq!(declined(charged.unwrap().verdict), (code.to_owned(), class));
                let held = bank.hold(&format!("{token} {shape:?} hold"), &method, usd(1_000)).await;
                assert_eq!(declined(held.unwrap().verdict), (code.to_owned(), class));
            }
        }
    }

    async fn declines_are_in_the_books_under_guesty_pays_numbers(bank: Bank) {
        for (token, _, error_id, _) in DECLINED {
            let method = bank.method_shaped(token, Shape::PaymentIntent).await;
            bank.charge(token, &method, usd(1_000)).await.unwrap();
            let feed = bank.feed(1).await;
            let row = feed.last().unwrap();
            assert_eq!(row.status, TransactionStatus::Declined);
            assert_eq!(row.authorization_or_error_code, error_id);
            assert_eq!(row.amount, usd(1_000));
            assert_eq!(row.arn, None);
        }
    }

    async fn cards_that_decline_are_known_with_and_without_their_brand(bank: Bank) {
        for (token, _, error_id, _) in DECLINED.into_iter().filter(|row| row.0.contains("Declined")) {
            let branded = token.replace("pm_card_", "pm_card_visa_");
            let method = bank.method(&branded).await;
            let charged = bank.charge(&branded, &method, usd(1_000)).await.unwrap();
            assert_eq!(declined(charged.verdict).0, error_id);
        }
        let verify = bank.verify("no", "pm_card_visa_amex", Shape::Amaryllis);
        assert_eq!(refusal(bank.sandbox.verify(verify).await), "unknown_token");
    }

    async fn some_banks_ask_their_card_holder(bank: Bank) {
        for shape in [Shape::PaymentIntent, Shape::Amaryllis] {
            let method = bank.method_shaped("pm_card_authenticationRequired", shape).await;
            let charged = bank.charge(&format!("charge {shape:?}"), &method, usd(1_000)).await;
            let Verdict::AuthenticationRequired { url } = charged.unwrap().verdict else {
                panic!("no authentication required")
            };
            assert!(url.starts_with("/sandbox/authenticate/1387001"), "{url}");
            let verify = bank.verify(
                &format!("verify {shape:?}"),
                "pm_card_authenticationRequiredOnSetup",
                shape,
            );
            let verified = bank.sandbox.verify(verify).await.unwrap();
            assert!(matches!(verified.verdict, Verdict::AuthenticationRequired { .. }));
            let charged = bank.charge("charge", &verified.method, usd(1_000)).await;
            assert_eq!(refusal(charged), "unknown_method");
        }
    }

    async fn a_card_that_cannot_be_verified_is_not_stored(bank: Bank) {
        let verify = bank.verify("verify", "pm_card_verifyDeclined", Shape::Amaryllis);
        let verified = bank.sandbox.verify(verify.clone()).await.unwrap();
        assert_eq!(declined(verified.verdict.clone()), ("20400".to_owned(), Soft));
        let charged = bank.charge("charge", &verified.method, usd(1_000)).await;
        assert_eq!(refusal(charged), "unknown_method");
        assert_eq!(bank.sandbox.verify(verify).await, Ok(verified));
        let row = &bank.feed(1).await[0];
        assert_eq!((row.kind, row.status), (TransactionKind::Verify, TransactionStatus::Declined));
    }

    async fn some_cards_can_be_charged_but_not_held(bank: Bank) {
        let method = bank.method("pm_card_holdNotAllowed").await;
        let held = bank.hold("hold", &method, usd(1_000)).await.unwrap();
        assert_eq!(declined(held.verdict), ("10029".to_owned(), Hard));
        assert_eq!(held.hold_expires_at, None);
    }

    async fn insufficient_funds_may_suffice_the_second_time(bank: Bank) {
        let method = bank.method("pm_card_insufficientFundsThenApproved").await;
        let first = bank.charge("first", &method, usd(1_000)).await.unwrap();
        assert_eq!(declined(first.verdict.clone()), ("10308".to_owned(), Soft));
        assert!(is_approved(&bank.charge("second", &method, usd(1_000)).await.unwrap().verdict));
        assert_eq!(bank.charge("first", &method, usd(1_000)).await, Ok(first));
    }

    async fn a_refund_may_be_denied(bank: Bank) {
        let method = bank.method("pm_card_refundFail").await;
        let charge = bank.charge("charge", &method, usd(1_000)).await.unwrap().transaction_id;
        let refund = bank.refund("refund", &charge, None).await.unwrap();
        assert_eq!(declined(refund.verdict), ("10329".to_owned(), Hard));
        // What was denied is not refunded: it can be asked for again.
        bank.refund("again", &charge, Some(usd(1_000))).await.unwrap();
    }

    async fn a_pending_refund_is_looked_up(bank: Bank) {
        let method = bank.method("pm_card_pendingRefund").await;
        let charge = bank.charge("charge", &method, usd(1_000)).await.unwrap().transaction_id;
        let refund = bank.refund("refund", &charge, Some(usd(300))).await;
        assert_eq!(refund, Err(Failure::Unanswered));
        let found = bank.lookup("refund").await.unwrap();
        assert!(is_approved(&found.verdict));
        assert_eq!(found.amount, usd(300));
    }

    async fn the_answer_may_be_lost_after_the_money_moved(bank: Bank) {
        let method = bank.method("pm_card_noAnswer").await;
        assert_eq!(bank.hold("hold", &method, usd(1_000)).await, Err(Failure::Unanswered));
        let hold = bank.lookup("hold").await.unwrap();
        assert!(is_approved(&hold.verdict));
        let capture = bank.capture("capture", &hold.transaction_id, Some(usd(600))).await;
        assert_eq!(capture, Err(Failure::Unanswered));
        let capture = bank.lookup("capture").await.unwrap();
        assert_eq!(capture.amount, usd(600));
        let refund = bank.refund("refund", &capture.transaction_id, None).await;
        assert_eq!(refund, Err(Failure::Unanswered));
        assert_eq!(bank.lookup("refund").await.unwrap().amount, usd(600));
        assert_eq!(bank.feed(1).await.len(), 4);
    }

    async fn the_request_may_be_lost_before_anything_happened(bank: Bank) {
        let method = bank.method("pm_card_noAnswerNotExecuted").await;
        assert_eq!(bank.charge("key", &method, usd(1_000)).await, Err(Failure::Unanswered));
        assert_eq!(bank.lookup("key").await, None);
        assert_eq!(bank.feed(1).await.len(), 1);
    }

    async fn the_processor_may_be_unavailable(bank: Bank) {
        let method = bank.method("pm_card_processorUnavailable").await;
        assert_eq!(bank.charge("key", &method, usd(1_000)).await, Err(Failure::Unavailable));
        assert_eq!(bank.lookup("key").await, None);
    }

    async fn an_attempt_that_was_never_made_is_not_found(bank: Bank) {
        let never = bank.sandbox.lookup(&bank.merchant, &AttemptKey::new("never")).await;
        assert_eq!(never, Ok(None));
    }

    async fn a_method_can_be_told_to_decline_the_next_of_a_kind_once(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let refuse = async |asked, error_id| bank.sandbox.refuse_next(&method, asked, error_id).await;
        let sale = bank.charge("sale", &method, usd(1_000)).await.unwrap().transaction_id;
        refuse(TransactionKind::Refund, "10329").await.unwrap();
        // Nothing else is meant.
        bank.charge("other", &method, usd(1_000)).await.unwrap();
        let refund = bank.refund("refund", &sale, Some(usd(300))).await.unwrap();
        assert_eq!(declined(refund.verdict.clone()), ("10329".to_owned(), DeclineClass::Hard));
        assert_eq!(bank.refund("refund", &sale, Some(usd(300))).await, Ok(refund));
        let again = bank.refund("again", &sale, None).await.unwrap();
        assert!(matches!(again.verdict, Verdict::Approved { .. }));
        assert_eq!(again.amount, usd(1_000));

        let hold = bank.hold("hold", &method, usd(1_000)).await.unwrap().transaction_id;
        refuse(TransactionKind::Charge, "10308").await.unwrap();
        refuse(TransactionKind::Capture, "10004").await.unwrap();
        let charge = bank.charge("forgotten", &method, usd(1_000)).await.unwrap();
        assert!(matches!(charge.verdict, Verdict::Approved { .. }));
        let capture = bank.capture("declined", &hold, None).await.unwrap();
        assert_eq!(declined(capture.verdict), ("10004".to_owned(), DeclineClass::Soft));
        let capture = bank.capture("capture", &hold, None).await.unwrap();
        assert!(matches!(capture.verdict, Verdict::Approved { .. }));
    }

    async fn only_what_a_card_can_decline_is_refused(bank: Bank) {
        use TransactionKind::{PartialRefund, Refund, Verify};
        let method = bank.method("pm_card_visa").await;
        for asked in [Verify, PartialRefund] {
            let answer = bank.sandbox.refuse_next(&method, asked, "10329").await;
            assert_eq!(refusal(answer), "not_asked_of_cards");
        }
        let answer = bank.sandbox.refuse_next(&method, Refund, "1").await;
        assert_eq!(refusal(answer), "unknown_decline");
        let nobody = processors::MethodToken::new("nobody");
        let answer = bank.sandbox.refuse_next(&nobody, Refund, "10329").await;
        assert_eq!(refusal(answer), "unknown_method");
    }
}
