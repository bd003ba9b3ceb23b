//! A processor whose feeds a test writes itself: it reports, and does nothing else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::Duration;
use contract::Timestamp;
use contract::id::{AccountId, PaymentProviderId};
use money::Money;
use payments::Settings;
use processors::{
    Activity, Answer, AttemptKey, Cursor, Failure, MerchantId, PayoutId, PayoutLine, PayoutRecord,
    PayoutStatus, Processor, Request, SubAccount, SubAccountId, TransactionId, TransactionKind,
    TransactionRecord, TransactionStatus, Verify,
};
use store::testing::{Engine, Fixture};
use tokio::sync::oneshot;

use crate::support::TestApp;

/// Reports what it was told to.
#[derive(Default)]
pub struct Recorded {
    sub_accounts: Mutex<Vec<SubAccount>>,
    records: Mutex<Vec<TransactionRecord>>,
    payouts: Mutex<Vec<PayoutRecord>>,
    is_down: AtomicBool,
    /// Whom the next answer with transactions, or with payouts, waits for.
    halt: Mutex<Option<Waiting>>,
    payout_halt: Mutex<Option<Waiting>>,
}

type Waiting = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// An answer that is on its way, and stays there until it is let go.
pub struct Halted {
    pub is_reached: oneshot::Receiver<()>,
    pub go_on: oneshot::Sender<()>,
}

impl Recorded {
    /// Opens a sub-account such as `1387.2`.
    pub fn open(&self, id: &str, currency: &str) {
        let (merchant, _) = id.split_once('.').unwrap();
        self.sub_accounts.lock().unwrap().push(SubAccount {
            id: SubAccountId::new(id),
            merchant: MerchantId::new(merchant),
            name: "My Company".to_owned(),
            currency: currency.parse().unwrap(),
        });
    }

    /// Reports a charge of 12.34 (in minor units: 1234), and says its id.
    pub fn report(&self, sub_account: &str, at: &str) -> String {
        self.report_with(sub_account, at, |_| {})
    }

    /// Reports a charge that differs from the usual one.
    pub fn report_with(
        &self,
        sub_account: &str,
        at: &str,
        differs: impl FnOnce(&mut TransactionRecord),
    ) -> String {
        let currency = self.sub_account(sub_account).currency;
        let mut records = self.records.lock().unwrap();
        let position = next_position(&records);
        let at: Timestamp = at.parse().unwrap();
        let (merchant, number) = sub_account.split_once('.').unwrap();
        let mut record = TransactionRecord {
            position: Cursor(position),
            id: TransactionId::new(format!("{merchant}{number:0>3}{position:0>12}")),
            sub_account: SubAccountId::new(sub_account),
            key: AttemptKey::new(position.to_string()),
            original: None,
            kind: TransactionKind::Charge,
            status: TransactionStatus::Processed,
            amount: Money::from_minor(1234, currency),
            last4: "0042".to_owned(),
            bin: "424242".to_owned(),
            payment_method: "Visa".to_owned(),
            confirmation_code: Some("HA-123abc".to_owned()),
            merchant_at: at,
            system_at: at,
            settled_at: None,
            arn: Some("74537604221222132710572".to_owned()),
            dynamic_descriptor: "MY COMPANY".to_owned(),
            authorization_or_error_code: "275640".to_owned(),
            case_id: None,
        };
        differs(&mut record);
        let id = record.id.to_string();
        records.push(record);
        id
    }

    /// Reports a known transaction again, as it is now.
    pub fn change(&self, id: &str, differs: impl FnOnce(&mut TransactionRecord)) {
        let mut records = self.records.lock().unwrap();
        let position = next_position(&records);
        let record = records.iter_mut().find(|record| record.id.as_str() == id);
        let record = record.unwrap();
        record.position = Cursor(position);
        differs(record);
    }

    /// Reports a payout of these lines, and says its id.
    pub fn pay_out(
        &self,
        sub_account: &str,
        at: &str,
        lines: impl IntoIterator<Item = (i64, Activity)>,
    ) -> String {
        let currency = self.sub_account(sub_account).currency;
        let mut payouts = self.payouts.lock().unwrap();
        let position = next_payout_position(&payouts);
        let process_at: Timestamp = at.parse().unwrap();
        let lines: Vec<PayoutLine> = (1..)
            .zip(lines)
            .map(|(number, (minor, activity))| PayoutLine {
                number,
                amount: Money::from_minor(minor, currency),
                settled_at: process_at - Duration::days(7),
                activity,
            })
            .collect();
        let sum = lines.iter().map(|line| line.amount.minor()).sum();
        let (merchant, number) = sub_account.split_once('.').unwrap();
        let id = PayoutId::new(format!("{merchant}{number:0>3}9{position:0>11}"));
        payouts.push(PayoutRecord {
            position: Cursor(position),
            id: id.clone(),
            sub_account: SubAccountId::new(sub_account),
            amount: Money::from_minor(sum, currency),
            status: PayoutStatus::Processed,
            process_at,
            rejected_at: None,
            authorization_or_error_code: "136945".to_owned(),
            reissue_of: None,
            descriptor: "MY COMPANY".to_owned(),
            lines,
        });
        id.to_string()
    }

