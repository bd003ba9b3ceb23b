//! What may be done to money, and what the books then say.

use chrono::Duration;
use contract::Timestamp;
use processors::sandbox::KnownMethod;
use processors::{
    AttemptKey, Cursor, FollowUp, MerchantId, MethodToken, Processor, Request, Shape, SubAccountId,
    TransactionId, TransactionKind, TransactionStatus, Verdict,
};

use crate::bank::{Bank, billing, money, noon, refusal, usd};

store::on_both_engines! {
    async fn a_merchant_has_a_sub_account_for_each_currency(bank: Bank) {
        let labels: Vec<_> = bank
            .sandbox
            .sub_accounts(&bank.merchant)
            .await
            .unwrap()
            .iter()
            .map(processors::SubAccount::label)
            .collect();
        let expected = [
            "1387.1 - My Company - USD",
            "1387.2 - My Company - GBP",
            "1387.3 - My Company - KWD",
        ];
        assert_eq!(labels, expected);
    }

    async fn merchants_are_numbered_on(bank: Bank) {
        let second = bank.sandbox.open_merchant("Other", &[]).await.unwrap();
        assert_eq!(second.as_str(), "1388");
        assert_eq!(bank.sandbox.sub_accounts(&second).await.unwrap(), []);
    }

    async fn a_merchant_is_opened_only_with_a_name_and_distinct_currencies(bank: Bank) {
        let [usd, gbp] = ["USD", "GBP"].map(|code| code.parse().unwrap());
        assert_eq!(refusal(bank.sandbox.open_merchant("", &[usd]).await), "invalid_name");
        let twice = bank.sandbox.open_merchant("Twice", &[usd, gbp, usd]).await;
        assert_eq!(refusal(twice), "currency_twice");
    }

    async fn a_charge_is_reported_with_all_that_a_report_needs(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let charged = bank.charge("a charge", &method, money(120_000, "GBP")).await.unwrap();
        assert_eq!(charged.transaction_id.as_str(), "1387002358100000001");
        let Verdict::Approved { authorization_code } = &charged.verdict else {
            panic!("{charged:?}")
        };
        let feed = bank.feed(2).await;
        assert_eq!(feed.len(), 1);
        let row = &feed[0];
        assert_eq!(row.id, charged.transaction_id);
        assert_eq!(row.key.as_str(), "a charge");
        assert_eq!(row.sub_account.as_str(), "1387.2");
        assert_eq!(row.kind, TransactionKind::Charge);
        assert_eq!(row.status, TransactionStatus::Processed);
        assert_eq!(row.amount, money(120_000, "GBP"));
        assert_eq!((row.bin.as_str(), row.last4.as_str()), ("424242", "4242"));
        assert_eq!(row.payment_method, "Visa");
        assert_eq!(row.confirmation_code.as_deref(), Some("r2B9jZYJK"));
        assert_eq!((row.merchant_at, row.system_at, row.settled_at), (noon(), noon(), None));
        // Prefix, bin, day 226 of 2023, the id's last eleven digits, and a check digit as of cards.
        assert_eq!(row.arn.as_deref(), Some("74242423226581000000012"));
        assert_eq!(row.dynamic_descriptor, "My Company");
        assert_eq!(&row.authorization_or_error_code, authorization_code);
    }

    async fn verifying_is_a_transaction_of_nothing(bank: Bank) {
        bank.method("pm_card_mastercard").await;
        let feed = bank.feed(1).await;
        assert_eq!(feed.len(), 1);
        assert_eq!(feed[0].kind, TransactionKind::Verify);
        assert_eq!(feed[0].amount, usd(0));
        assert_eq!(feed[0].payment_method, "Mastercard");
        assert_eq!(feed[0].arn, None);
    }

    async fn a_stored_card_expires_three_years_on(bank: Bank) {
        let verify = bank.verify("verify", "pm_card_visa", Shape::PaymentIntent);
        let card = bank.sandbox.verify(verify).await.unwrap().card;
        assert_eq!((card.exp_month, card.exp_year), (12, 2026));
    }

    async fn a_method_can_be_put_into_the_vault_under_a_known_token(bank: Bank) {
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
        let charged = bank.charge("charge", &known.token, usd(50_000)).await.unwrap();
        assert_eq!(charged.raw["payment_method"], "pm_1Nf0FOGfrrmRCKB1k7y7M57E");
        assert_eq!(refusal(bank.sandbox.store_method(known.clone()).await), "method_exists");
        let other = KnownMethod { card: "4242424242424242".to_owned(), ..known };
        assert_eq!(refusal(bank.sandbox.store_method(other).await), "unknown_token");
    }

    async fn a_currency_without_sub_account_cannot_be_charged(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        assert_eq!(refusal(bank.charge("eur", &method, money(100, "EUR")).await), "no_sub_account");
    }

    async fn nothing_and_less_cannot_be_charged(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        for minor in [0, -1, i64::MIN] {
            let key = format!("of {minor}");
            assert_eq!(refusal(bank.charge(&key, &method, usd(minor)).await), "invalid_amount");
            assert_eq!(refusal(bank.hold(&key, &method, usd(minor)).await), "invalid_amount");
        }
    }

    async fn stripe_takes_no_last_digit_of_a_dinar(bank: Bank) {
        let stripe = bank.method_shaped("pm_card_visa", Shape::PaymentIntent).await;
        let amount = money(5_124, "KWD");
        assert_eq!(refusal(bank.charge("no", &stripe, amount).await), "unsupported_amount");
        let guesty_pay = bank.method("pm_card_visa").await;
        bank.charge("yes", &guesty_pay, amount).await.unwrap();
    }

    async fn what_does_not_exist_is_refused(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let other = MethodToken::new("pm_card_visa");
        assert_eq!(refusal(bank.charge("a", &other, usd(1)).await), "unknown_method");
        for id in ["", "0", "-1", "nonsense", "1387001358100009999", "1387009358100000001",
            "1388001358100000001", "99999999999999999999"] {
            let id = TransactionId::new(id);
            assert_eq!(refusal(bank.refund("b", &id, None).await), "unknown_transaction", "{id}");
        }
        let verify = bank.verify("c", "tok_visa", Shape::Amaryllis);
        assert_eq!(refusal(bank.sandbox.verify(verify).await), "unknown_token");
        for merchant in ["1", "01387", "acct_1", "1388"] {
            let mut charge = bank.charge_of("d", &method, usd(1));
            charge.merchant = MerchantId::new(merchant);
            assert_eq!(refusal(bank.sandbox.execute(Request::Charge(charge)).await), "unknown_merchant");
        }
        for sub_account in ["1387", "1387.0", "1387.4", "1387.1.1"] {
            let id = SubAccountId::new(sub_account);
            let feed = bank.sandbox.transactions_after(&id, Cursor::START, 1).await;
            assert_eq!(refusal(feed), "unknown_sub_account");
        }
    }

    async fn another_merchants_methods_and_transactions_do_not_exist(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let charged = bank.charge("charge", &method, usd(100)).await.unwrap();
        let thief = bank.sandbox.open_merchant("Thief", &["USD".parse().unwrap()]).await.unwrap();
        let mut charge = bank.charge_of("theirs", &method, usd(100));
        charge.merchant = thief.clone();
        assert_eq!(refusal(bank.sandbox.execute(Request::Charge(charge)).await), "unknown_method");
        let mut refund = bank.follow_up("theirs", &charged.transaction_id, None);
        refund.merchant = thief.clone();
        assert_eq!(refusal(bank.sandbox.execute(Request::Refund(refund)).await), "unknown_transaction");
        let looked_up = bank.sandbox.lookup(&thief, &AttemptKey::new("charge")).await;
        assert_eq!(looked_up, Ok(None));
    }

    async fn keys_have_a_length_and_no_control_characters(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        bank.charge(&"k".repeat(255), &method, usd(1)).await.unwrap();
        for key in [String::new(), "k".repeat(256), "a\0b".to_owned()] {
            assert_eq!(refusal(bank.charge(&key, &method, usd(1)).await), "invalid_key");
        }
    }

    async fn the_same_key_gets_the_same_answer_and_moves_nothing_again(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let hold = bank.hold("hold", &method, usd(1_000)).await.unwrap();
        let capture = bank.capture("capture", &hold.transaction_id, Some(usd(400))).await.unwrap();
        let refund = bank.refund("refund", &capture.transaction_id, Some(usd(100))).await.unwrap();
        let rows = bank.feed(1).await;

        assert_eq!(bank.hold("hold", &method, usd(1_000)).await.as_ref(), Ok(&hold));
        let again = bank.capture("capture", &hold.transaction_id, Some(usd(400))).await;
        assert_eq!(again.as_ref(), Ok(&capture));
        let again = bank.refund("refund", &capture.transaction_id, Some(usd(100))).await;
        assert_eq!(again.as_ref(), Ok(&refund));
        assert_eq!(bank.lookup("hold").await, Some(hold));
        assert_eq!(bank.lookup("capture").await, Some(capture));
        assert_eq!(bank.lookup("refund").await, Some(refund));
        assert_eq!(bank.feed(1).await, rows);
    }

    async fn a_later_repeat_is_still_a_repeat(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let first = bank.charge("charge", &method, usd(1_000)).await.unwrap();
        let mut later = bank.charge_of("charge", &method, usd(1_000));
        later.at = noon() + Duration::days(30);
        assert_eq!(bank.sandbox.execute(Request::Charge(later)).await, Ok(first));
    }

    async fn a_key_cannot_be_used_for_another_request(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let other = bank.method("pm_card_amex").await;
        let hold = bank.hold("a hold", &method, usd(1_000)).await.unwrap();
        let charge = bank.charge("key", &method, usd(1_000)).await.unwrap();
        let rows = bank.feed(1).await;

        let (hold, id) = (&hold.transaction_id, &charge.transaction_id);
        assert_eq!(refusal(bank.charge("key", &method, usd(1_001)).await), "key_reused");
        assert_eq!(refusal(bank.charge("key", &method, money(1_000, "GBP")).await), "key_reused");
        assert_eq!(refusal(bank.charge("key", &other, usd(1_000)).await), "key_reused");
        assert_eq!(refusal(bank.hold("key", &method, usd(1_000)).await), "key_reused");
        assert_eq!(refusal(bank.refund("key", id, Some(usd(1_000))).await), "key_reused");
        assert_eq!(refusal(bank.capture("key", hold, None).await), "key_reused");
        assert_eq!(refusal(bank.void("key", hold).await), "key_reused");
        let verify = bank.verify("key", "pm_card_visa", Shape::Amaryllis);
        assert_eq!(refusal(bank.sandbox.verify(verify).await), "key_reused");
        let mut order = bank.charge_of("key", &method, usd(1_000));
        order.order.payment_id.push_str("again");
        assert_eq!(refusal(bank.sandbox.execute(Request::Charge(order)).await), "key_reused");
        assert_eq!(bank.feed(1).await, rows);
        assert_eq!(bank.feed(2).await, []);
    }

    async fn making_a_method_twice_under_one_key_makes_one(bank: Bank) {
        let verify = bank.verify("key", "pm_card_visa", Shape::Amaryllis);
        let first = bank.sandbox.verify(verify.clone()).await.unwrap();
        assert_eq!(bank.sandbox.verify(verify).await, Ok(first));
        let other = bank.verify("key", "pm_card_visa", Shape::PaymentIntent);
        assert_eq!(refusal(bank.sandbox.verify(other).await), "key_reused");
        assert_eq!(bank.feed(1).await.len(), 1);
    }

    async fn a_hold_is_captured_once_and_the_rest_is_released(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let hold = bank.hold("hold", &method, usd(1_000)).await.unwrap().transaction_id;
        let too_much = bank.capture("too much", &hold, Some(usd(1_001))).await;
        assert_eq!(refusal(too_much), "capture_too_large");
        let captured = bank.capture("capture", &hold, Some(usd(600))).await.unwrap();
        assert_eq!(captured.amount, usd(600));
        assert_eq!(refusal(bank.capture("rest", &hold, None).await), "already_captured");
        assert_eq!(refusal(bank.void("rest", &hold).await), "already_captured");
        let kinds: Vec<_> = bank.feed(1).await.iter().map(|row| row.kind.name()).collect();
        assert_eq!(kinds, ["Verify", "Authorization", "Partial Capture"]);
    }

    async fn a_capture_of_the_whole_is_under_the_holds_authorization(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let hold = bank.hold("hold", &method, usd(1_000)).await.unwrap();
        let captured = bank.capture("capture", &hold.transaction_id, None).await.unwrap();
        assert_eq!(captured.verdict, hold.verdict);
        assert_eq!(bank.feed(1).await[2].kind, TransactionKind::Capture);
    }

    async fn a_released_hold_is_gone(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let hold = bank.hold("hold", &method, usd(1_000)).await.unwrap().transaction_id;
        bank.void("void", &hold).await.unwrap();
        assert_eq!(refusal(bank.capture("capture", &hold, None).await), "hold_released");
        assert_eq!(refusal(bank.void("again", &hold).await), "hold_released");
        assert_eq!(refusal(bank.refund("refund", &hold, None).await), "not_refundable");
        let row = &bank.feed(1).await[2];
        assert_eq!((row.kind, row.amount), (TransactionKind::Void, usd(1_000)));
        assert_eq!(row.original.as_ref(), Some(&hold));
    }

    async fn holds_expire_after_seven_days_and_visas_after_five(bank: Bank) {
        for (token, days) in [("pm_card_visa", 5), ("pm_card_mastercard", 7)] {
            let method = bank.method(token).await;
            let hold = bank.hold(&format!("{token} in time"), &method, usd(9)).await.unwrap();
            assert_eq!(hold.hold_expires_at, Some(noon() + Duration::days(days)));
            let late = bank.hold(&format!("{token} late"), &method, usd(9)).await.unwrap();

            let mut capture = bank.follow_up(&format!("{token} 1"), &late.transaction_id, None);
            capture.at = noon() + Duration::days(days);
            assert_eq!(refusal(bank.sandbox.execute(Request::Capture(capture.clone())).await), "hold_expired");
            assert_eq!(refusal(bank.sandbox.execute(Request::Void(capture.clone())).await), "hold_expired");
            capture.original = hold.transaction_id;
            capture.at = noon() + Duration::days(days) - Duration::milliseconds(1);
            bank.sandbox.execute(Request::Capture(capture)).await.unwrap();
        }
    }

    async fn only_holds_are_captured_or_released(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let charge = bank.charge("charge", &method, usd(1_000)).await.unwrap().transaction_id;
        assert_eq!(refusal(bank.capture("capture", &charge, None).await), "not_a_hold");
        assert_eq!(refusal(bank.void("void", &charge).await), "not_a_hold");
        let verified = bank.feed(1).await[0].id.clone();
        assert_eq!(refusal(bank.capture("capture", &verified, None).await), "not_a_hold");
        assert_eq!(refusal(bank.refund("refund", &verified, None).await), "not_refundable");
    }

    async fn refunds_end_where_the_charge_ends(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let charge = bank.charge("charge", &method, usd(1_000)).await.unwrap().transaction_id;
        let too_much = bank.refund("too much", &charge, Some(usd(1_001))).await;
        assert_eq!(refusal(too_much), "refund_too_large");
        bank.refund("part", &charge, Some(usd(300))).await.unwrap();
        let too_much = bank.refund("too much", &charge, Some(usd(701))).await;
        assert_eq!(refusal(too_much), "refund_too_large");
        assert_eq!(bank.refund("rest", &charge, None).await.unwrap().amount, usd(700));
        assert_eq!(refusal(bank.refund("more", &charge, None).await), "already_refunded");
        let kinds: Vec<_> = bank.feed(1).await.iter().map(|row| row.kind.name()).collect();
        assert_eq!(kinds, ["Verify", "Charge", "Partial Void", "Partial Void"]);
    }

    async fn a_refund_is_a_void_until_the_day_of_its_sale_is_over(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let day_end: Timestamp = "2023-08-14T23:59:59.999Z".parse().unwrap();
        let later = day_end + Duration::milliseconds(1);
        for (n, (at, amount, kind)) in [
            (day_end, None, TransactionKind::Void),
            (day_end, Some(usd(999)), TransactionKind::PartialVoid),
            (later, None, TransactionKind::Refund),
            (later, Some(usd(999)), TransactionKind::PartialRefund),
        ].into_iter().enumerate() {
            let charge = bank.charge(&format!("charge {n}"), &method, usd(1_000)).await.unwrap();
            let hold = bank.hold(&format!("hold {n}"), &method, usd(2_000)).await.unwrap();
            bank.capture(&format!("capture {n}"), &hold.transaction_id, Some(usd(1_000))).await.unwrap();
            for sale in [charge, hold] {
                let key = format!("refund {n} of {}", sale.transaction_id);
                let refund = FollowUp { at, ..bank.follow_up(&key, &sale.transaction_id, amount) };
                let answer = bank.sandbox.execute(Request::Refund(refund.clone())).await.unwrap();
                assert_eq!(bank.sandbox.execute(Request::Refund(refund)).await, Ok(answer.clone()));
                let feed = bank.feed(1).await;
                let row = feed.last().unwrap();
                assert_eq!((row.kind, row.original.as_ref()), (kind, Some(&sale.transaction_id)));
                // The bank is asked for an authorization only when money goes back.
                assert_eq!(answer.verdict == sale.verdict, kind.whole() == TransactionKind::Void);
            }
        }
    }

    async fn a_refund_under_the_key_of_a_release_is_refused_and_the_other_way_round(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let hold = bank.hold("hold", &method, usd(1_000)).await.unwrap().transaction_id;
        bank.void("release", &hold).await.unwrap();
        assert_eq!(refusal(bank.refund("release", &hold, None).await), "key_reused");
        let taken = bank.hold("taken", &method, usd(1_000)).await.unwrap().transaction_id;
        bank.capture("capture", &taken, None).await.unwrap();
        bank.refund("refund", &taken, None).await.unwrap();
        assert_eq!(refusal(bank.void("refund", &taken).await), "key_reused");
    }

    async fn of_a_hold_only_what_was_captured_can_be_refunded(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let hold = bank.hold("hold", &method, usd(1_000)).await.unwrap().transaction_id;
        assert_eq!(refusal(bank.refund("early", &hold, None).await), "not_refundable");
        let capture = bank.capture("capture", &hold, Some(usd(600))).await.unwrap();
        let capture = capture.transaction_id;
        let too_much = bank.refund("too much", &capture, Some(usd(601))).await;
        assert_eq!(refusal(too_much), "refund_too_large");
        let refund = bank.refund("refund", &capture, None).await.unwrap();
        assert_eq!(refund.amount, usd(600));
        let of_refund = bank.refund("of refund", &refund.transaction_id, None).await;
        assert_eq!(refusal(of_refund), "not_refundable");
    }

    async fn amounts_of_another_currency_are_refused(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        let charge = bank.charge("charge", &method, usd(1_000)).await.unwrap().transaction_id;
        let refund = bank.refund("refund", &charge, Some(money(10, "GBP"))).await;
        assert_eq!(refusal(refund), "other_currency");
    }

    async fn what_was_declined_cannot_be_followed_up(bank: Bank) {
        let method = bank.method("pm_card_chargeDeclined").await;
        let charge = bank.charge("charge", &method, usd(1_000)).await.unwrap().transaction_id;
        let hold = bank.hold("hold", &method, usd(1_000)).await.unwrap().transaction_id;
        assert_eq!(refusal(bank.refund("refund", &charge, None).await), "not_refundable");
        assert_eq!(refusal(bank.capture("capture", &hold, None).await), "not_a_hold");
        assert_eq!(refusal(bank.void("void", &hold).await), "not_a_hold");
    }

    async fn a_feed_is_read_on_from_where_one_stopped(bank: Bank) {
        let method = bank.method("pm_card_visa").await;
        for n in 0..7 {
            bank.charge(&format!("charge {n}"), &method, usd(n + 1)).await.unwrap();
        }
        let sub_account = SubAccountId::new("1387.1");
        let (mut cursor, mut read) = (Cursor::START, Vec::new());
        loop {
            let page = bank.sandbox.transactions_after(&sub_account, cursor, 3).await.unwrap();
            let Some(last) = page.last() else { break };
            cursor = last.position;
            read.extend(page);
        }
        assert_eq!(read, bank.feed(1).await);
        assert_eq!(read.len(), 8);
    }

    async fn the_books_outlive_the_program(bank: Bank) {
        let method = bank.method_shaped("pm_card_visa", Shape::PaymentIntent).await;
        let charged = bank.charge("charge", &method, usd(1_000)).await.unwrap();
        let reopened = bank.reopened();
        let found = reopened.lookup(&bank.merchant, &AttemptKey::new("charge")).await.unwrap();
        assert_eq!(found, Some(charged));
    }
}
