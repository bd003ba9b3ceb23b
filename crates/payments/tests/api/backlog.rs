//! Much that has become due while no server ran: each is done once, the oldest first, and who asks
//! meanwhile is answered.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::TimeDelta;
use contract::Timestamp;
use payments::Settings;
use processors::sandbox::Sandbox;
use processors::{
    Answer, AttemptKey, Cursor, Failure, MerchantId, PayoutRecord, Processor, Request, Step,
    SubAccount, SubAccountId, TransactionKind, TransactionRecord, Verify,
};
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::{Engine, Fixture};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::support::{GuestyDocs, TestApp};

const GUEST: &str = "64da2084867c12ee0c2ca47f";
const LISTING: &str = "64da223eb3de7a002a462fcc";
const RESERVATION: &str = "64da254383ad1500284bd0c0";
const METHOD: &str = "64da2367d8d9771c02befbb2";
/// When the guide's story begins, in business time.
const BEGINS: &str = "2023-08-14T13:02:00.000Z";
/// What a server takes from the agenda at once.
const AT_ONCE: usize = 64;

/// A sandbox with a gate, which can be shut before what is carried out together.
struct Gate {
    sandbox: Arc<Sandbox>,
    is_open: watch::Sender<bool>,
    /// How often somebody came to it.
    comers: watch::Sender<usize>,
}

impl Gate {
    async fn has_stopped(&self, comers: usize) {
        let mut seen = self.comers.subscribe();
        seen.wait_for(|count| *count >= comers).await.unwrap();
    }
}

#[async_trait]
impl Processor for Gate {
    async fn verify(&self, request: Verify) -> Result<Answer, Failure> {
        self.sandbox.verify(request).await
    }

    async fn execute(&self, request: Request) -> Result<Answer, Failure> {
        self.sandbox.execute(request).await
    }

    async fn execute_all(&self, requests: Vec<Request>) -> Vec<Result<Answer, Failure>> {
        self.comers.send_modify(|count| *count += 1);
        let mut seen = self.is_open.subscribe();
        seen.wait_for(|is_open| *is_open).await.unwrap();
        self.sandbox.execute_all(requests).await
    }

    async fn lookup(
        &self,
        merchant: &MerchantId,
        key: &AttemptKey,
    ) -> Result<Option<Answer>, Failure> {
        self.sandbox.lookup(merchant, key).await
    }

    async fn sub_accounts(&self, merchant: &MerchantId) -> Result<Vec<SubAccount>, Failure> {
        self.sandbox.sub_accounts(merchant).await
    }

    async fn transactions_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<TransactionRecord>, Failure> {
        let feed = &self.sandbox;
        feed.transactions_after(sub_account, after, limit).await
    }

    async fn payouts_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<PayoutRecord>, Failure> {
        self.sandbox.payouts_after(sub_account, after, limit).await
    }

    async fn next_due(&self, merchant: &MerchantId) -> Result<Option<Timestamp>, Failure> {
        self.sandbox.next_due(merchant).await
    }

    async fn run_until(
        &self,
        merchant: &MerchantId,
        until: Timestamp,
    ) -> Result<Vec<Step>, Failure> {
        self.sandbox.run_until(merchant, until).await
    }
}

/// The guide's portfolio, and reservations that pay later.
struct Backlog {
    app: TestApp,
    gate: Arc<Gate>,
}

impl Fixture for Backlog {
    async fn on(engine: Engine) -> Self {
        let mut gate = None;
        let app = TestApp::with_processor(engine, Settings::default(), |sandbox| {
            let built = Arc::new(Gate {
                sandbox,
                is_open: watch::Sender::new(true),
                comers: watch::Sender::new(0),
            });
            gate = Some(Arc::clone(&built));
            built
        })
        .await;
        let app = GuestyDocs::in_app(app).await.app;
        Self {
            app,
            gate: gate.unwrap(),
        }
    }
}

