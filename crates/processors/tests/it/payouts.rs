//! Payouts that come to nothing, and are sent again.

use processors::sandbox::DeclinedBy;
use processors::{PayoutId, PayoutRecord, PayoutStatus};

use crate::bank::{Bank, refusal, usd};
use crate::settlement::{at, dollars, payouts, run};

/// A sale of 100.00 whose payout was sent on Monday the 21st of August.
async fn sent(bank: &Bank) -> PayoutRecord {
    let card = bank.method("pm_card_visa").await;
    bank.charge("sale", &card, usd(10_000)).await.unwrap();
    run(bank, "2023-08-25").await;
    payouts(bank, &dollars()).await.remove(0)
}

store::on_both_engines! {
    async fn a_rejected_payout_keeps_its_lines_and_is_sent_again_under_a_new_id(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        bank.charge("sale", &card, usd(10_000)).await.unwrap();
        run(&bank, "2023-08-25").await;
        let first = payouts(&bank, &dollars()).await.remove(0);
        // On a Friday, after that day's payouts.
        let rejected_at = at("2023-08-25T15:00:00Z");
        let again = bank.sandbox.reject_payout(&first.id, "R02", rejected_at).await.unwrap();
        assert_ne!(again, first.id);
        assert_eq!(bank.sandbox.balance(&dollars()).await.unwrap().payouts, usd(0));
        let feed = payouts(&bank, &dollars()).await;
        let short: Vec<_> = feed.iter().map(|p| (&p.id, p.status, p.rejected_at, p.reissue_of.as_ref())).collect();
        assert_eq!(short, [
            (&first.id, PayoutStatus::RejectedByProcessor, Some(rejected_at), None),
            (&again, PayoutStatus::PendingDueDate, None, Some(&first.id)),
        ]);
        assert_eq!(feed[0].authorization_or_error_code, "R02");
        assert!(feed[0].position > first.position);
        assert_eq!((&feed[0].lines, &feed[1].lines), (&first.lines, &first.lines));
        let steps = run(&bank, "2023-08-31").await;
        assert_eq!(steps, ["1387.1 2023-08-28T12:00:00 1 sent"]);
        let sent = payouts(&bank, &dollars()).await.remove(1);
        assert_eq!((&sent.id, sent.status, sent.amount), (&again, PayoutStatus::Processed, usd(8_680)));
        assert_eq!(bank.sandbox.balance(&dollars()).await.unwrap().payouts, usd(8_680));
        // And once more.
        let third = bank.sandbox.reject_payout(&again, "R03", at("2023-08-29")).await.unwrap();
        let newest = payouts(&bank, &dollars()).await.remove(2);
        assert_eq!((newest.id, newest.reissue_of), (third, Some(again)));
    }

    async fn a_bank_rejects_only_what_was_sent_and_says_why(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        bank.charge("sale", &card, usd(10_000)).await.unwrap();
        run(&bank, "2023-08-25").await;
        let id = payouts(&bank, &dollars()).await.remove(0).id;
        let reject = async |id: &PayoutId, code: &str, when: &str| {
            bank.sandbox.reject_payout(id, code, at(when)).await
        };
        assert_eq!(refusal(reject(&id, "R02", "2023-08-20").await), "payout_not_processed");
        for code in ["", "R", "R2", "X02", "R022", "R0é"] {
            assert_eq!(refusal(reject(&id, code, "2023-08-25").await), "invalid_return_code");
        }
        for unknown in ["", "x", "-1", "1387001136900000099", "9999001136900000001"] {
            let unknown = PayoutId::new(unknown);
            assert_eq!(refusal(reject(&unknown, "R02", "2023-08-25").await), "unknown_payout");
        }
        let again = reject(&id, "R02", "2023-08-25").await.unwrap();
        for not_sent in [&id, &again] {
            assert_eq!(refusal(reject(not_sent, "R02", "2023-09-25").await), "payout_not_processed");
        }
    }

    async fn a_declined_payout_is_sent_again_as_a_rejected_one_is(bank: Bank) {
        for (by, status, when, sent_at) in [
            // On a Friday afternoon, and on the morning of the Tuesday after.
            (DeclinedBy::Processor, "Declined by Processor", "2023-08-25T15:00:00Z", "2023-08-28T12:00:00Z"),
            (DeclinedBy::User, "Declined by User", "2023-08-29T08:00:00Z", "2023-08-29T12:00:00Z"),
        ] {
            let first = if by == DeclinedBy::Processor {
                sent(&bank).await
            } else {
                payouts(&bank, &dollars()).await.pop().unwrap()
            };
            let again = bank.sandbox.decline_payout(&first.id, by, at(when)).await.unwrap();
            assert_eq!(bank.sandbox.balance(&dollars()).await.unwrap().payouts, usd(0));
            let feed = payouts(&bank, &dollars()).await;
            let [.., declined, pending] = &feed[..] else { panic!("two payouts: {feed:?}") };
            assert_eq!((&declined.id, declined.status.name()), (&first.id, status));
            assert_eq!((declined.rejected_at, declined.process_at), (Some(at(when)), first.process_at));
            assert_eq!(declined.authorization_or_error_code, "");
            assert_eq!((&pending.id, pending.reissue_of.as_ref()), (&again, Some(&first.id)));
            assert_eq!((&declined.lines, &pending.lines), (&first.lines, &first.lines));
            run(&bank, sent_at).await;
            let sent = payouts(&bank, &dollars()).await.pop().unwrap();
            assert_eq!((sent.id, sent.status), (again, PayoutStatus::Processed));
            assert_eq!((sent.process_at, sent.amount), (at(sent_at), usd(8_680)));
            assert_eq!(bank.sandbox.balance(&dollars()).await.unwrap().payouts, usd(8_680));
        }
    }

    async fn what_is_pending_can_be_declined_too(bank: Bank) {
        let first = sent(&bank).await;
        let pending = bank.sandbox.reject_payout(&first.id, "R02", at("2023-08-25")).await.unwrap();
        let next = bank.sandbox.decline_payout(&pending, DeclinedBy::User, at("2023-08-25T09:00:00Z"));
        let next = next.await.unwrap();
        let told: Vec<_> = payouts(&bank, &dollars()).await.into_iter()
            .map(|p| (p.id, p.status.name(), p.reissue_of)).collect();
        assert_eq!(told, [
            (first.id.clone(), "Rejected by Processor", None),
            (pending.clone(), "Declined by User", Some(first.id.clone())),
            (next, "Pending Due Date", Some(pending.clone())),
        ]);
        assert_eq!(bank.sandbox.balance(&dollars()).await.unwrap().payouts, usd(0));
        for ended in [&first.id, &pending] {
            let again = bank.sandbox.decline_payout(ended, DeclinedBy::Processor, at("2023-09-25"));
            assert_eq!(refusal(again.await), "payout_not_declinable");
        }
        run(&bank, "2023-08-31").await;
        assert_eq!(bank.sandbox.balance(&dollars()).await.unwrap().payouts, usd(8_680));
    }

    async fn a_payout_is_not_declined_before_it_is_sent(bank: Bank) {
        let first = sent(&bank).await;
        let early = bank.sandbox.decline_payout(&first.id, DeclinedBy::User, at("2023-08-21T11:00:00Z"));
        assert_eq!(refusal(early.await), "payout_not_declinable");
        let unknown = PayoutId::new("1387001136900000099");
        let unknown = bank.sandbox.decline_payout(&unknown, DeclinedBy::User, at("2023-08-25"));
        assert_eq!(refusal(unknown.await), "unknown_payout");
    }
}
