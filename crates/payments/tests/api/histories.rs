//! Random histories through the platform: payments, holds, refunds, disputes, payouts that come back,
//! time that passes, and servers that die on the way. What both reports say at the end adds up.

mod checks;
mod kills;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::Method;
use chrono::Duration;
use contract::Timestamp;
use money::{Currency, Decimal, Money};
use payments::Settings;
use processors::sandbox::{Adjustment, DeclinedBy, Dispute, DisputeOutcome};
use processors::{
    Cursor, MerchantId, PayoutId, PayoutStatus, Processor, SubAccountId, TransactionId,
    TransactionKind as Kind, TransactionRecord, TransactionStatus,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::{Engine, Fixture};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use self::checks::{Reports, text};
use self::kills::{Kill, ask_doomed, kill};
use crate::faults::Line;
use crate::recorded::add_provider;
use crate::reservations::{listing, make, stay};
use crate::support::{Reply, START, TestApp};

const CURRENCIES: [&str; 3] = ["USD", "JPY", "KWD"];
const CARDS: [&str; 4] = [
    "pm_card_visa",
    "pm_card_chargeDeclined",
    "pm_card_createDispute",
    "pm_card_refundFail",
];
/// All that was put off was done by then, and disputed if ever.
const LATE_DAYS: i64 = 60;
/// All of that is settled by then, its reserve released and paid out.
const END_DAYS: i64 = 120;

#[derive(Debug, Clone)]
enum Event {
    /// A payment at once, or so many hours later.
    Pay {
        stay: Index,
        card: Index,
        minor: i64,
        hours: Option<i64>,
    },
    Hold {
        stay: Index,
        card: Index,
        minor: i64,
    },
    Capture {
        target: Index,
    },
    /// Of a hold, or of a payment that is not due yet.
    Cancel {
        target: Index,
    },
    /// Of a part or of the whole, at once or later.
    Refund {
        target: Index,
        share: i64,
        hours: Option<i64>,
    },
    Advance {
        hours: i64,
    },
    Dispute {
        target: Index,
    },
    Resolve {
        target: Index,
        won: bool,
    },
    Adjust {
        currency: Index,
        minor: i64,
    },
    Reject {
        payout: Index,
    },
    Decline {
        payout: Index,
        by: DeclinedBy,
    },
}

fn event() -> impl Strategy<Value = Event> {
    let any = any::<Index>;
    let minor = || (1..20_000i64).prop_map(|minor| minor * 10);
    let later = || proptest::option::weighted(0.3, 1..240i64);
    let by = prop_oneof![Just(DeclinedBy::Processor), Just(DeclinedBy::User)];
    prop_oneof![
        6 => (any(), any(), minor(), later())
            .prop_map(|(stay, card, minor, hours)| Event::Pay { stay, card, minor, hours }),
        2 => (any(), any(), minor())
            .prop_map(|(stay, card, minor)| Event::Hold { stay, card, minor }),
        2 => any().prop_map(|target| Event::Capture { target }),
        1 => any().prop_map(|target| Event::Cancel { target }),
        3 => (any(), 1..=4i64, later())
            .prop_map(|(target, share, hours)| Event::Refund { target, share, hours }),
        5 => (1..300i64).prop_map(|hours| Event::Advance { hours }),
        2 => any().prop_map(|target| Event::Dispute { target }),
        1 => (any(), proptest::bool::ANY).prop_map(|(target, won)| Event::Resolve { target, won }),
        1 => (any(), -50_000..50_000i64)
            .prop_map(|(currency, minor)| Event::Adjust { currency, minor }),
        1 => any().prop_map(|payout| Event::Reject { payout }),
        1 => (any(), by).prop_map(|(payout, by)| Event::Decline { payout, by }),
    ]
}

/// The platform, behind a line on which calls can hang.
struct World {
    app: TestApp,
    line: Arc<Line>,
}

impl Fixture for World {
    async fn on(engine: Engine) -> Self {
        let mut line = None;
        let app = TestApp::with_processor(engine, Settings::default(), |sandbox| {
            Arc::<Line>::clone(line.insert(Line::new(sandbox)))
        });
        let app = app.await;
        Self {
            app,
            line: line.unwrap(),
        }
    }
}

/// A stay in a currency of its own, and its guest's cards.
struct Stay {
    path: String,
    currency: Currency,
    cards: Vec<String>,
}

/// An account with a history.
struct Play {
    app: Arc<TestApp>,
    line: Arc<Line>,
    merchant: MerchantId,
    stays: Vec<Stay>,
    adjustments: usize,
}

impl Play {
    async fn new(world: &World) -> Self {
        let app = world.app.signed_in().await;
        let currencies = CURRENCIES.map(|code| code.parse().unwrap());
        let opened = app.sandbox.open_merchant("A history", &currencies);
        let merchant = opened.await.unwrap();
        add_provider(&app, app.account(), Some(merchant.as_str())).await;
        let mut stays = Vec::new();
        for currency in currencies {
            stays.push(Stay::new(&app, currency).await);
        }
        Self {
            app: Arc::new(app),
            line: Arc::clone(&world.line),
            merchant,
            stays,
            adjustments: 0,
        }
    }

    /// Asks; when the server dies before it answers, another one is asked the same.
    async fn ask(
        &mut self,
        kill: Option<Kill>,
        method: Method,
        path: String,
        body: Option<Value>,
    ) -> Reply {
        let body = body.map(|body| body.to_string());
        if let Some(kill) = kill {
            let (asked, said) = (path.clone(), body.clone());
            let reply = ask_doomed(&self.app, &self.line, kill, asked, said, method.clone()).await;
            self.app = Arc::new(self.app.at(&self.app.another_node().await));
            if let Some(reply) = reply {
                return reply;
            }
        }
        self.app.send(method, &path, body).await
    }

    /// What the rules refuse is another test's matter; nothing else may go wrong.
    async fn try_ask(
        &mut self,
        kill: Option<Kill>,
        method: Method,
        path: String,
        body: Option<Value>,
    ) {
        let reply = self.ask(kill, method, path, body).await;
        assert!(
            [200, 201, 400].contains(&reply.status.as_u16()),
            "{reply:?}"
        );
    }

    async fn now(&self) -> Timestamp {
        let clock = self.app.get("/sandbox/clock").await.expect(200);
        text(&clock, "now").parse().unwrap()
    }

    async fn advance(&mut self, kill: Option<Kill>, span: Duration) {
        let to = self.now().await + span;
        let body = Some(json!({"to": to.to_string()}));
        let reply = self
            .ask(kill, Method::POST, "/sandbox/advance".to_owned(), body)
            .await;
        // Wall time went on while the dead server was respected, perhaps past the end.
        let is_past = reply.status == 400 && self.now().await > to;
        assert!(is_past || reply.status == 200, "{reply:?}");
    }

    async fn in_hours(&self, hours: Option<i64>) -> Option<String> {
        match hours {
            None => None,
            Some(hours) => Some((self.now().await + Duration::hours(hours)).to_string()),
        }
    }

    async fn play(&mut self, event: Event, kill: Option<Kill>) {
        match event {
            Event::Pay {
                stay,
                card,
                minor,
                hours,
            } => {
                let due = self.in_hours(hours).await;
                let (path, mut body) = stay.get(&self.stays).payment(card, minor);
                if let Some(due) = due {
                    body["shouldBePaidAt"] = due.into();
                }
                self.try_ask(kill, Method::POST, path, Some(body)).await;
            }
            Event::Hold { stay, card, minor } => {
                let (path, mut body) = stay.get(&self.stays).payment(card, minor);
                body["isAuthorizationHold"] = true.into();
                self.try_ask(kill, Method::POST, path, Some(body)).await;
            }
            Event::Capture { target } => {
                if let Some((path, _)) = self
                    .payment(target, &["AUTHORIZATION_HOLD_SUCCEEDED"])
                    .await
                {
                    let path = format!("{path}/capture");
                    self.try_ask(kill, Method::POST, path, Some(json!({})))
                        .await;
                }
            }
            Event::Cancel { target } => {
                let statuses = ["AUTHORIZATION_HOLD_SUCCEEDED", "PENDING"];
                if let Some((path, _)) = self.payment(target, &statuses).await {
                    self.try_ask(kill, Method::PATCH, format!("{path}/cancel"), None)
                        .await;
                }
            }
            Event::Refund {
                target,
                share,
                hours,
            } => {
                let Some((path, paid)) = self.payment(target, &["SUCCEEDED"]).await else {
                    return;
                };
                let part = (paid.minor() / share).max(1);
                let mut body = json!({"amount": number(Money::from_minor(part, paid.currency()))});
                if let Some(due) = self.in_hours(hours).await {
                    body["shouldBePaidAt"] = due.into();
                }
                self.try_ask(kill, Method::POST, format!("{path}/refund"), Some(body))
                    .await;
            }
            Event::Advance { hours } => self.advance(kill, Duration::hours(hours)).await,
            Event::Dispute { target } => self.dispute(target).await,
            Event::Resolve { target, won } => self.resolve(target, won).await,
            Event::Adjust { currency, minor } => {
                if minor != 0 {
                    self.adjust(currency.index(3), minor).await;
                }
            }
            Event::Reject { payout } => {
                if let Some((payout, now)) = self.payout(payout, &[PayoutStatus::Processed]).await {
                    self.app
                        .sandbox
                        .reject_payout(&payout, "R02", now)
                        .await
                        .unwrap();
                }
            }
            Event::Decline { payout, by } => {
                let declinable = [PayoutStatus::Processed, PayoutStatus::PendingDueDate];
                if let Some((payout, now)) = self.payout(payout, &declinable).await {
                    self.app
                        .sandbox
                        .decline_payout(&payout, by, now)
                        .await
                        .unwrap();
                }
            }
        }
    }

    /// One of the payments in some statuses: where it is, and its amount.
    async fn payment(&self, which: Index, statuses: &[&str]) -> Option<(String, Money)> {
        let mut found = Vec::new();
        for stay in &self.stays {
            let money = stay.money(&self.app).await;
            for payment in money["payments"].as_array().unwrap() {
                if statuses.contains(&text(payment, "status")) {
                    let path = format!("{}/payments/{}", stay.path, text(payment, "_id"));
                    found.push((path, stay.amount(&payment["amount"])));
                }
            }
        }
        (!found.is_empty()).then(|| which.get(&found).clone())
    }

    /// In the order of [`CURRENCIES`].
    fn accounts(&self) -> [SubAccountId; 3] {
        [1, 2, 3].map(|number| SubAccountId::new(format!("{}.{number}", self.merchant)))
    }

    /// The processor's own books.
    async fn books(&self) -> Vec<TransactionRecord> {
        let mut all = Vec::new();
        for account in self.accounts() {
            let feed = self
                .app
                .sandbox
                .transactions_after(&account, Cursor::START, 10_000);
            all.extend(feed.await.unwrap());
        }
        all
    }

    async fn dispute(&mut self, target: Index) {
        let mut sales = self.books().await;
        sales.retain(|row| matches!(row.kind.whole(), Kind::Charge | Kind::Capture));
        if sales.is_empty() {
            return;
        }
        self.adjustments += 1;
        let dispute = Dispute {
            transaction: target.get(&sales).id.clone(),
            case_id: format!("case {} of {}", self.adjustments, self.merchant),
            reason: "13.1".to_owned(),
            at: self.now().await,
        };
        let _ = self.app.sandbox.dispute(dispute).await;
    }

    async fn resolve(&self, target: Index, won: bool) {
        let mut chargebacks = self.books().await;
        chargebacks.retain(|row| row.kind == Kind::Chargeback);
        if !chargebacks.is_empty() {
            let outcome = if won {
                DisputeOutcome::Won
            } else {
                DisputeOutcome::Lost
            };
            let (chargeback, now) = (target.get(&chargebacks).id.clone(), self.now().await);
            let _ = self
                .app
                .sandbox
                .resolve_dispute(&chargeback, outcome, now)
                .await;
        }
    }

    async fn adjust(&mut self, currency: usize, minor: i64) {
        self.adjustments += 1;
        let adjustment = Adjustment {
            sub_account: self.accounts()[currency].clone(),
            id: format!("ADJ-{}", self.adjustments),
            category: "Correction".to_owned(),
            amount: Money::from_minor(minor, self.stays[currency].currency),
            at: self.now().await,
        };
        self.app.sandbox.adjust(adjustment).await.unwrap();
    }

    async fn payout(
        &self,
        which: Index,
        statuses: &[PayoutStatus],
    ) -> Option<(PayoutId, Timestamp)> {
        let mut found = Vec::new();
        for account in self.accounts() {
            let feed = self
                .app
                .sandbox
                .payouts_after(&account, Cursor::START, 10_000);
            let payouts = feed.await.unwrap().into_iter();
            found.extend(payouts.filter(|payout| statuses.contains(&payout.status)));
        }
        let payout = (!found.is_empty()).then(|| which.get(&found).id.clone())?;
        Some((payout, self.now().await))
    }

    /// Lets all mature, pays out what is left, and looks whether all adds up.
    async fn end(&mut self) {
        self.advance(None, Duration::days(LATE_DAYS)).await;
        for currency in 0..CURRENCIES.len() {
            // No debt is left to keep a payout waiting.
            self.adjust(currency, 1_000_000_000).await;
        }
        self.advance(None, Duration::days(END_DAYS)).await;
        let now = self.now().await;
        let start: Timestamp = START.parse().unwrap();
        let reports = Reports::read(&self.app, start, now + Duration::days(1)).await;
        reports.check_payouts();
        for account in self.accounts() {
            let balance = self.app.sandbox.balance(&account).await.unwrap();
            reports.check_balance(account.as_str(), &balance);
            reports.check_reserve(account.as_str(), &balance, now);
        }
        let books = self.books().await;
        let mut known: Vec<&str> = books.iter().map(|row| row.id.as_str()).collect();
        let mut told: Vec<&str> = reports
            .transactions
            .iter()
            .map(|row| text(row, "transactionId"))
            .collect();
        known.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, known, "each transaction is told of once");
        self.check_reservations(&books).await;
    }

    /// What reservations have paid and got back is what their processor moved.
    async fn check_reservations(&self, books: &[TransactionRecord]) {
        let processed = || {
            books
                .iter()
                .filter(|row| row.status == TransactionStatus::Processed)
        };
        let mut sales: BTreeMap<TransactionId, i64> = BTreeMap::new();
        for row in
            processed().filter(|row| matches!(row.kind.whole(), Kind::Charge | Kind::Capture))
        {
            sales.insert(root(row), row.amount.minor());
        }
        for stay in &self.stays {
            let in_currency = |row: &&TransactionRecord| row.amount.currency() == stay.currency;
            let (mut paid, mut refunded) = (0, 0);
            for row in processed().filter(in_currency) {
                match row.kind.whole() {
                    Kind::Charge | Kind::Capture => paid += row.amount.minor(),
                    Kind::Refund => refunded += row.amount.minor(),
                    Kind::Void if sales.contains_key(&root(row)) => refunded += row.amount.minor(),
                    _ => {}
                }
            }
            let money = stay.money(&self.app).await;
            assert_eq!(stay.amount(&money["totalPaid"]).minor(), paid, "{money:#}");
            assert_eq!(
                stay.amount(&money["totalRefunded"]).minor(),
                refunded,
                "{money:#}"
            );
        }
    }
}

