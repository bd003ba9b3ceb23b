//! What goes wrong between the platform and its processor: nothing is lost, nothing is done twice.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::Duration;
use contract::Timestamp;
use payments::Settings;
use processors::sandbox::Sandbox;
use processors::{
    Answer, AttemptKey, Cursor, Failure, MerchantId, PayoutRecord, Processor, Request, Step,
    SubAccount, SubAccountId, TransactionRecord, Verify,
};
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::{Engine, Fixture};
use tokio::sync::{Notify, oneshot};

use crate::advance::told_of_ours;
use crate::support::{GuestyDocs, TestApp};

const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";
const RESERVATION: &str = "/v1/reservations/64da254383ad1500284bd0c0?fields=money";
const ADVANCE: &str = "/sandbox/advance";
const CLOCK: &str = "/sandbox/clock";
const METHOD: &str = "64da2367d8d9771c02befbb2";

/// What happens to the next call that moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The processor is not there.
    Unavailable,
    /// It does what it was asked, and its answer is lost.
    AnswerLost,
    /// It never hears of it.
    RequestLost,
    /// It does what it was asked and never answers, until the caller is gone.
    HangsAfter,
    /// It hangs before it does anything, until the caller is gone.
    HangsBefore,
    /// The request is late: it arrives just before the next one.
    Late,
}

