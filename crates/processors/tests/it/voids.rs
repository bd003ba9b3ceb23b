//! Refunds before their sale is settled.

use processors::{FollowUp, Processor, Request};

use crate::bank::{Bank, refusal, usd};
use crate::settlement::{at, dollars, payouts, run, told};

store::on_both_engines! {
    async fn a_part_that_is_voided_settles_with_its_sale_and_costs_nothing(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        let hold = bank.hold("hold", &card, usd(20_000)).await.unwrap().transaction_id;
        bank.capture("capture", &hold, Some(usd(10_000))).await.unwrap();
        bank.refund("void", &hold, Some(usd(4_000))).await.unwrap();
        run(&bank, "2023-08-22").await;
        let payouts = payouts(&bank, &dollars()).await;
        // 2.9 % and 10 % of the 60.00 that are left.
        assert_eq!(told(&payouts[0]), [
            "fixed fee -0.30",
            "Partial Capture 100.00",
            "percentage fee -1.74",
            "held until 2023-11-12T23:59:59 -6.00",
            "Partial Void -40.00",
        ]);
        assert_eq!(payouts[0].amount, usd(5_196));
        let settled = Some(at("2023-08-14T23:59:59.999Z"));
        let feed = bank.feed(1).await;
        let dates: Vec<_> = feed.iter().map(|row| (row.kind.name(), row.settled_at)).collect();
        assert_eq!(dates, [
            ("Authorization", None),
            ("Verify", settled),
            ("Partial Capture", settled),
            ("Partial Void", settled),
        ]);
    }

    async fn what_is_voided_whole_never_settles(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        let whole = bank.charge("whole", &card, usd(10_000)).await.unwrap().transaction_id;
        bank.refund("void", &whole, None).await.unwrap();
        let parts = bank.charge("parts", &card, usd(10_000)).await.unwrap().transaction_id;
        bank.refund("part", &parts, Some(usd(1))).await.unwrap();
        bank.refund("rest", &parts, None).await.unwrap();
        let steps = run(&bank, "2024-12-31").await;
        assert_eq!(steps, [
            // The verification of the card.
            "1387.1 2023-08-14T23:59:59 1 settled, 0.00 USD released",
            "1387.1 2023-08-21T12:00:00 0 sent",
        ]);
        let feed = bank.feed(1).await;
        let unsettled: Vec<_> = feed.iter().filter(|row| row.settled_at.is_none())
            .map(|row| row.kind.name()).collect();
        assert_eq!(unsettled, ["Charge", "Void", "Charge", "Partial Void", "Partial Void"]);
        let balance = bank.sandbox.balance(&dollars()).await.unwrap();
        // The fixed fee of each charge.
        assert_eq!((balance.settlements, balance.reserve), (usd(0), usd(0)));
        assert_eq!((balance.fees, balance.account), (usd(60), usd(-60)));
        assert_eq!(refusal(bank.refund_next_day("more", &whole, None).await), "already_refunded");
    }

    async fn a_void_that_was_declined_voids_nothing(bank: Bank) {
        let card = bank.method("pm_card_refundFail").await;
        let sale = bank.charge("sale", &card, usd(10_000)).await.unwrap().transaction_id;
        bank.refund("void", &sale, None).await.unwrap();
        run(&bank, "2023-08-22").await;
        assert_eq!(payouts(&bank, &dollars()).await[0].amount, usd(8_680));
    }

    async fn a_void_that_is_dated_before_its_sale_is_settled_with_it_all_the_same(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        let sale = bank.charge("sale", &card, usd(10_000)).await.unwrap().transaction_id;
        let void = bank.follow_up("void", &sale, Some(usd(4_000)));
        let before = FollowUp { at: at("2023-08-01"), ..void };
        bank.sandbox.execute(Request::Refund(before)).await.unwrap();
        let steps = run(&bank, "2023-08-15").await;
        assert_eq!(steps, ["1387.1 2023-08-14T23:59:59 3 settled, 0.00 USD released"]);
        assert_eq!(bank.sandbox.balance(&dollars()).await.unwrap().settlements, usd(6_000));
    }
}