impl Stay {
    async fn new(app: &TestApp, currency: Currency) -> Self {
        let code = currency.code();
        let home = json!({"title": "House", "timezone": "UTC", "prices": {"currency": code}});
        let mut wanted = stay(&listing(app, home).await);
        wanted["money"] = json!({"fareAccommodation": 10_000_000, "currency": code});
        let made = make(app, &wanted).await;
        let methods = format!("/v1/guests/{}/payment-methods", text(&made, "guestId"));
        let mut cards = Vec::new();
        for card in CARDS {
            let stored = app.post(&methods, &json!({"_id": card})).await.expect(201);
            cards.push(text(&stored, "_id").to_owned());
        }
        let path = format!("/v1/reservations/{}", text(&made, "_id"));
        Self {
            path,
            currency,
            cards,
        }
    }

    fn payment(&self, card: Index, minor: i64) -> (String, Value) {
        let body = json!({
            "paymentMethod": {"method": "AMARYLLIS", "id": card.get(&self.cards)},
            "amount": number(Money::from_minor(minor, self.currency)),
        });
        (format!("{}/payments", self.path), body)
    }

    async fn money(&self, app: &TestApp) -> Value {
        app.get(&format!("{}?fields=money", self.path))
            .await
            .expect(200)["money"]
            .clone()
    }

