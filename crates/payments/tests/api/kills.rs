//! Advances that are killed anywhere on their way: whoever goes on makes the world that would have
//! been without it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use contract::Timestamp;
use payments::{AdvanceError, Settings, Until};
use processors::sandbox::Sandbox;
use processors::{
    Answer, AttemptKey, Cursor, Failure, MerchantId, PayoutRecord, Processor, Request, Step,
    SubAccount, SubAccountId, TransactionRecord, Verify,
};
use serde_json::{Value, json};
use store::testing::Engine;
use tokio::sync::Notify;

use crate::support::{GuestyDocs, TestApp};

const GUEST: &str = "64da2084867c12ee0c2ca47f";
const LISTING: &str = "64da223eb3de7a002a462fcc";
const NEVER: usize = usize::MAX;

/// A processor that hangs at one of its calls, for ever, or fails.
struct Trap {
    sandbox: Arc<Sandbox>,
    calls: AtomicUsize,
    /// At which call, counted from 0.
    hangs_at: AtomicUsize,
    /// Whether it does first what it was asked.
    after: AtomicBool,
    fails: AtomicBool,
    hanging: Notify,
}

impl Trap {
    fn set(&self, hangs_at: usize, after: bool) {
        self.calls.store(0, Ordering::SeqCst);
        self.hangs_at.store(hangs_at, Ordering::SeqCst);
        self.after.store(after, Ordering::SeqCst);
    }

    async fn pass<T: Send>(&self, call: impl Future<Output = T> + Send) -> T {
        if self.calls.fetch_add(1, Ordering::SeqCst) != self.hangs_at.load(Ordering::SeqCst) {
            return call.await;
        }
        if self.after.load(Ordering::SeqCst) {
            call.await;
        }
        self.hanging.notify_one();
        std::future::pending().await
    }
}

#[async_trait]
impl Processor for Trap {
    async fn verify(&self, request: Verify) -> Result<Answer, Failure> {
        self.sandbox.verify(request).await
    }

    async fn execute(&self, request: Request) -> Result<Answer, Failure> {
        self.pass(self.sandbox.execute(request)).await
    }

    async fn lookup(
        &self,
        merchant: &MerchantId,
        key: &AttemptKey,
    ) -> Result<Option<Answer>, Failure> {
        self.pass(self.sandbox.lookup(merchant, key)).await
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
        if self.fails.load(Ordering::SeqCst) {
            return Err(Failure::Unavailable);
        }
        self.sandbox.next_due(merchant).await
    }

    async fn run_until(
        &self,
        merchant: &MerchantId,
        until: Timestamp,
    ) -> Result<Vec<Step>, Failure> {
        self.pass(self.sandbox.run_until(merchant, until)).await
    }
}

/// Several reservations with all that an agenda can hold.
struct World {
    app: TestApp,
    trap: Arc<Trap>,
    reservations: Vec<String>,
}

impl World {
    async fn on(engine: Engine) -> Self {
        let mut trap = None;
        let app = TestApp::with_processor(engine, Settings::default(), |sandbox| {
            let set = Trap {
                sandbox,
                calls: AtomicUsize::new(0),
                hangs_at: AtomicUsize::new(NEVER),
                after: AtomicBool::new(false),
                fails: AtomicBool::new(false),
                hanging: Notify::new(),
            };
            Arc::<Trap>::clone(trap.insert(Arc::new(set)))
        })
        .await;
        let app = GuestyDocs::in_app(app).await.app;
        let mut world = Self {
            app,
            trap: trap.unwrap(),
            reservations: Vec::new(),
        };
        world.plan().await;
        world
    }

    async fn plan(&mut self) {
        let stay = json!({
            "listingId": LISTING, "guestId": GUEST, "status": "confirmed",
            "checkInDateLocalized": "2024-01-10", "checkOutDateLocalized": "2024-01-15",
            "money": {"fareAccommodation": 1700, "currency": "USD"},
        });
        for _ in 0..5 {
            let made = self.app.post("/v1/reservations", &stay).await.expect(200);
            let id = made["_id"].as_str().unwrap();
            self.reservations.push(id.to_owned());
        }
        let good = self.card("pm_card_visa").await;
        let declined = self.card("pm_card_chargeDeclined").await;
        let silent = self.card("pm_card_noAnswer").await;
        let deaf = self.card("pm_card_noAnswerNotExecuted").await;
        let paid = self
            .pay(0, json!({"paymentMethod": good, "amount": 100}))
            .await;
        let path = format!("{}/{paid}/refund", self.path(0));
        let refund = json!({"amount": 40, "shouldBePaidAt": "2023-08-20T11:00:00Z"});
        self.app.post(&path, &refund).await.expect(201);
        for (reservation, card, amount, due) in [
            (0, &good, 1, "2023-08-20T10:00:00Z"),
            (0, &good, 2, "2023-08-20T10:00:00Z"),
            (1, &declined, 3, "2023-08-20T10:00:00Z"),
            (2, &good, 4, "2023-08-20T10:05:00Z"),
            (3, &deaf, 5, "2023-08-20T10:05:00Z"),
            // After the silent one is asked for again, and before that.
            (4, &good, 6, "2023-08-20T10:06:00Z"),
            (1, &good, 7, "2023-08-20T10:20:00Z"),
            (2, &silent, 8, "2023-08-20T10:30:00Z"),
            (4, &good, 9, "2023-08-20T23:59:59.999Z"),
            (2, &good, 10, "2023-08-28T12:00:00Z"),
        ] {
            let body = json!({"paymentMethod": card, "amount": 10 * amount, "shouldBePaidAt": due});
            self.pay(reservation, body).await;
        }
        let hold = json!({"paymentMethod": good, "amount": 11, "isAuthorizationHold": true});
        self.pay(3, hold).await;
    }

