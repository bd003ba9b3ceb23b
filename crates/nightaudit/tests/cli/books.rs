//! The books against the platform: they mirror what was done, and prove it.

use std::sync::Arc;

use books::Books;
use books::evidence::{Chain, Verdict};
use books::mirror::{AsOf, Change, FlaggedCounts, Kind, Known, Lookup, Mirror, charges};
use books::sync::{Part, Settings, Summary, Sync};
use guesty::seen::payout::PayoutRow;
use guesty::seen::reservation::Reservation;
use guesty::seen::transaction::Transaction;
use guesty::{Guesty, Limits};
use money::{Currency, Decimal, Money};
use serde_json::{Value, json};
use store::testing::{Engine, Fixture, TestDatabase};
use store::{Clock, SystemClock, new_id, on_both_engines};
use vault::{Key, Keyring, Vault};

use crate::support::{Credentials, Home, Server};

const ACCOUNT: &str = "5213a2d206112710005d96ff";
const RESERVATION: &str = "64da254383ad1500284bd0c0";

/// A platform's home, and books elsewhere.
struct Estate {
    home: Home,
    chain: Chain,
    _database: TestDatabase,
}

impl Fixture for Estate {
    async fn on(engine: Engine) -> Self {
        let database = TestDatabase::new(engine, &[(books::STORE_NAME, &books::MIGRATIONS)]);
        let vault = Vault::new(Keyring::new(Key::from_bytes(&[7; 32]), vec![]));
        let books = Books::open(database.url(), Arc::new(vault), Arc::new(SystemClock)).unwrap();
        Self {
            home: Home::on(engine).await,
            chain: books.begin_chain(new_id()).await.unwrap(),
            _database: database,
        }
    }
}

impl Estate {
    async fn sync(&self, server: &Server, credentials: &Credentials) -> Summary {
        let credentials = guesty::Credentials::new(&credentials.id, &credentials.secret);
        let settings = guesty::Settings {
            base_url: server.base.parse().unwrap(),
            limits: Limits {
                per_second: 100_000,
                per_minute: 1_000_000,
                per_hour: 1_000_000,
                ..Limits::full_speed()
            },
            ..guesty::Settings::new(credentials)
        };
        let reader = Guesty::new(settings).unwrap().reader();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let sync = Sync::new(&self.chain, reader, clock, Settings::default());
        let summary = sync.run(&Part::ALL, None, &|_| ()).await.unwrap();
        assert_eq!(summary.problems, []);
        summary
    }

    fn mirror(&self) -> Mirror {
        Mirror::of(&self.chain)
    }

    async fn is_proven(&self) {
        let tip = self.chain.tip().await.unwrap();
        let verdict = self.chain.verify(Some(tip.head), |_| ()).await.unwrap();
        assert_eq!(verdict, Verdict::Sound { tip });
        let rebuilt = self.mirror().rebuild(|_| ()).await.unwrap();
        assert_eq!(rebuilt.before, Some(rebuilt.after));
    }
}

fn exactly(amount: Option<&Decimal>, currency: Currency) -> Money {
    Money::from_decimal(amount.unwrap(), currency).unwrap()
}

