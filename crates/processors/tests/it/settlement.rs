//! What time does to money that was taken, by hand.

use contract::Timestamp;
use money::Money;
use processors::sandbox::Adjustment;
use processors::{
    Activity, Charge, Cursor, Fee, PayoutRecord, PayoutStatus, Processor, Release, Request,
    StepKind, SubAccountId, TransactionKind,
};

use crate::bank::{Bank, money, refusal, usd};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The merchant's first sub-account.
pub(crate) fn dollars() -> SubAccountId {
    SubAccountId::new("1387.1")
}

/// Lets time pass, and tells what it has brought about, a line for each step.
pub(crate) async fn run(bank: &Bank, until: &str) -> Vec<String> {
    let steps = bank
        .sandbox
        .run_until(&bank.merchant, at(until))
        .await
        .unwrap();
    let told = steps.iter().map(|step| {
        let what = match &step.kind {
            StepKind::DayClosed { settled, released } => {
                format!("{settled} settled, {released} released")
            }
            StepKind::PayoutsSent(sent) => format!("{} sent", sent.len()),
            StepKind::DisputeOpened { amount, .. } => format!("{amount} disputed"),
            StepKind::DisputeLost { .. } => "dispute lost".to_owned(),
        };
        format!("{} {} {what}", step.sub_account, step.at.to_report_text())
    });
    told.collect()
}

pub(crate) async fn payouts(bank: &Bank, sub_account: &SubAccountId) -> Vec<PayoutRecord> {
    let feed = bank
        .sandbox
        .payouts_after(sub_account, Cursor::START, 10_000);
    feed.await.unwrap()
}

/// A payout's lines, short.
pub(crate) fn told(payout: &PayoutRecord) -> Vec<String> {
    let lines = payout.lines.iter().map(|line| {
        let what = match &line.activity {
            Activity::Transaction { kind, .. } => kind.name().to_owned(),
            Activity::Fee {
                fee: Fee::Percentage,
                ..
            } => "percentage fee".to_owned(),
            Activity::Fee {
                fee: Fee::Fixed, ..
            } => "fixed fee".to_owned(),
            Activity::Fee {
                fee: Fee::Dispute, ..
            } => "dispute fee".to_owned(),
            Activity::ReserveHeld { release_at, .. } => {
                format!("held until {}", release_at.to_report_text())
            }
            Activity::ReserveReleased {
                collected_at,
                release,
                ..
            } => {
                let why = match release {
                    Release::Scheduled => "in time",
                    Release::Refund => "for a refund",
                    Release::Chargeback => "for a chargeback",
                };
                format!("released {why}, of {}", collected_at.to_report_text())
            }
            Activity::Adjustment { id, category } => format!("adjustment {id} for {category}"),
        };
        format!("{what} {}", line.amount.fixed())
    });
    lines.collect()
}

fn adjustment(id: &str, minor: i64, when: &str) -> Adjustment {
    Adjustment {
        sub_account: dollars(),
        id: id.to_owned(),
        category: "Correction".to_owned(),
        amount: usd(minor),
        at: at(when),
    }
}

