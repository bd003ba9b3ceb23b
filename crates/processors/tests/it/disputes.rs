//! Chargebacks: what a card holder's bank takes back, and who wins.

use contract::Timestamp;
use processors::sandbox::{Dispute, DisputeOutcome};
use processors::{
    Charge, FollowUp, Processor, Request, StepKind, TransactionId, TransactionKind,
    TransactionStatus,
};

use crate::bank::{Bank, refusal, usd};
use crate::settlement::{at, dollars, payouts, run, told};

use DisputeOutcome::{Lost, Won};

pub(crate) fn dispute(sale: &TransactionId, case_id: &str, when: &str) -> Dispute {
    Dispute {
        transaction: sale.clone(),
        case_id: case_id.to_owned(),
        reason: "13.1".to_owned(),
        at: at(when),
    }
}

/// A sale of 100.00 that is settled and paid out, and its chargeback of the 24th of August.
async fn charged_back(bank: &Bank) -> (TransactionId, TransactionId) {
    let card = bank.method("pm_card_visa").await;
    let sale = bank.charge("sale", &card, usd(10_000)).await.unwrap();
    run(bank, "2023-08-24").await;
    let case = dispute(&sale.transaction_id, "CB-7", "2023-08-24T09:00:00Z");
    let chargeback = bank.sandbox.dispute(case).await.unwrap();
    (sale.transaction_id, chargeback)
}

