//! What becomes of a reserve when its sale goes back.

use processors::SubAccountId;
use processors::sandbox::{ReservePolicy, ReserveTerms};

use crate::bank::{Bank, money, usd};
use crate::disputes::dispute;
use crate::settlement::{dollars, payouts, run, told};

store::on_both_engines! {
    async fn a_refund_keeps_the_reserve_or_returns_it_as_the_terms_say(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        let pounds = SubAccountId::new("1387.2");
        let terms = ReserveTerms { on_refund: ReservePolicy::Returned, on_chargeback: ReservePolicy::Kept };
        bank.sandbox.set_reserve_terms(&pounds, terms).await.unwrap();
        for (account, currency, reserve, lines) in [
            (&dollars(), "USD", 1_000, [
                "Partial Refund -5.00", "fixed fee -0.30",
                "released in time, of 2023-08-14T23:59:59 10.00",
            ].as_slice()),
            (&pounds, "GBP", 950, &[
                "Partial Refund -5.00", "fixed fee -0.30",
                "released for a refund, of 2023-08-14T23:59:59 0.50",
                "released in time, of 2023-08-14T23:59:59 9.50",
            ]),
        ] {
            let amount = money(10_000, currency);
            let hold = bank.hold(&format!("hold {currency}"), &card, amount).await.unwrap();
            let id = hold.transaction_id;
            bank.capture(&format!("capture {currency}"), &id, None).await.unwrap();
            // The day is over, whether or not anybody has closed it yet.
            let key = format!("refund {currency}");
            bank.refund_next_day(&key, &id, Some(money(500, currency))).await.unwrap();
            run(&bank, "2023-08-22T12:00:00Z").await;
            let held = bank.sandbox.balance(account).await.unwrap().reserve;
            assert_eq!(held, money(reserve, currency));
            run(&bank, "2023-12-31").await;
            let payouts = payouts(&bank, account).await;
            assert_eq!(payouts.len(), 2);
            // The refund alone is a debt until the reserve is released: −5.00 − 0.30 + 10.00.
            assert_eq!(told(&payouts[1]), lines);
            assert_eq!(payouts[1].amount, money(470, currency));
        }
    }

    async fn a_chargeback_keeps_the_reserve_or_returns_it_as_the_terms_say(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        let pounds = SubAccountId::new("1387.2");
        let terms = ReserveTerms { on_refund: ReservePolicy::Kept, on_chargeback: ReservePolicy::Returned };
        bank.sandbox.set_reserve_terms(&pounds, terms).await.unwrap();
        for (account, currency, reserve) in [(&dollars(), "USD", 1_000), (&pounds, "GBP", 0)] {
            let sale = bank.charge(currency, &card, money(10_000, currency)).await.unwrap();
            run(&bank, "2023-08-17").await;
            let case = dispute(&sale.transaction_id, currency, "2023-08-17T09:00:00Z");
            bank.sandbox.dispute(case).await.unwrap();
            run(&bank, "2023-08-22").await;
            let held = bank.sandbox.balance(account).await.unwrap().reserve;
            assert_eq!(held, money(reserve, currency));
        }
        // The chargeback is a debt until there is a sale that is worth more.
        bank.charge("later", &card, money(20_000, "GBP")).await.unwrap();
        run(&bank, "2023-09-30").await;
        let payouts = payouts(&bank, &pounds).await;
        assert_eq!(told(&payouts[1])[..3], [
            "Chargeback -100.00",
            "dispute fee -15.00",
            "released for a chargeback, of 2023-08-14T23:59:59 10.00",
        ]);
        assert_eq!(bank.sandbox.balance(&dollars()).await.unwrap().account, usd(-10_500));
    }
}
