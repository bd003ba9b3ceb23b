//! Automatic payments: planned by a policy, followed through, and left alone once a person has a hand
//! in them.

mod cards;
mod plans;
mod policies;
mod tries;

use std::sync::Arc;

use payments::Settings;
use serde_json::{Value, json};
use store::testing::{Engine, Fixture};

use crate::faults::Line;
use crate::support::{GuestyDocs, TestApp};

const OF_ACCOUNT: &str = "/v1/accounts/me/auto-payments-policy";
const LISTING: &str = "64da223eb3de7a002a462fcc";
const GUEST: &str = "64da2084867c12ee0c2ca47f";
const METHOD: &str = "64da2367d8d9771c02befbb2";

fn of_listing() -> String {
    format!("/v1/listings/{LISTING}/auto-payments-policy")
}

/// 30 % at confirmation, the rest two weeks before arrival, at nine in the morning.
fn deposit_and_rest() -> Value {
    json!([
        {"type": "PERCENTAGE", "value": 30, "when": "CONFIRMATION"},
        {"type": "REST", "when": "BEFORE_CHECK_IN", "days": 14, "time": "09:00"},
    ])
}

/// The guide's portfolio, whose account has a policy. It is 2023-08-14T13:02 there, and the listing
/// stands in New York.
struct Hotel {
    app: TestApp,
}

impl Fixture for Hotel {
    async fn on(engine: Engine) -> Self {
        Self::of(GuestyDocs::on(engine).await.app).await
    }
}

/// The same, behind a line to the processor that breaks as told.
struct Remote {
    hotel: Hotel,
    line: Arc<Line>,
}

impl Fixture for Remote {
    async fn on(engine: Engine) -> Self {
        let mut line = None;
        let app = TestApp::with_processor(engine, Settings::default(), |sandbox| {
            Arc::<Line>::clone(line.insert(Line::new(sandbox)))
        })
        .await;
        let hotel = Hotel::of(GuestyDocs::in_app(app).await.app).await;
        Self {
            hotel,
            line: line.unwrap(),
        }
    }
}

impl Hotel {
    async fn of(app: TestApp) -> Self {
        let policy = json!({ "policy": deposit_and_rest() });
        app.put(OF_ACCOUNT, &policy).await.expect(200);
        Self { app }
    }

    /// How often the processor was asked to charge.
    async fn charges(&self) -> usize {
        let report = "/v1/payment-transactions/report?startDate=2023-08-14&endDate=2023-08-16";
        let rows = self.app.get(report).await.expect(200);
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["transactionType"] == "Charge")
            .count()
    }

    /// Five nights at 200.00 from 1 October, of the guest whose card is stored.
    async fn book(&self, change: &Value) -> Value {
        let mut stay = json!({
            "listingId": LISTING, "guestId": GUEST, "status": "confirmed",
            "checkInDateLocalized": "2023-10-01", "checkOutDateLocalized": "2023-10-06",
            "money": {"fareAccommodation": 1000},
        });
        for (name, value) in change.as_object().unwrap() {
            stay[name] = value.clone();
        }
        self.app.post("/v1/reservations", &stay).await.expect(200)
    }

    async fn change(&self, reservation: &Value, change: &Value) -> Value {
        self.app.put(&path(reservation), change).await.expect(200)
    }

    async fn now(&self, reservation: &Value) -> Value {
        self.app.get(&path(reservation)).await.expect(200)
    }

    async fn advance(&self, by: &str) -> Value {
        let body = json!({ "by": by });
        self.app.post("/sandbox/advance", &body).await.expect(200)
    }

    /// Stores another card of the guest's: the newest is charged.
    async fn store_card(&self, guest: &str, token: &str) -> String {
        let path = format!("/v1/guests/{guest}/payment-methods");
        let method = json!({ "stripeCardToken": token });
        let made = self.app.post(&path, &method).await.expect(201);
        made["_id"].as_str().unwrap().to_owned()
    }

    async fn told(&self, kind: &str, subject: &Value) -> usize {
        let events = self.app.events().await.into_iter();
        let wanted = (kind.to_owned(), subject.as_str().unwrap().to_owned());
        events.filter(|event| *event == wanted).count()
    }
}

fn path(reservation: &Value) -> String {
    format!("/v1/reservations/{}", reservation["_id"].as_str().unwrap())
}

fn payments(reservation: &Value) -> &Vec<Value> {
    reservation["money"]["payments"].as_array().unwrap()
}

/// The amount, the status and the date of each payment.
fn plan(reservation: &Value) -> Vec<(String, &str, &str)> {
    payments(reservation).iter().map(one_of_plan).collect()
}

fn one_of_plan(payment: &Value) -> (String, &str, &str) {
    (
        payment["amount"].to_string(),
        payment["status"].as_str().unwrap(),
        payment["shouldBePaidAt"].as_str().unwrap(),
    )
}

fn planned<'a>(amount: &str, status: &'a str, at: &'a str) -> (String, &'a str, &'a str) {
    (amount.to_owned(), status, at)
}