/// A line to the sandbox that breaks as told.
pub(crate) struct Line {
    sandbox: Arc<Sandbox>,
    fault: Mutex<Fault>,
    /// Whether the line is down for look-ups too.
    is_down: Mutex<bool>,
    pub(crate) hanging: Notify,
    moves: AtomicUsize,
    /// The charge that is late.
    late: Mutex<Option<Request>>,
    /// What the next question about sub-accounts waits for.
    gate: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Line {
    pub(crate) fn new(sandbox: Arc<Sandbox>) -> Arc<Self> {
        Arc::new(Self {
            sandbox,
            fault: Mutex::new(Fault::None),
            is_down: Mutex::new(false),
            hanging: Notify::new(),
            moves: AtomicUsize::new(0),
            late: Mutex::default(),
            gate: Mutex::default(),
        })
    }

    pub(crate) fn break_with(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Lets the next question about sub-accounts wait until told to go on.
    pub(crate) fn halt(&self) -> oneshot::Sender<()> {
        let (go_on, told) = oneshot::channel();
        *self.gate.lock().unwrap() = Some(told);
        go_on
    }

    fn cut(&self, is_down: bool) {
        *self.is_down.lock().unwrap() = is_down;
    }

    async fn carry(
        &self,
        call: impl Future<Output = Result<Answer, Failure>> + Send,
    ) -> Result<Answer, Failure> {
        let fault = std::mem::replace(&mut *self.fault.lock().unwrap(), Fault::None);
        self.moves.fetch_add(1, Ordering::SeqCst);
        match fault {
            Fault::None => call.await,
            Fault::Unavailable => Err(Failure::Unavailable),
            Fault::RequestLost | Fault::Late => Err(Failure::Unanswered),
            Fault::AnswerLost => {
                call.await?;
                Err(Failure::Unanswered)
            }
            Fault::HangsAfter => {
                call.await?;
                self.hanging.notify_one();
                std::future::pending().await
            }
            Fault::HangsBefore => {
                self.hanging.notify_one();
                std::future::pending().await
            }
        }
    }
}

#[async_trait]
impl Processor for Line {
    async fn verify(&self, request: Verify) -> Result<Answer, Failure> {
        self.sandbox.verify(request).await
    }

    async fn execute(&self, request: Request) -> Result<Answer, Failure> {
        if matches!(request, Request::Charge(_)) {
            let late = self.late.lock().unwrap().take();
            if let Some(late) = late {
                self.sandbox.execute(late).await?;
            }
            if *self.fault.lock().unwrap() == Fault::Late {
                *self.late.lock().unwrap() = Some(request.clone());
            }
        }
        self.carry(self.sandbox.execute(request)).await
    }

    async fn lookup(
        &self,
        merchant: &MerchantId,
        key: &AttemptKey,
    ) -> Result<Option<Answer>, Failure> {
        if *self.is_down.lock().unwrap() {
            return Err(Failure::Unavailable);
        }
        self.sandbox.lookup(merchant, key).await
    }

    async fn sub_accounts(&self, merchant: &MerchantId) -> Result<Vec<SubAccount>, Failure> {
        let gate = self.gate.lock().unwrap().take();
        if let Some(gate) = gate {
            self.hanging.notify_one();
            gate.await.unwrap();
        }
        self.sandbox.sub_accounts(merchant).await
    }

    async fn transactions_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<TransactionRecord>, Failure> {
        self.sandbox
            .transactions_after(sub_account, after, limit)
            .await
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

/// The guide's portfolio behind a line that breaks as told.
struct Broken {
    app: Arc<TestApp>,
    line: Arc<Line>,
}

impl Fixture for Broken {
    async fn on(engine: Engine) -> Self {
        let mut line = None;
        let app = TestApp::with_processor(engine, Settings::default(), |sandbox| {
            Arc::<Line>::clone(line.insert(Line::new(sandbox)))
        })
        .await;
        let app = Arc::new(GuestyDocs::in_app(app).await.app);
        Self {
            app,
            line: line.unwrap(),
        }
    }
}

impl Broken {
    fn charge(amount: u32) -> Value {
        json!({"paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": amount})
    }

    fn later(amount: u32, date: &str) -> Value {
        let mut body = Self::charge(amount);
        body["shouldBePaidAt"] = date.into();
        body
    }

    async fn newest(&self) -> Value {
        let money = self.money().await;
        money["payments"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone()
    }

    async fn money(&self) -> Value {
        self.app.get(RESERVATION).await.expect(200)["money"].clone()
    }

    /// Charges, and goes away while the processor hangs.
    async fn charge_and_go_away(&self, fault: Fault) {
        self.line.break_with(fault);
        let app = Arc::clone(&self.app);
        let asking = tokio::spawn(async move { app.post(PAYMENTS, &Self::charge(70)).await });
        self.line.hanging.notified().await;
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
    }

    async fn let_pass(&self, span: Duration) {
        self.app.clock.advance(span);
        self.app.platform.run_due().await.unwrap();
    }
}

on_both_engines! {
    async fn a_processor_that_is_not_there_leaves_a_failed_payment(broken: Broken) {
        broken.line.break_with(Fault::Unavailable);
        let reply = broken.app.post(PAYMENTS, &Broken::charge(70)).await.expect(201);
        assert_eq!(reply["money"]["payments"][0]["status"], "FAILED");
        assert_eq!(broken.money().await["totalPaid"], json!(0));
    }

    async fn a_lost_answer_is_looked_up_at_once(broken: Broken) {
        broken.line.break_with(Fault::AnswerLost);
        let reply = broken.app.post(PAYMENTS, &Broken::charge(70)).await.expect(201);
        assert_eq!(reply["money"]["payments"][0]["status"], "SUCCEEDED");
        assert_eq!(broken.line.moves.load(Ordering::SeqCst), 1);
    }

    async fn a_lost_answer_is_found_once_the_line_is_up_again(broken: Broken) {
        broken.line.cut(true);
        broken.line.break_with(Fault::AnswerLost);
        let reply = broken.app.post(PAYMENTS, &Broken::charge(70)).await.expect(201);
        assert_eq!(reply["money"]["payments"][0]["status"], "PENDING");
        broken.let_pass(Duration::minutes(5)).await;
        assert_eq!(broken.newest().await["status"], "PENDING");

        broken.line.cut(false);
        broken.let_pass(Duration::minutes(30)).await;
        assert_eq!(broken.newest().await["status"], "SUCCEEDED");
        assert_eq!(broken.money().await["totalPaid"], json!(70));
        assert_eq!(broken.line.moves.load(Ordering::SeqCst), 1, "money moved once");
    }

    async fn a_lost_answer_on_a_method_for_one_payment_is_found_too(broken: Broken) {
        broken.line.cut(true);
        broken.line.break_with(Fault::AnswerLost);
        let once = json!({
            "paymentMethod": {"method": "STRIPE", "id": METHOD, "saveForFutureUse": false},
            "amount": 70,
        });
        broken.app.post(PAYMENTS, &once).await.expect(201);
        broken.line.cut(false);
        broken.let_pass(Duration::minutes(5)).await;
        assert_eq!(broken.newest().await["status"], "SUCCEEDED");
        assert_eq!(broken.line.moves.load(Ordering::SeqCst), 1, "money moved once");
    }

    async fn a_lost_request_is_sent_again_under_its_own_key(broken: Broken) {
        broken.line.break_with(Fault::RequestLost);
        let reply = broken.app.post(PAYMENTS, &Broken::charge(70)).await.expect(201);
        assert_eq!(reply["money"]["payments"][0]["status"], "PENDING");
        broken.let_pass(Duration::minutes(5)).await;
        let paid = broken.newest().await;
        assert_eq!(paid["status"], "SUCCEEDED");
        assert_eq!(paid["attempts"].as_array().unwrap().len(), 1);
    }

    async fn a_charge_whose_caller_died_is_found_after_the_fact(broken: Broken) {
        broken.charge_and_go_away(Fault::HangsAfter).await;
        assert_eq!(broken.newest().await["status"], "PENDING");
        broken.let_pass(Duration::minutes(3)).await;
        assert_eq!(broken.newest().await["status"], "SUCCEEDED");
        assert_eq!(broken.money().await["totalPaid"], json!(70));
        assert_eq!(broken.line.moves.load(Ordering::SeqCst), 1, "money moved once");
    }

    async fn a_charge_that_never_left_is_made_after_the_fact(broken: Broken) {
        broken.charge_and_go_away(Fault::HangsBefore).await;
        broken.let_pass(Duration::minutes(3)).await;
        assert_eq!(broken.newest().await["status"], "SUCCEEDED");
        assert_eq!(broken.money().await["totalPaid"], json!(70));
    }

    async fn a_refund_without_an_answer_blocks_its_amount_until_it_is_known(broken: Broken) {
        let paid = broken.app.post(PAYMENTS, &Broken::charge(100)).await.expect(201);
        let id = paid["money"]["payments"][0]["_id"].as_str().unwrap().to_owned();
        let refund = format!("{PAYMENTS}/{id}/refund");
        broken.line.cut(true);
        broken.line.break_with(Fault::AnswerLost);
        let reply = broken.app.post(&refund, &json!({"amount": 80})).await.expect(201);
        assert_eq!(reply["money"]["payments"][0]["refunds"][0]["status"], "PROCESSING");
        broken.app.post(&refund, &json!({"amount": 30})).await.expect(400);

        broken.line.cut(false);
        broken.let_pass(Duration::minutes(5)).await;
        assert_eq!(broken.newest().await["refunds"][0]["status"], "SUCCEEDED");
        assert_eq!(broken.money().await["totalRefunded"], json!(80));
    }

    async fn a_late_request_that_meets_its_repetition_is_not_taken_for_a_refusal(broken: Broken) {
        broken.line.break_with(Fault::Late);
        broken.app.post(PAYMENTS, &Broken::charge(70)).await.expect(201);
        // The repetition tells the processor another name, so it is not the same request to it.
        broken.app.put(
            "/v1/guests-crud/64da2084867c12ee0c2ca47f", &json!({"lastName": "Irving"}),
        ).await.expect(200);
        broken.let_pass(Duration::minutes(3)).await;
        assert_eq!(broken.newest().await["status"], "SUCCEEDED", "the card was charged");
        assert_eq!(broken.money().await["totalPaid"], json!(70));
    }

    async fn an_answer_that_cannot_be_kept_leaves_a_payment_that_is_found_later(broken: Broken) {
        broken.app.sql("ALTER TABLE domain_event RENAME TO away").await;
        let reply = broken.app.post(PAYMENTS, &Broken::charge(70)).await;
        broken.app.sql("ALTER TABLE away RENAME TO domain_event").await;
        // Whoever is told that nothing was done pays again.
        assert_eq!(reply.expect(201)["money"]["payments"][0]["status"], "PENDING");
        broken.let_pass(Duration::minutes(3)).await;
        assert_eq!(broken.newest().await["status"], "SUCCEEDED");
        assert_eq!(broken.money().await["totalPaid"], json!(70));
        assert_eq!(broken.line.moves.load(Ordering::SeqCst), 1, "money moved once");
    }

    async fn payments_that_cannot_be_made_do_not_keep_others_waiting(broken: Broken) {
        let app = &broken.app;
        let later = json!({
            "paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": 1,
            "shouldBePaidAt": "2023-09-01",
        });
        for _ in 0..70 {
            app.post(PAYMENTS, &later).await.expect(201);
        }
        let other = app.post(
            "/v1/guests/64da2084867c12ee0c2ca47f/payment-methods",
            &json!({"stripeCardToken": "pm_card_visa"}),
        ).await.expect(201);
        // The method's provider stays; the others' is no longer known to the processor.
        app.sql(
            "INSERT INTO provider (id, account_id, name, method, processor, merchant, status, \
             is_default, created_ms) SELECT '0123456789abcdef01234567', account_id, name, method, \
             processor, '9999', status, is_default, created_ms FROM provider"
        ).await;
        app.sql(format!(
            "UPDATE payment_method SET provider_id = '0123456789abcdef01234567' WHERE id = '{METHOD}'"
        )).await;
        app.post(PAYMENTS, &json!({
            "paymentMethod": {"method": "STRIPE", "id": other["_id"]}, "amount": 7,
            "shouldBePaidAt": "2023-09-02",
        })).await.expect(201);
        broken.let_pass(Duration::days(30)).await;
        assert_eq!(broken.money().await["totalPaid"], json!(7));
    }

    async fn an_advance_that_was_killed_stands_at_the_last_instant_done_and_goes_on(broken: Broken) {
        for day in ["2023-08-20", "2023-08-21", "2023-08-22"] {
            broken.app.post(PAYMENTS, &Broken::later(10, day)).await.expect(201);
        }
        let to = json!({"to": "2023-08-25"});
        for (fault, stands_at) in [
            (Fault::HangsAfter, "2023-08-14T13:02:00.000Z"),
            (Fault::HangsBefore, "2023-08-20T23:59:59.999Z"),
        ] {
            broken.line.break_with(fault);
            let app = Arc::clone(&broken.app);
            let asked = to.clone();
            let advancing = tokio::spawn(async move { app.post(ADVANCE, &asked).await });
            broken.line.hanging.notified().await;
            advancing.abort();
            assert!(advancing.await.unwrap_err().is_cancelled());
            let clock = broken.app.get(CLOCK).await.expect(200);
            assert_eq!(clock["now"], stands_at);
        }

        let advanced = broken.app.post(ADVANCE, &to).await.expect(200);
        assert_eq!(advanced["from"], "2023-08-20T23:59:59.999Z");
        assert_eq!(advanced["now"], "2023-08-25T00:00:00.000Z");
        // What was begun is ended as of its own instant, as if nobody had been killed.
        assert_eq!(told_of_ours(&advanced), [
            ("2023-08-21T00:00:00.000Z", "payment", "SUCCEEDED"),
            ("2023-08-22T00:00:00.000Z", "payment", "SUCCEEDED"),
        ]);
        assert_eq!(broken.money().await["totalPaid"], json!(30));
        assert_eq!(broken.line.moves.load(Ordering::SeqCst), 4, "one request never left");
    }

    async fn two_advances_of_one_account_take_turns(broken: Broken) {
        broken.app.post(PAYMENTS, &Broken::later(10, "2023-08-20")).await.expect(201);
        broken.line.break_with(Fault::HangsAfter);
        let app = Arc::clone(&broken.app);
        let first = tokio::spawn(async move { app.post(ADVANCE, &json!({"by": "7d"})).await });
        broken.line.hanging.notified().await;
        let app = Arc::clone(&broken.app);
        let second = tokio::spawn(async move { app.post(ADVANCE, &json!({"by": "7d"})).await });
        // The agenda's own loop has nothing to do before the clock is there.
        assert_eq!(broken.app.platform.run_due().await.unwrap(), 0);
        assert!(!second.is_finished());
        first.abort();
        let second = second.await.unwrap().expect(200);
        assert_eq!(second["from"], "2023-08-14T13:02:00.000Z");
        assert_eq!(second["now"], "2023-08-21T13:02:00.000Z");
        let paid = broken.money().await;
        assert_eq!(paid["totalPaid"], json!(10));
        assert_eq!(paid["payments"][0]["paidAt"], "2023-08-20T00:00:00.000Z");
        assert_eq!(broken.line.moves.load(Ordering::SeqCst), 1, "money moved once");
    }

    async fn an_unanswered_attempt_is_asked_for_on_the_way(broken: Broken) {
        broken.line.cut(true);
        broken.line.break_with(Fault::AnswerLost);
        broken.app.post(PAYMENTS, &Broken::charge(70)).await.expect(201);
        let asked_in_vain = broken.app.post(ADVANCE, &json!({"by": "5m"})).await.expect(200);
        assert_eq!(asked_in_vain["happened"].as_array().unwrap().len(), 2);
        assert_eq!(asked_in_vain["happened"][1]["result"], "PENDING");
        broken.line.cut(false);
        let found = broken.app.post(ADVANCE, &json!({"by": "1d"})).await.expect(200);
        assert_eq!(told_of_ours(&found), [("2023-08-14T13:10:00.000Z", "attempt", "SUCCEEDED")]);
        assert_eq!(broken.line.moves.load(Ordering::SeqCst), 1, "money moved once");
    }

    async fn a_scheduled_payment_due_on_two_nodes_is_charged_once(broken: Broken) {
        let body = json!({
            "paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": 70,
            "shouldBePaidAt": "2023-09-01",
        });
        broken.app.post(PAYMENTS, &body).await.expect(201);
        broken.app.clock.advance(Duration::days(30));
        let (one, other) = (&broken.app.platform, &broken.app.platform);
        let (one, other) = tokio::join!(one.run_due(), other.run_due());
        one.unwrap();
        other.unwrap();
        assert_eq!(broken.newest().await["status"], "SUCCEEDED");
        assert_eq!(broken.line.moves.load(Ordering::SeqCst), 1, "money moved once");
    }
}