store::on_both_engines! {
    async fn of_100_dollars_90_are_left_after_the_reserve_and_86_80_after_fees(bank: Bank) {
        // Charged on Monday the 14th of August 2023, beside the verification of the card.
        let card = bank.method("pm_card_visa").await;
        bank.charge("sale", &card, usd(10_000)).await.unwrap();
        assert_eq!(
            bank.sandbox.next_due(&bank.merchant).await.unwrap(),
            Some(at("2023-08-14T23:59:59.999Z"))
        );
        let steps = run(&bank, "2023-12-31").await;
        assert_eq!(steps, [
            "1387.1 2023-08-14T23:59:59 2 settled, 0.00 USD released",
            "1387.1 2023-08-21T12:00:00 1 sent",
            // 90 days on, a Sunday; Monday's payout has it.
            "1387.1 2023-11-12T23:59:59 0 settled, 10.00 USD released",
            "1387.1 2023-11-13T12:00:00 1 sent",
        ]);
        let payouts = payouts(&bank, &dollars()).await;
        assert_eq!(payouts.len(), 2);
        assert_eq!(payouts[0].amount, usd(8_680));
        assert_eq!(payouts[0].process_at, at("2023-08-21T12:00:00Z"));
        assert_eq!(payouts[0].status, PayoutStatus::Processed);
        assert_eq!(told(&payouts[0]), [
            "Charge 100.00",
            "percentage fee -2.90",
            "fixed fee -0.30",
            "held until 2023-11-12T23:59:59 -10.00",
        ]);
        assert_eq!(told(&payouts[1]), ["released in time, of 2023-08-14T23:59:59 10.00"]);
        let balance = bank.sandbox.balance(&dollars()).await.unwrap();
        assert_eq!((balance.settlements, balance.fees), (usd(10_000), usd(320)));
        assert_eq!((balance.payouts, balance.reserve), (usd(9_680), usd(0)));
        assert_eq!(balance.account, usd(0));
        assert_eq!(bank.sandbox.next_due(&bank.merchant).await.unwrap(), None);
    }

    async fn what_is_settled_comes_again_in_the_feed_with_its_date(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        bank.hold("hold", &card, usd(5_000)).await.unwrap();
        bank.charge("sale", &card, usd(10_000)).await.unwrap();
        run(&bank, "2023-08-15").await;
        let feed = bank.feed(1).await;
        let rows: Vec<_> = feed.iter().map(|row| (row.position.0, row.kind, row.settled_at)).collect();
        let settled = Some(at("2023-08-14T23:59:59.999Z"));
        assert_eq!(rows, [
            (2, TransactionKind::Authorization, None),
            (4, TransactionKind::Verify, settled),
            (5, TransactionKind::Charge, settled),
        ]);
    }

    async fn time_that_passed_once_brings_nothing_about_again(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        bank.charge("sale", &card, usd(10_000)).await.unwrap();
        assert_eq!(run(&bank, "2023-08-14T23:59:59.998Z").await, Vec::<String>::new());
        assert_eq!(run(&bank, "2023-08-14T23:59:59.999Z").await.len(), 1);
        assert_eq!(run(&bank, "2023-08-14T23:59:59.999Z").await, Vec::<String>::new());
        // A clock set back does nothing either.
        assert_eq!(run(&bank, "2020-01-01").await, Vec::<String>::new());
    }

    async fn whoever_is_stopped_after_any_step_goes_on_where_it_was(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        for (n, currency) in ["USD", "GBP", "KWD"].into_iter().enumerate() {
            bank.charge(&format!("sale {n}"), &card, money(10_000, currency)).await.unwrap();
        }
        let mut taken = 0;
        while let Some(due) = bank.reopened().next_due(&bank.merchant).await.unwrap() {
            let (mut runs, mut stepped) = (0, 0);
            while runs < 2 {
                stepped += bank.reopened().run_until(&bank.merchant, due).await.unwrap().len();
                runs += 1;
            }
            assert_eq!(stepped, 3, "one for each sub-account, at {due}");
            taken += stepped;
        }
        assert_eq!(taken, 12);
        for sub_account in bank.sandbox.sub_accounts(&bank.merchant).await.unwrap() {
            let balance = bank.sandbox.balance(&sub_account.id).await.unwrap();
            assert_eq!((balance.account.minor(), balance.reserve.minor()), (0, 0));
        }
    }

    async fn what_is_posted_for_a_closed_day_belongs_to_the_next(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        run(&bank, "2023-08-15").await;
        bank.charge("late", &card, usd(10_000)).await.unwrap();
        let steps = run(&bank, "2023-08-16").await;
        assert_eq!(steps, ["1387.1 2023-08-15T23:59:59 1 settled, 0.00 USD released"]);
    }

    async fn a_declined_charge_is_a_fee_of_its_day(bank: Bank) {
        let good = bank.method("pm_card_visa").await;
        let bad = bank.method("pm_card_chargeDeclined").await;
        bank.charge("sale", &good, usd(10_000)).await.unwrap();
        bank.charge("declined", &bad, usd(99_900)).await.unwrap();
        bank.hold("declined hold", &bad, usd(99_900)).await.unwrap();
        run(&bank, "2023-08-22").await;
        // 86.80 − 2 × 0.30
        let payouts = payouts(&bank, &dollars()).await;
        assert_eq!(payouts[0].amount, usd(8_620));
        assert_eq!(told(&payouts[0])[4..], ["fixed fee -0.30", "fixed fee -0.30"]);
    }

    async fn a_debt_waits_for_the_next_payout_that_is_worth_something(bank: Bank) {
        let bad = bank.method("pm_card_chargeDeclined").await;
        bank.charge("declined", &bad, usd(10_000)).await.unwrap();
        let steps = run(&bank, "2023-08-22").await;
        assert_eq!(steps.last().unwrap(), "1387.1 2023-08-21T12:00:00 0 sent");
        assert_eq!(payouts(&bank, &dollars()).await, []);
        let card = bank.method("pm_card_visa").await;
        let sale = bank.charge_of("sale", &card, usd(10_000));
        let sale = Charge { at: at("2023-08-22T09:00:00Z"), ..sale };
        bank.sandbox.execute(Request::Charge(sale)).await.unwrap();
        run(&bank, "2023-08-31").await;
        // Settled on Tuesday the 22nd: 86.80 less the 0.30 that were owed.
        let payouts = payouts(&bank, &dollars()).await;
        assert_eq!(payouts.len(), 1);
        assert_eq!(payouts[0].amount, usd(8_650));
        assert_eq!(payouts[0].process_at, at("2023-08-29T12:00:00Z"));
    }

    async fn dinars_are_settled_to_the_fils(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        bank.charge("sale", &card, money(12_345, "KWD")).await.unwrap();
        run(&bank, "2023-08-31").await;
        let payouts = payouts(&bank, &SubAccountId::new("1387.3")).await;
        // 12.345 − 0.358 (0.358005) − 0.100 − 1.235 (1.2345)
        assert_eq!(payouts[0].amount, money(10_652, "KWD"));
    }

    async fn yen_are_settled_whole(bank: Bank) {
        let yen = ["JPY".parse().unwrap()];
        let merchant = bank.sandbox.open_merchant("日本の宿", &yen).await.unwrap();
        let bank = bank.of(merchant);
        let card = bank.method("pm_card_visa").await;
        bank.charge("sale", &card, money(505, "JPY")).await.unwrap();
        run(&bank, "2023-08-31").await;
        let payouts = payouts(&bank, &SubAccountId::new("1388.1")).await;
        // 505 − 15 (14.645) − 30 − 51 (50.5)
        assert_eq!(payouts[0].amount, money(409, "JPY"));
    }

    async fn an_adjustment_has_an_id_and_a_category_and_is_made_once(bank: Bank) {
        let good = adjustment("A-1", 2_500, "2023-08-14");
        bank.sandbox.adjust(good.clone()).await.unwrap();
        bank.sandbox.adjust(good.clone()).await.unwrap();
        let other = Adjustment { amount: usd(2_501), ..good.clone() };
        assert_eq!(refusal(bank.sandbox.adjust(other).await), "adjustment_exists");
        let nameless = Adjustment { id: String::new(), ..good.clone() };
        assert_eq!(refusal(bank.sandbox.adjust(nameless).await), "invalid_adjustment");
        for amount in [usd(0), usd(i64::MIN), money(100, "GBP")] {
            let wrong = Adjustment { id: "A-2".to_owned(), amount, ..good.clone() };
            assert_eq!(refusal(bank.sandbox.adjust(wrong).await), "invalid_adjustment");
        }
        run(&bank, "2023-08-31").await;
        let payouts = payouts(&bank, &dollars()).await;
        assert_eq!(told(&payouts[0]), ["adjustment A-1 for Correction 25.00"]);
    }

    async fn sums_that_cannot_be_counted_are_refused_and_nothing_is_lost(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        for n in 0..2 {
            bank.charge(&format!("huge {n}"), &card, usd(i64::MAX)).await.unwrap();
        }
        let until = at("2023-08-31");
        let steps = bank.sandbox.run_until(&bank.merchant, until).await;
        assert_eq!(refusal(steps), "sum_too_large");
        assert_eq!(bank.sandbox.balance(&dollars()).await.unwrap().settlements, usd(0));
    }

    async fn nobody_elses_time_passes(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        bank.charge("sale", &card, usd(10_000)).await.unwrap();
        let other = bank.sandbox.open_merchant("Other", &["USD".parse().unwrap()]).await.unwrap();
        let steps = bank.sandbox.run_until(&other, at("2024-01-01")).await.unwrap();
        assert_eq!(steps, []);
        assert_eq!(payouts(&bank, &dollars()).await, []);
        let unknown = processors::MerchantId::new("9000");
        assert_eq!(refusal(bank.sandbox.next_due(&unknown).await), "unknown_merchant");
        let unknown = SubAccountId::new("1387.9");
        let feed = bank.sandbox.payouts_after(&unknown, Cursor::START, 1).await;
        assert_eq!(refusal(feed), "unknown_sub_account");
    }

    async fn many_who_let_time_pass_at_once_settle_and_pay_once(bank: Bank) {
        let card = bank.method("pm_card_visa").await;
        bank.charge("sale", &card, usd(10_000)).await.unwrap();
        let runs = (0..16).map(|_| {
            let (sandbox, merchant) = (std::sync::Arc::clone(&bank.sandbox), bank.merchant.clone());
            tokio::spawn(async move { sandbox.run_until(&merchant, at("2023-12-31")).await.unwrap() })
        });
        let mut steps = 0;
        for run in runs.collect::<Vec<_>>() {
            steps += run.await.unwrap().len();
        }
        assert_eq!(steps, 4);
        let paid: Vec<_> = payouts(&bank, &dollars()).await.iter().map(|p| p.amount).collect();
        assert_eq!(paid, [usd(8_680), usd(1_000)] as [Money; 2]);
    }
}