    fn path(&self, reservation: usize) -> String {
        format!(
            "/v1/reservations/{}/payments",
            self.reservations[reservation]
        )
    }

    async fn card(&self, token: &str) -> Value {
        let path = format!("/v1/guests/{GUEST}/payment-methods");
        let made = self
            .app
            .post(&path, &json!({"stripeCardToken": token}))
            .await;
        json!({"method": "STRIPE", "id": made.json()["_id"]})
    }

    async fn pay(&self, reservation: usize, body: Value) -> String {
        let made = self
            .app
            .post(&self.path(reservation), &body)
            .await
            .expect(201);
        let payments = made["money"]["payments"].as_array().unwrap();
        payments.last().unwrap()["_id"].as_str().unwrap().to_owned()
    }

    /// All that can be seen of it, without ids that are drawn by lot.
    async fn seen(&self) -> Vec<String> {
        let mut seen = Vec::new();
        for reservation in &self.reservations {
            let path = format!("/v1/reservations/{reservation}?fields=money");
            let money = &self.app.get(&path).await.expect(200)["money"];
            seen.push(format!(
                "paid {}, refunded {}",
                money["totalPaid"], money["totalRefunded"]
            ));
            for payment in money["payments"].as_array().unwrap() {
                let [amount, status, paid_at, error] =
                    ["amount", "status", "paidAt", "error"].map(|name| &payment[name]);
                let attempts = payment["attempts"].as_array().unwrap().len();
                let refunds = payment["refunds"].as_array().into_iter().flatten();
                let refunds: Vec<_> = refunds.map(|r| (&r["status"], &r["paidAt"])).collect();
                seen.push(format!(
                    "{amount} {status} {paid_at} {error} {attempts} {refunds:?}"
                ));
            }
        }
        let sandbox = &self.trap.sandbox;
        for sub_account in sandbox
            .sub_accounts(&MerchantId::new("1387"))
            .await
            .unwrap()
        {
            let feed = sandbox.transactions_after(&sub_account.id, Cursor::START, 1000);
            for one in feed.await.unwrap() {
                seen.push(format!(
                    "{} {} {} {:?} {:?} {:?}",
                    one.id,
                    one.kind.name(),
                    one.amount,
                    one.status,
                    one.merchant_at,
                    one.settled_at
                ));
            }
            let feed = sandbox.payouts_after(&sub_account.id, Cursor::START, 1000);
            seen.extend(
                feed.await
                    .unwrap()
                    .iter()
                    .map(|payout| format!("{payout:?}")),
            );
        }
        seen
    }
}

fn until() -> Until {
    Until::new(None, Some("2023-09-12".parse().unwrap())).unwrap()
}

async fn a_killed_advance_goes_on_as_if_it_had_not_been(engine: Engine, every: usize) {
    let twin = World::on(engine).await;
    twin.trap.set(NEVER, false);
    let account = twin.app.account();
    twin.app.platform.advance(account, until()).await.unwrap();
    let calls = twin.trap.calls.load(Ordering::SeqCst);
    assert!(calls > 20, "{calls}");
    let expected = twin.seen().await;

    for call in (0..calls).step_by(every) {
        let world = World::on(engine).await;
        world.trap.set(call, (call / every).is_multiple_of(2));
        let account = world.app.account();
        let platform = Arc::clone(&world.app.platform);
        let advancing = tokio::spawn(async move { platform.advance(account, until()).await });
        world.trap.hanging.notified().await;
        advancing.abort();
        assert!(advancing.await.unwrap_err().is_cancelled());
        // The next is another process, and does not wait until the dead one's lease lapses.
        world.app.sql("DELETE FROM clock_lease").await;
        let node = world.app.another_node().await;
        let advanced = node.advance(account, until()).await.unwrap();
        assert_eq!(advanced.now, "2023-09-12".parse().unwrap());
        assert_eq!(
            world.seen().await,
            expected,
            "killed at call {call} of {calls}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_advance_goes_on_as_if_it_had_not_been_on_sqlite() {
    a_killed_advance_goes_on_as_if_it_had_not_been(Engine::Sqlite, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_advance_goes_on_as_if_it_had_not_been_on_postgres() {
    a_killed_advance_goes_on_as_if_it_had_not_been(Engine::Postgres, 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_that_fails_stops_the_advance_which_can_be_asked_for_again() {
    let world = World::on(Engine::Sqlite).await;
    let account = world.app.account();
    world.trap.fails.store(true, Ordering::SeqCst);
    let stopped = world
        .app
        .platform
        .advance(account, until())
        .await
        .unwrap_err();
    assert!(
        matches!(stopped, AdvanceError::Stopped { .. }),
        "{stopped:?}"
    );
    assert!(
        stopped.to_string().contains("ask again to go on"),
        "{stopped}"
    );
    world.trap.fails.store(false, Ordering::SeqCst);
    let advanced = world.app.platform.advance(account, until()).await.unwrap();
    assert_eq!(advanced.now, "2023-09-12".parse().unwrap());
}