impl Backlog {
    /// Makes payments for later, of 1, 2, … cents from the earliest to the latest, a third of them
    /// due at the same instants as others. They are made in another order than that, and those of
    /// one reservation are far apart.
    async fn schedule(&self, reservations: usize, each: usize) {
        let mut ids = Vec::with_capacity(reservations);
        for _ in 0..reservations {
            let new = json!({
                "listingId": LISTING, "guestId": GUEST, "status": "confirmed",
                "checkInDateLocalized": "2024-01-10", "checkOutDateLocalized": "2024-01-15",
                "money": {"fareAccommodation": 1700, "currency": "USD"},
            });
            let made = self.app.post("/v1/reservations", &new).await.expect(200);
            ids.push(made["_id"].as_str().unwrap().to_owned());
        }
        let begins: Timestamp = BEGINS.parse().unwrap();
        for number in (0..each).rev() {
            for (index, id) in ids.iter().enumerate() {
                let place = number * reservations + index;
                let second = i64::try_from(place - place % 3 / 2).unwrap();
                let due = begins + TimeDelta::minutes(10) + TimeDelta::seconds(second);
                self.pay(id, place + 1, Some(due)).await;
            }
        }
    }

    /// Posts a payment of so many cents.
    async fn pay(&self, reservation: &str, cents: usize, due: Option<Timestamp>) -> Value {
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        let amount: serde_json::Number = amount.parse().unwrap();
        let mut payment = json!({
            "paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": amount,
        });
        if let Some(due) = due {
            payment["shouldBePaidAt"] = due.to_string().into();
        }
        let path = format!("/v1/reservations/{reservation}/payments");
        self.app.post(&path, &payment).await.expect(201)
    }

    /// No server runs for an hour.
    fn an_hour_passes(&self) {
        self.app.clock.advance(TimeDelta::hours(1));
    }

    /// The cents of all charges in the sandbox's own books, in the order of the calls.
    async fn charged(&self) -> Vec<usize> {
        let sub_account = SubAccountId::new("1387.1");
        let feed = &self.app.sandbox;
        let all = feed.transactions_after(&sub_account, Cursor::START, 10_000);
        let charges = all.await.unwrap().into_iter();
        let charges = charges.filter(|record| record.kind == TransactionKind::Charge);
        charges
            .map(|charge| usize::try_from(charge.amount.minor()).unwrap())
            .collect()
    }
}

