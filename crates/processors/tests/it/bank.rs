//! A sandbox with one merchant, for each test, and short ways to ask it.

use std::sync::Arc;

use chrono::Duration;
use contract::Timestamp;
use money::{Currency, Money};
use processors::sandbox::{MIGRATIONS, Sandbox};
use processors::{
    Address, Answer, AttemptKey, Billing, Charge, Cursor, Failure, FollowUp, MerchantId,
    MethodToken, Order, Processor, Request, Shape, SubAccountId, TransactionId, TransactionRecord,
    Verify,
};
use store::Store;
use store::testing::{Engine, Fixture, TestDatabase};

/// A sandbox, and its merchant 1387 with sub-accounts in USD, GBP and KWD.
pub(crate) struct Bank {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) merchant: MerchantId,
    // Dropped last, after the connections.
    database: TestDatabase,
}

impl Fixture for Bank {
    async fn on(engine: Engine) -> Self {
        let database = TestDatabase::new(engine, &[("sandbox", &MIGRATIONS)]);
        let store = Store::open(database.url(), "sandbox", &MIGRATIONS).unwrap();
        let sandbox = Arc::new(Sandbox::open(store));
        let currencies = ["USD", "GBP", "KWD"].map(|code| code.parse().unwrap());
        let merchant = sandbox
            .open_merchant("My Company", &currencies)
            .await
            .unwrap();
        Self {
            sandbox,
            merchant,
            database,
        }
    }
}

impl Bank {
    /// The same books, opened again as after a restart.
    pub(crate) fn reopened(&self) -> Sandbox {
        Sandbox::open(Store::open(self.database.url(), "sandbox", &MIGRATIONS).unwrap())
    }

    /// The same bank, as another merchant uses it.
    pub(crate) fn of(self, merchant: MerchantId) -> Self {
        Self { merchant, ..self }
    }

    pub(crate) fn verify(&self, key: &str, token: &str, shape: Shape) -> Verify {
        Verify {
            key: AttemptKey::new(key),
            merchant: self.merchant.clone(),
            shape,
            token: token.to_owned(),
            currency: None,
            confirmation_code: Some("r2B9jZYJK".to_owned()),
            billing: billing(),
            at: noon(),
        }
    }

    /// Stores a card that can be verified, as GuestyPay does.
    pub(crate) async fn method(&self, token: &str) -> MethodToken {
        self.method_shaped(token, Shape::Amaryllis).await
    }

    pub(crate) async fn method_shaped(&self, token: &str, shape: Shape) -> MethodToken {
        let verify = self.verify(&format!("verify {token} {shape:?}"), token, shape);
        self.sandbox.verify(verify).await.unwrap().method
    }

    pub(crate) fn charge_of(&self, key: &str, method: &MethodToken, amount: Money) -> Charge {
        Charge {
            key: AttemptKey::new(key),
            merchant: self.merchant.clone(),
            method: method.clone(),
            amount,
            order: order(),
            at: noon(),
        }
    }

    pub(crate) async fn charge(
        &self,
        key: &str,
        method: &MethodToken,
        amount: Money,
    ) -> Result<Answer, Failure> {
        self.sandbox
            .execute(Request::Charge(self.charge_of(key, method, amount)))
            .await
    }

    pub(crate) async fn hold(
        &self,
        key: &str,
        method: &MethodToken,
        amount: Money,
    ) -> Result<Answer, Failure> {
        self.sandbox
            .execute(Request::Hold(self.charge_of(key, method, amount)))
            .await
    }

    pub(crate) fn follow_up(
        &self,
        key: &str,
        original: &TransactionId,
        amount: Option<Money>,
    ) -> FollowUp {
        FollowUp {
            key: AttemptKey::new(key),
            merchant: self.merchant.clone(),
            original: original.clone(),
            amount,
            at: noon(),
        }
    }

    pub(crate) async fn capture(
        &self,
        key: &str,
        original: &TransactionId,
        amount: Option<Money>,
    ) -> Result<Answer, Failure> {
        self.sandbox
            .execute(Request::Capture(self.follow_up(key, original, amount)))
            .await
    }

    pub(crate) async fn void(
        &self,
        key: &str,
        original: &TransactionId,
    ) -> Result<Answer, Failure> {
        self.sandbox
            .execute(Request::Void(self.follow_up(key, original, None)))
            .await
    }

    pub(crate) async fn refund(
        &self,
        key: &str,
        original: &TransactionId,
        amount: Option<Money>,
    ) -> Result<Answer, Failure> {
        self.sandbox
            .execute(Request::Refund(self.follow_up(key, original, amount)))
            .await
    }

    /// A refund on the day after everything else, when that is settled.
    pub(crate) async fn refund_next_day(
        &self,
        key: &str,
        original: &TransactionId,
        amount: Option<Money>,
    ) -> Result<Answer, Failure> {
        let refund = self.follow_up(key, original, amount);
        let at = noon() + Duration::days(1);
        self.sandbox
            .execute(Request::Refund(FollowUp { at, ..refund }))
            .await
    }

    pub(crate) async fn lookup(&self, key: &str) -> Option<Answer> {
        self.sandbox
            .lookup(&self.merchant, &AttemptKey::new(key))
            .await
            .unwrap()
    }

    /// The whole feed of the merchant's sub-account with this number.
    pub(crate) async fn feed(&self, number: u8) -> Vec<TransactionRecord> {
        let sub_account = SubAccountId::new(format!("{}.{number}", self.merchant));
        let feed = self
            .sandbox
            .transactions_after(&sub_account, Cursor::START, 10_000);
        feed.await.unwrap()
    }
}

/// 2023-08-14T13:05:00.263Z
pub(crate) fn noon() -> Timestamp {
    "2023-08-14T13:05:00.263Z".parse().unwrap()
}

pub(crate) fn usd(minor: i64) -> Money {
    money(minor, "USD")
}

pub(crate) fn money(minor: i64, currency: &str) -> Money {
    Money::from_minor(minor, currency.parse::<Currency>().unwrap())
}

/// The name of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, Failure>) -> &'static str {
    match answer.unwrap_err() {
        Failure::Refused { code, .. } => code,
        other => panic!("not refused: {other:?}"),
    }
}

fn address() -> Address {
    Address {
        city: Some("New York".to_owned()),
        country: Some("US".to_owned()),
        line1: Some("20 W 34th St".to_owned()),
        line2: None,
        postal_code: Some("10001".to_owned()),
        state: None,
    }
}

pub(crate) fn billing() -> Billing {
    Billing {
        name: Some("John Smith".to_owned()),
        address: address(),
    }
}

fn order() -> Order {
    Order {
        ota: "Manual".to_owned(),
        account_id: "5213a2d206112710005d96ff".to_owned(),
        confirmation_code: "r2B9jZYJK".to_owned(),
        guest_name: "Irving Washington".to_owned(),
        guest_phone: Some("12128765234".to_owned()),
        guest_address: Some(address()),
        listing_id: "64da223eb3de7a002a462fcc".to_owned(),
        payment_id: "64da267c83ad1500284bd104".to_owned(),
        payment_method_id: "64da2367d8d9771c02befbb2".to_owned(),
        reservation_id: "64da254383ad1500284bd0c0".to_owned(),
    }
}