store::on_both_engines! {
    async fn a_chargeback_takes_back_the_sale_and_costs_a_fee(bank: Bank) {
        let (sale, chargeback) = charged_back(&bank).await;
        let feed = bank.feed(1).await;
        let row = feed.last().unwrap();
        assert_eq!((&row.id, row.original.as_ref()), (&chargeback, Some(&sale)));
        assert_eq!((row.kind, row.amount), (TransactionKind::Chargeback, usd(10_000)));
        assert_eq!(row.status, TransactionStatus::Processed);
        assert_eq!(row.case_id.as_deref(), Some("CB-7"));
        assert_eq!(row.authorization_or_error_code, "13.1");
        assert_eq!(row.confirmation_code.as_deref(), Some("r2B9jZYJK"));
        run(&bank, "2023-08-25").await;
        let balance = bank.sandbox.balance(&dollars()).await.unwrap();
        // 86.80 were paid out, and 10.00 are held still.
        assert_eq!((balance.settlements, balance.fees), (usd(0), usd(1_820)));
        assert_eq!((balance.reserve, balance.account), (usd(1_000), usd(-10_500)));
    }

    async fn a_dispute_that_is_won_gives_the_amount_back_but_not_the_fee(bank: Bank) {
        let (sale, chargeback) = charged_back(&bank).await;
        let win = || bank.sandbox.resolve_dispute(&chargeback, Won, at("2023-09-04T09:00:00Z"));
        let reversal = win().await.unwrap().unwrap();
        assert_eq!(win().await, Ok(Some(reversal.clone())));
        let row = bank.feed(1).await.pop().unwrap();
        assert_eq!((row.id, row.original), (reversal, Some(sale)));
        assert_eq!((row.kind, row.amount), (TransactionKind::ReversalChargeback, usd(10_000)));
        assert_eq!(row.case_id.as_deref(), Some("CB-7"));
        run(&bank, "2023-12-31").await;
        let paid = payouts(&bank, &dollars()).await;
        // Until the reserve is released, the dispute fee is a debt that no payout has.
        assert_eq!(paid.len(), 1);
        let balance = bank.sandbox.balance(&dollars()).await.unwrap();
        // 100.00 − 2.90 − 0.30 − 15.00
        assert_eq!((balance.settlements, balance.fees), (usd(10_000), usd(1_820)));
        // 81.80 less the 86.80 that were paid out.
        assert_eq!((balance.reserve, balance.account), (usd(0), usd(-500)));
    }

    async fn a_dispute_that_nobody_resolves_is_lost_after_45_days(bank: Bank) {
        let (_, chargeback) = charged_back(&bank).await;
        run(&bank, "2023-08-25").await;
        let due = at("2023-10-08T09:00:00Z");
        assert_eq!(bank.sandbox.next_due(&bank.merchant).await, Ok(Some(at("2023-08-31T12:00:00Z"))));
        run(&bank, "2023-08-31T12:00:00Z").await;
        assert_eq!(bank.sandbox.next_due(&bank.merchant).await, Ok(Some(due)));
        let early = due.to_string().replace("09:00", "08:59");
        assert_eq!(run(&bank, &early).await, Vec::<String>::new());
        let steps = bank.sandbox.run_until(&bank.merchant, due).await.unwrap();
        assert_eq!(steps.len(), 1);
        assert_eq!(steps[0].kind, StepKind::DisputeLost { chargeback: chargeback.clone() });
        assert_eq!(steps[0].at, due);
        let late = bank.sandbox.resolve_dispute(&chargeback, Won, at("2023-09-01")).await;
        assert_eq!(refusal(late), "dispute_lost");
        assert_eq!(bank.sandbox.resolve_dispute(&chargeback, Lost, due).await, Ok(None));
    }

    async fn a_dispute_has_one_end(bank: Bank) {
        let (sale, chargeback) = charged_back(&bank).await;
        let resolve = async |outcome, when: &str| {
            bank.sandbox.resolve_dispute(&chargeback, outcome, at(when)).await
        };
        // Its time is over, whether or not anybody let it pass.
        assert_eq!(refusal(resolve(Won, "2023-10-08T09:00:00Z").await), "dispute_lost");
        assert_eq!(resolve(Lost, "2023-09-01").await, Ok(None));
        assert_eq!(resolve(Lost, "2023-09-01").await, Ok(None));
        assert_eq!(refusal(resolve(Won, "2023-09-01").await), "dispute_lost");
        let again = dispute(&sale, "CB-8", "2023-09-01");
        assert_eq!(refusal(bank.sandbox.dispute(again).await), "nothing_to_dispute");
        assert_eq!(refusal(bank.sandbox.resolve_dispute(&sale, Won, at("2023-09-01")).await), "unknown_chargeback");
        let nobody = TransactionId::new("x");
        assert_eq!(refusal(bank.sandbox.resolve_dispute(&nobody, Won, at("2023-09-01")).await), "unknown_chargeback");
    }

    async fn what_was_won_can_be_disputed_and_refunded_again(bank: Bank) {
        let (sale, chargeback) = charged_back(&bank).await;
        assert_eq!(refusal(bank.refund_next_day("refund", &sale, None).await), "charged_back");
        assert_eq!(refusal(bank.refund_next_day("part", &sale, Some(usd(1))).await), "charged_back");
        bank.sandbox.resolve_dispute(&chargeback, Won, at("2023-09-01")).await.unwrap();
        assert_eq!(refusal(bank.sandbox.resolve_dispute(&chargeback, Lost, at("2023-09-01")).await), "dispute_won");
        bank.refund_next_day("refund", &sale, Some(usd(4_000))).await.unwrap();
        let case = dispute(&sale, "CB-8", "2023-09-02");
        bank.sandbox.dispute(case).await.unwrap();
        let row = bank.feed(1).await.pop().unwrap();
        assert_eq!((row.kind, row.amount), (TransactionKind::Chargeback, usd(6_000)));
    }

    async fn a_case_is_one_dispute(bank: Bank) {
        let (sale, chargeback) = charged_back(&bank).await;
        let same = dispute(&sale, "CB-7", "2023-08-30");
        assert_eq!(bank.sandbox.dispute(same.clone()).await, Ok(chargeback));
        let reason = Dispute { reason: "10.4".to_owned(), ..same.clone() };
        assert_eq!(refusal(bank.sandbox.dispute(reason).await), "dispute_exists");
        let card = bank.method("pm_card_mastercard").await;
        let other = bank.charge("other", &card, usd(1)).await.unwrap().transaction_id;
        let other = Dispute { transaction: other, ..same.clone() };
        assert_eq!(refusal(bank.sandbox.dispute(other).await), "dispute_exists");
        for (case_id, reason) in [("", "13.1"), (&"x".repeat(101), "13.1"), ("CB-9", ""), ("CB-9", "a\nb")] {
            let bad = Dispute { case_id: case_id.to_owned(), reason: reason.to_owned(), ..same.clone() };
            assert_eq!(refusal(bank.sandbox.dispute(bad).await), "invalid_dispute");
        }
        // No attempt made it, so no attempt's key finds it, or is the same.
        assert_eq!(bank.lookup("chargeback CB-7").await, None);
        assert_eq!(refusal(bank.refund_next_day("chargeback CB-7", &sale, None).await), "key_reused");
    }

    async fn only_what_is_settled_and_left_is_disputed(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        let hold = bank.hold("hold", &card, usd(10_000)).await.unwrap().transaction_id;
        let opened = async |sale: &TransactionId, case: &str, when: &str| {
            bank.sandbox.dispute(dispute(sale, case, when)).await
        };
        assert_eq!(refusal(opened(&hold, "1", "2023-08-20").await), "not_disputable");
        let capture = bank.capture("capture", &hold, Some(usd(6_000))).await.unwrap().transaction_id;
        bank.refund("void", &hold, Some(usd(1_000))).await.unwrap();
        assert_eq!(refusal(opened(&capture, "1", "2023-08-14T23:59:59.999Z").await), "not_settled");
        // Settled from the next day on, though nobody has closed the day yet.
        let chargeback = opened(&capture, "1", "2023-08-15").await.unwrap();
        let row = bank.feed(1).await.pop().unwrap();
        assert_eq!((row.id, row.amount, row.original), (chargeback, usd(5_000), Some(hold)));
        let voided = bank.charge("voided", &card, usd(100)).await.unwrap().transaction_id;
        bank.refund("all", &voided, None).await.unwrap();
        assert_eq!(refusal(opened(&voided, "2", "2023-08-20").await), "nothing_to_dispute");
        let verified = bank.feed(1).await[0].id.clone();
        assert_eq!(refusal(opened(&verified, "2", "2023-08-20").await), "not_disputable");
        for unknown in ["", "x", "1387001358199999999", "9999001358100000001"] {
            let unknown = TransactionId::new(unknown);
            assert_eq!(refusal(opened(&unknown, "2", "2023-08-20").await), "unknown_transaction");
        }
    }

    async fn a_card_holder_who_disputes_does_so_on_the_day_after_the_settlement(bank: Bank) {
        let card = bank.method("pm_card_createDispute").await;
        bank.charge("sale", &card, usd(10_000)).await.unwrap();
        let hold = bank.hold("hold", &card, usd(5_000)).await.unwrap().transaction_id;
        bank.capture("capture", &hold, Some(usd(4_000))).await.unwrap();
        let voided = bank.charge("voided", &card, usd(3_000)).await.unwrap().transaction_id;
        bank.refund("void", &voided, None).await.unwrap();
        let steps = run(&bank, "2023-10-31").await;
        assert_eq!(steps, [
            // Sale, capture, and the verification.
            "1387.1 2023-08-14T23:59:59 3 settled, 0.00 USD released",
            "1387.1 2023-08-15T12:00:00 100.00 USD disputed",
            "1387.1 2023-08-15T12:00:00 40.00 USD disputed",
            "1387.1 2023-08-15T23:59:59 2 settled, 0.00 USD released",
            "1387.1 2023-08-21T12:00:00 1 sent",
            "1387.1 2023-08-22T12:00:00 0 sent",
            "1387.1 2023-09-29T12:00:00 dispute lost",
            "1387.1 2023-09-29T12:00:00 dispute lost",
        ]);
        let cases: Vec<_> = bank.feed(1).await.into_iter().filter_map(|row| row.case_id).collect();
        assert_eq!(cases, ["DP-1387001358100000002", "DP-1387001358100000004"]);
    }

    async fn a_refund_before_the_dispute_leaves_less_of_it(bank: Bank) {
        let card = bank.method("pm_card_createDispute").await;
        let sale = bank.charge("sale", &card, usd(10_000)).await.unwrap().transaction_id;
        let rest = bank.charge("rest", &card, usd(10_000)).await.unwrap().transaction_id;
        let early: Timestamp = at("2023-08-15T08:00:00Z");
        for (key, sale, amount) in [("part", &sale, Some(usd(2_500))), ("all", &rest, None)] {
            let refund = FollowUp { at: early, ..bank.follow_up(key, sale, amount) };
            bank.sandbox.execute(Request::Refund(refund)).await.unwrap();
        }
        let steps = run(&bank, "2023-08-15T12:00:00Z").await;
        assert_eq!(steps[1..], ["1387.1 2023-08-15T12:00:00 75.00 USD disputed"]);
        assert_eq!(bank.sandbox.next_due(&bank.merchant).await, Ok(Some(at("2023-08-15T23:59:59.999Z"))));
    }

    async fn a_credit_belongs_to_no_sale_and_costs_its_fixed_fee(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        bank.charge("sale", &card, usd(10_000)).await.unwrap();
        let credit = bank.charge_of("credit", &card, usd(2_000));
        let answer = bank.sandbox.credit(credit.clone()).await.unwrap();
        assert_eq!(bank.sandbox.credit(credit.clone()).await, Ok(answer.clone()));
        assert_eq!(refusal(bank.sandbox.execute(Request::Charge(credit.clone())).await), "key_reused");
        assert_eq!(answer.raw["OperationType"], "Credit");
        let denied = bank.method("pm_card_refundFail").await;
        let declined = Charge { method: denied, ..bank.charge_of("declined", &card, usd(2_000)) };
        bank.sandbox.credit(declined).await.unwrap();
        let refund = bank.refund_next_day("refund", &answer.transaction_id, None).await;
        assert_eq!(refusal(refund), "not_refundable");
        let stripe = bank.method_shaped("pm_card_visa", processors::Shape::PaymentIntent).await;
        let stripe = bank.charge_of("stripe", &stripe, usd(2_000));
        assert_eq!(refusal(bank.sandbox.credit(stripe).await), "no_credit");
        run(&bank, "2023-08-22").await;
        let paid = payouts(&bank, &dollars()).await;
        assert_eq!(told(&paid[0])[4..], ["Credit -20.00", "fixed fee -0.30", "fixed fee -0.30"]);
        // 86.80 − 20.00 − 2 × 0.30
        assert_eq!(paid[0].amount, usd(6_620));
    }
}
