//! A merchant's books, emptied.

use processors::sandbox::{DisputeOutcome, ReservePolicy, ReserveTerms};
use processors::{Cursor, Processor};

use crate::bank::{Bank, refusal, usd};
use crate::disputes::dispute;
use crate::settlement::{at, dollars, payouts, run};

/// A sale that was settled, paid out and charged back, and a dispute that time will open.
async fn live(bank: &Bank) -> (Vec<String>, Vec<processors::PayoutRecord>) {
    let card = bank.method("pm_card_visa").await;
    let sale = bank
        .charge("sale", &card, usd(10_000))
        .await
        .unwrap()
        .transaction_id;
    let disputing = bank.method("pm_card_createDispute").await;
    bank.charge("other", &disputing, usd(10_000)).await.unwrap();
    let told = run(bank, "2023-08-22").await;
    let case = dispute(&sale, "CB-1", "2023-08-22T09:00:00Z");
    let chargeback = bank.sandbox.dispute(case).await.unwrap();
    let won = DisputeOutcome::Won;
    bank.sandbox
        .resolve_dispute(&chargeback, won, at("2023-08-22T10:00:00Z"))
        .await
        .unwrap();
    (told, payouts(bank, &dollars()).await)
}

store::on_both_engines! {
    async fn a_merchants_books_begin_anew_and_nobody_elses(bank: Bank) {
        let other = bank.sandbox.open_merchant("Other", &["USD".parse().unwrap()]).await.unwrap();
        let other = bank.of(other);
        live(&other).await;
        let others = other.feed(1).await;
        let bank = other.of(processors::MerchantId::new("1387"));
        let terms = ReserveTerms { on_refund: ReservePolicy::Returned, on_chargeback: ReservePolicy::Kept };
        bank.sandbox.set_reserve_terms(&dollars(), terms).await.unwrap();
        let first = live(&bank).await;
        let feed = bank.feed(1).await;

        bank.sandbox.reset(&bank.merchant).await.unwrap();
        assert_eq!(bank.feed(1).await, []);
        assert_eq!(bank.sandbox.payouts_after(&dollars(), Cursor::START, 9).await, Ok(Vec::new()));
        assert_eq!(bank.sandbox.next_due(&bank.merchant).await, Ok(None));
        let balance = bank.sandbox.balance(&dollars()).await.unwrap();
        assert_eq!((balance.settlements, balance.fees, balance.payouts), (usd(0), usd(0), usd(0)));
        assert_eq!(bank.lookup("sale").await, None);

        assert_eq!(live(&bank).await, first);
        assert_eq!(bank.feed(1).await, feed);
        let other = bank.of(processors::MerchantId::new("1388"));
        assert_eq!(other.feed(1).await, others);
        let nobody = processors::MerchantId::new("9000");
        assert_eq!(refusal(other.sandbox.reset(&nobody).await), "unknown_merchant");
    }
}