    /// An amount in major units, as JSON has it.
    fn amount(&self, shown: &Value) -> Money {
        let shown: Decimal = shown.to_string().parse().unwrap();
        Money::from_decimal(&shown, self.currency).unwrap()
    }
}

/// An amount as a JSON number in major units.
fn number(amount: Money) -> Value {
    serde_json::from_str(&amount.shortest()).unwrap()
}

/// The charge or hold that a transaction is, or follows up.
fn root(row: &TransactionRecord) -> TransactionId {
    row.original.clone().unwrap_or_else(|| row.id.clone())
}

/// How many histories are played, unless the environment says otherwise.
fn config() -> Config {
    let mut config = Config {
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 8;
    }
    config
}

on_both_engines! {
    async fn whatever_happens_both_reports_add_up(world: World) {
        let mut runner = TestRunner::new(config());
        let history = proptest::collection::vec((event(), kill()), 1..25);
        let outcome = runner.run(&history, |history| {
            block_in_place(|| Handle::current().block_on(async {
                let mut play = Play::new(&world).await;
                for (event, kill) in history {
                    play.play(event, kill).await;
                }
                play.end().await;
            }));
            Ok(())
        });
        if let Err(TestError::Fail(reason, history)) = outcome {
            panic!("{reason}: {history:#?}");
        }
    }
}