on_both_engines! {
    async fn the_books_learn_what_was_paid_and_keep_what_was_before(estate: Estate) {
        let home = &estate.home;
        home.run(&["sandbox", "seed", "--fixture", "guesty-docs"]).expect(0);
        let credentials = home.app(&["--account", ACCOUNT]);
        let server = home.serve(&[]);
        estate.sync(&server, &credentials).await;
        let mirror = estate.mirror();
        let before = mirror.get::<Reservation>(RESERVATION, AsOf::Now).await.unwrap().unwrap();
        let code = before.value.confirmation_code.text().to_owned();
        assert_eq!(before.flags, []);

        let token = server.token(&credentials).await;
        let payment = json!({
            "paymentMethod": {"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"},
            "amount": 500.05,
        });
        let path = format!("/v1/reservations/{RESERVATION}/payments");
        let (status, paid) = server.post(&path, &token, &payment).await;
        assert_eq!(status, 201, "{paid}");
        let summary = estate.sync(&server, &credentials).await;
        assert_eq!(summary.of(Part::Reservations).changed, 1);
        assert!(summary.of(Part::Payments).new > 0);

        let after = mirror.get::<Reservation>(RESERVATION, AsOf::Now).await.unwrap().unwrap();
        assert_eq!(after.value.money.total_paid.get().unwrap().to_string(), "500.05");
        let then = AsOf::Record(after.record - 1);
        let then = mirror.get::<Reservation>(RESERVATION, then).await.unwrap().unwrap();
        assert_eq!(then, before);
        let steps = mirror.history(Kind::Reservation, &code).await.unwrap();
        assert_eq!(steps.iter().map(|step| step.change).collect::<Vec<_>>(), [Change::Appeared, Change::Changed]);
        assert!(steps[1].values.iter().any(|value| {
            value.field == "money.totalPaid" && value.after.as_deref() == Some("500.05")
        }));
        let rows = mirror.find::<Transaction>(Lookup::Code(code), AsOf::Now).await.unwrap();
        let is_charge = |row: &&Known<Transaction>| row.value.transaction_type.text() == "Charge";
        assert_eq!(rows.iter().find(is_charge).unwrap().value.amount.get().unwrap().to_string(), "500.05");
        estate.is_proven().await;
        server.stop();
    }

    async fn a_portfolio_with_a_history_is_mirrored_whole_and_balances(estate: Estate) {
        let home = &estate.home;
        let seeded = home.run(&[
            "sandbox", "seed", "--listings", "4", "--reservations", "60", "--seed", "7", "--format", "json",
        ]).expect(0);
        let seeded: Value = serde_json::from_str(&seeded.stdout).unwrap();
        let account = seeded["account_id"].as_str().or(seeded["account"].as_str()).unwrap();
        let credentials = home.app(&["--account", account]);
        let server = home.serve(&[]);
        let first = estate.sync(&server, &credentials).await;
        assert_eq!(first.total().changed + first.total().removed, 0);
        let mirror = estate.mirror();
        assert_eq!(mirror.count(Kind::Property).await.unwrap(), 4);
        assert!(mirror.count(Kind::Reservation).await.unwrap() >= 60);
        assert_eq!(mirror.count_flagged().await.unwrap(), FlaggedCounts::new());

        // The charges of a stay come to what the host is to get.
        for stay in mirror.page::<Reservation>("", 1_000, AsOf::Now).await.unwrap() {
            let money = &stay.value.money;
            let currency = money.currency.get().unwrap();
            let mut sum = Money::zero(currency);
            for charge in charges(&stay.value) {
                sum = sum.checked_add(exactly(charge.item.amount.value(), currency)).unwrap();
            }
            assert_eq!(sum, exactly(money.host_payout.value(), currency), "{}", stay.id);
        }
        // Each payout is the sum of its lines.
        let lines = mirror.page::<PayoutRow>("", 100_000, AsOf::Now).await.unwrap();
        assert!(!lines.is_empty());
        for line in &lines {
            let payout = line.value.payout_id.text();
            let of_payout = lines.iter().filter(|other| other.value.payout_id.text() == payout);
            let currency = line.value.currency.get().unwrap();
            let mut sum = Money::zero(currency);
            for other in of_payout {
                sum = sum.checked_add(exactly(other.value.activity_amount.value(), currency)).unwrap();
            }
            assert_eq!(sum, exactly(line.value.payout_amount.value(), currency), "{payout}");
        }

        let again = estate.sync(&server, &credentials).await.total();
        assert_eq!((again.new, again.changed, again.removed), (0, 0, 0));
        estate.is_proven().await;
        server.stop();
    }
}