on_both_engines! {
    async fn two_servers_share_a_backlog_and_charge_each_once(backlog: Backlog) {
        backlog.schedule(65, 4).await;
        backlog.an_hour_passes();
        let other = backlog.app.another_node().await;
        let (first, second) = tokio::join!(backlog.app.platform.run_due(), other.run_due());
        first.unwrap();
        second.unwrap();

        let charged = backlog.charged().await;
        assert_eq!(charged.len(), 260);
        assert_eq!(charged.iter().copied().collect::<HashSet<_>>().len(), 260);
        assert_eq!(backlog.app.platform.run_due().await.unwrap(), 0);
        let received = backlog.app.events().await;
        let received = received.iter().filter(|(kind, _)| kind == "payments.received");
        assert_eq!(received.count(), 260);
    }

    async fn the_oldest_are_charged_first(backlog: Backlog) {
        backlog.schedule(65, 3).await;
        backlog.an_hour_passes();
        backlog.app.platform.run_due().await.unwrap();
        let charged = backlog.charged().await;
        assert_eq!(charged.len(), 195);
        for (place, cents) in charged.iter().enumerate() {
            let displaced = (place + 1).abs_diff(*cents);
            assert!(displaced <= AT_ONCE, "{cents} cents are charged as number {place}");
        }
    }

    async fn who_pays_and_reads_now_is_answered_while_a_backlog_waits_for_the_processor(
        backlog: Backlog
    ) {
        backlog.schedule(20, 1).await;
        backlog.an_hour_passes();
        backlog.gate.is_open.send_replace(false);
        let draining = tokio::spawn({
            let platform = Arc::clone(&backlog.app.platform);
            async move { platform.run_due().await.unwrap() }
        });
        backlog.gate.has_stopped(1).await;
        let paid = backlog.pay(RESERVATION, 5_000, None).await;
        let payments = paid["money"]["payments"].as_array().unwrap();
        assert_eq!(payments.last().unwrap()["status"], "SUCCEEDED");
        let read = backlog.app.get(&format!("/v1/reservations/{RESERVATION}")).await;
        assert_eq!(read.expect(200)["money"]["totalPaid"], 50);
        assert_eq!(backlog.charged().await, [5_000]);

        backlog.gate.is_open.send_replace(true);
        assert!(draining.await.unwrap() >= 20);
        assert_eq!(backlog.charged().await.len(), 21);
    }

    async fn a_server_that_is_told_to_stop_ends_what_is_under_way_and_no_more(backlog: Backlog) {
        backlog.schedule(100, 1).await;
        backlog.an_hour_passes();
        backlog.gate.is_open.send_replace(false);
        let stop = CancellationToken::new();
        let platform = Arc::clone(&backlog.app.platform);
        let jobs = tokio::spawn(platform.run_jobs(stop.clone()));
        backlog.gate.has_stopped(1).await;
        stop.cancel();
        backlog.gate.is_open.send_replace(true);
        jobs.await.unwrap();
        let charged = backlog.charged().await.len();
        assert!(charged > 0 && charged <= AT_ONCE, "{charged}");

        backlog.app.another_node().await.run_due().await.unwrap();
        assert_eq!(backlog.charged().await.len(), 100);
    }

    async fn what_cannot_be_done_keeps_nobody_waiting(backlog: Backlog) {
        backlog.schedule(AT_ONCE + 6, 1).await;
        // As no version of the program writes it.
        backlog.app.sql("UPDATE payment SET state = 'NONSENSE' WHERE agenda_ms IS NOT NULL").await;
        let later: Timestamp = BEGINS.parse().unwrap();
        backlog.pay(RESERVATION, 7_000, Some(later + TimeDelta::minutes(50))).await;
        backlog.an_hour_passes();
        backlog.app.platform.run_due().await.unwrap();
        assert_eq!(backlog.charged().await, [7_000]);
    }
}

/// Time stands still here unless it is moved, and something always has work: else it would move by
/// itself whenever all wait for the disk.
#[tokio::test]
async fn the_loop_comes_to_what_is_due_within_a_second() {
    let backlog = Backlog::on(Engine::Sqlite).await;
    let begins: Timestamp = BEGINS.parse().unwrap();
    let due = begins + TimeDelta::minutes(10);
    backlog.pay(RESERVATION, 100, Some(due)).await;
    backlog
        .app
        .clock
        .advance(TimeDelta::minutes(10) - TimeDelta::milliseconds(1));
    tokio::time::pause();
    let busy = tokio::spawn(async {
        loop {
            tokio::task::yield_now().await;
        }
    });
    let stop = CancellationToken::new();
    let platform = Arc::clone(&backlog.app.platform);
    let jobs = tokio::spawn(platform.run_jobs(stop.clone()));
    // It looks too early, and falls asleep.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(backlog.charged().await.is_empty());

    backlog.app.clock.advance(TimeDelta::milliseconds(1_001));
    tokio::time::advance(Duration::from_millis(1_001)).await;
    let patience = Instant::now() + Duration::from_mins(1);
    while backlog.charged().await.is_empty() {
        assert!(Instant::now() < patience, "the loop has not come to it");
        tokio::task::yield_now().await;
    }
    assert_eq!(backlog.charged().await, [100]);
    busy.abort();
    tokio::time::resume();
    stop.cancel();
    jobs.await.unwrap();
}