    /// Reports a payout of so many adjustments of 1.00, and says their ids.
    pub fn pay_out_adjustments(&self, sub_account: &str, at: &str, count: usize) -> Vec<String> {
        let position = next_payout_position(&self.payouts.lock().unwrap());
        let ids: Vec<_> = (0..count).map(|n| format!("{position}-{n}")).collect();
        let adjustment = |id: &String| Activity::Adjustment {
            id: id.clone(),
            category: "Goodwill".to_owned(),
        };
        self.pay_out(sub_account, at, ids.iter().map(|id| (100, adjustment(id))));
        ids
    }

    /// Reports a known payout again, as it is now.
    pub fn change_payout(&self, id: &str, differs: impl FnOnce(&mut PayoutRecord)) {
        let mut payouts = self.payouts.lock().unwrap();
        let position = next_payout_position(&payouts);
        let payout = payouts.iter_mut().find(|payout| payout.id.as_str() == id);
        let payout = payout.unwrap();
        payout.position = Cursor(position);
        differs(payout);
    }

    /// Stops answering, or answers again.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Halts the next answer with transactions, once it is made.
    pub fn halt_next(&self) -> Halted {
        halt(&self.halt)
    }

    /// Halts the next answer with payouts, once it is made.
    pub fn halt_next_payouts(&self) -> Halted {
        halt(&self.payout_halt)
    }

    fn sub_account(&self, id: &str) -> SubAccount {
        let all = self.sub_accounts.lock().unwrap();
        all.iter()
            .find(|one| one.id.as_str() == id)
            .unwrap()
            .clone()
    }

    fn check(&self) -> Result<(), Failure> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Failure::Unavailable);
        }
        Ok(())
    }
}

fn halt(place: &Mutex<Option<Waiting>>) -> Halted {
    let (reached, is_reached) = oneshot::channel();
    let (go_on, going_on) = oneshot::channel();
    *place.lock().unwrap() = Some((reached, going_on));
    Halted { is_reached, go_on }
}

async fn wait(place: &Mutex<Option<Waiting>>) {
    let halt = place.lock().unwrap().take();
    if let Some((reached, going_on)) = halt {
        reached.send(()).unwrap();
        going_on.await.unwrap();
    }
}

fn next_payout_position(payouts: &[PayoutRecord]) -> i64 {
    let last = payouts.iter().map(|payout| payout.position.0).max();
    last.unwrap_or(0) + 1
}

fn next_position(records: &[TransactionRecord]) -> i64 {
    let last = records.iter().map(|record| record.position.0).max();
    last.unwrap_or(0) + 1
}

#[async_trait]
impl Processor for Recorded {
    async fn verify(&self, _: Verify) -> Result<Answer, Failure> {
        Err(Failure::Unavailable)
    }

    async fn execute(&self, _: Request) -> Result<Answer, Failure> {
        Err(Failure::Unavailable)
    }

    async fn lookup(&self, _: &MerchantId, _: &AttemptKey) -> Result<Option<Answer>, Failure> {
        Err(Failure::Unavailable)
    }

    async fn sub_accounts(&self, merchant: &MerchantId) -> Result<Vec<SubAccount>, Failure> {
        self.check()?;
        let all = self.sub_accounts.lock().unwrap();
        let of_merchant = all.iter().filter(|one| one.merchant == *merchant);
        Ok(of_merchant.cloned().collect())
    }

    async fn transactions_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<TransactionRecord>, Failure> {
        self.check()?;
        let mut feed = self.records.lock().unwrap().clone();
        feed.retain(|record| record.sub_account == *sub_account && record.position > after);
        feed.sort_by_key(|record| record.position);
        feed.truncate(limit);
        wait(&self.halt).await;
        Ok(feed)
    }

    async fn payouts_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<PayoutRecord>, Failure> {
        self.check()?;
        let mut feed = self.payouts.lock().unwrap().clone();
        feed.retain(|payout| payout.sub_account == *sub_account && payout.position > after);
        feed.sort_by_key(|payout| payout.position);
        feed.truncate(limit);
        wait(&self.payout_halt).await;
        Ok(feed)
    }
}

/// A platform that such a processor reports to, asked by an account without provider.
pub struct Reporting {
    pub app: TestApp,
    pub processor: Arc<Recorded>,
}

impl Fixture for Reporting {
    async fn on(engine: Engine) -> Self {
        Self::with(engine, Settings::default()).await
    }
}

impl Reporting {
    pub async fn with(engine: Engine, settings: Settings) -> Self {
        let processor = Arc::new(Recorded::default());
        let used: Arc<dyn Processor> = Arc::<Recorded>::clone(&processor);
        let app = TestApp::with_processor(engine, settings, |_| used).await;
        let app = app.signed_in().await;
        Self { app, processor }
    }
}

/// A provider as the platform keeps it.
pub async fn add_provider(app: &TestApp, account: AccountId, merchant: Option<&str>) {
    add_provider_with_status(app, account, merchant, "ACTIVE").await;
}

pub async fn add_provider_with_status(
    app: &TestApp,
    account: AccountId,
    merchant: Option<&str>,
    status: &str,
) {
    let id: PaymentProviderId = store::new_id();
    let merchant = merchant.map_or("NULL".to_owned(), |merchant| format!("'{merchant}'"));
    app.sql(format!(
        "INSERT INTO provider (id, account_id, name, method, processor, merchant, status, \
         is_default, created_ms) VALUES ('{id}', '{account}', 'Cards', 'AMARYLLIS', 'SANDBOX', {merchant}, \
         '{status}', TRUE, 0)"
    ))
    .await;
}
