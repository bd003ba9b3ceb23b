//! Random histories of an account: at every record the mirror shows what a naive model remembers,
//! and the chain folds to it again.

use std::collections::BTreeMap;

use books::mirror::{AsOf, Mirror};
use bytes::Bytes;
use contract::Timestamp;
use guesty::Reply;
use guesty::seen::reservation::Reservation;
use guesty::seen::transaction::Transaction;
use proptest::prelude::*;
use serde_json::{Value, json};
use store::testing::{Engine, Fixture};

use crate::house::{id, reservation, transaction};
use crate::support::Desk;

const REPORT: &str = "/v1/payment-transactions/reports?startDate=2026-11-01&endDate=2026-11-30";

/// What the source says next.
#[derive(Debug, Clone)]
enum Event {
    /// A page of stays, and what was paid for each.
    Page(BTreeMap<usize, u8>),
    /// One stay.
    One(usize, u8),
    /// A stay is gone.
    Gone(usize),
    /// The whole report: transactions and whether they are settled, so many on a page.
    Report(BTreeMap<usize, bool>, usize),
}

fn event() -> impl Strategy<Value = Event> {
    let stays = proptest::collection::btree_map(0..6_usize, 0..3_u8, 0..5);
    let rows = proptest::collection::btree_map(0..5_usize, any::<bool>(), 0..5);
    prop_oneof![
        stays.prop_map(Event::Page),
        (0..6_usize, 0..3_u8).prop_map(|(stay, paid)| Event::One(stay, paid)),
        (0..6_usize).prop_map(Event::Gone),
        (rows, 1..4_usize).prop_map(|(rows, size)| Event::Report(rows, size)),
    ]
}

/// What is known: of stays what was paid, of transactions whether they are settled; and whether
/// they are gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Memory {
    stays: BTreeMap<String, (String, bool)>,
    rows: BTreeMap<String, (bool, bool)>,
}

fn stay(number: usize, paid: u8) -> Value {
    reservation(number, "2026-12-01", &paid.to_string())
}

fn row(number: usize, is_settled: bool) -> Value {
    transaction(
        number,
        "2026-11-03T10:00:00",
        is_settled.then_some("2026-11-05T00:00:00"),
    )
}

fn reply(request: &str, status: u16, body: &Value) -> Reply {
    Reply {
        request: request.to_owned(),
        status,
        body: Bytes::from(body.to_string()),
        received_at: Timestamp::from_millis(1_700_000_000_000),
        sent_at: None,
        request_id: None,
    }
}

impl Event {
    fn replies(&self) -> Vec<Reply> {
        match self {
            Self::Page(stays) => {
                let stays: Vec<Value> = stays
                    .iter()
                    .map(|(number, paid)| stay(*number, *paid))
                    .collect();
                vec![reply(
                    "/v1/reservations?skip=0",
                    200,
                    &json!({"results": stays}),
                )]
            }
            Self::One(number, paid) => {
                vec![reply(
                    &format!("/v1/reservations/{}", id(*number)),
                    200,
                    &stay(*number, *paid),
                )]
            }
            Self::Gone(number) => {
                vec![reply(
                    &format!("/v1/reservations/{}", id(*number)),
                    404,
                    &json!("gone"),
                )]
            }
            Self::Report(rows, size) => {
                let rows: Vec<Value> = rows
                    .iter()
                    .map(|(number, is_settled)| row(*number, *is_settled))
                    .collect();
                let mut pages: Vec<Reply> = rows
                    .chunks(*size)
                    .map(|rows| reply(REPORT, 200, &json!(rows)))
                    .collect();
                pages.push(reply(REPORT, 200, &json!([])));
                pages
            }
        }
    }
}

impl Memory {
    fn learn(&mut self, event: &Event) {
        match event {
            Event::Page(stays) => stays
                .iter()
                .for_each(|(number, paid)| self.see(*number, *paid)),
            Event::One(number, paid) => self.see(*number, *paid),
            Event::Gone(number) => {
                if let Some(stay) = self.stays.get_mut(&id(*number)) {
                    stay.1 = true;
                }
            }
            Event::Report(rows, _) => {
                self.rows.values_mut().for_each(|row| row.1 = true);
                for (number, is_settled) in rows {
                    self.rows
                        .insert(format!("1387{number:015}"), (*is_settled, false));
                }
            }
        }
    }

    fn see(&mut self, number: usize, paid: u8) {
        self.stays.insert(id(number), (paid.to_string(), false));
    }

    /// What the mirror shows.
    async fn shown(mirror: &Mirror, as_of: AsOf) -> Self {
        let stays = mirror.page::<Reservation>("", 100, as_of).await.unwrap();
        let rows = mirror.page::<Transaction>("", 100, as_of).await.unwrap();
        Self {
            stays: (stays.into_iter())
                .map(|known| {
                    let paid = known.value.money.total_paid.get().unwrap().to_string();
                    (known.id, (paid, known.is_removed))
                })
                .collect(),
            rows: (rows.into_iter())
                .map(|known| {
                    let is_settled = !known.value.settlement_date.is_absent();
                    (known.id, (is_settled, known.is_removed))
                })
                .collect(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_mirror_shows_every_moment_of_a_history(events in proptest::collection::vec(event(), 1..25)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let desk = Desk::on(Engine::Sqlite).await;
            let mirror = Mirror::of(&desk.chain);
            let mut memory = Memory::default();
            let mut moments = Vec::new();
            for event in &events {
                let before = memory.clone();
                memory.learn(event);
                let counts = mirror.take_in(&event.replies()).await.unwrap();
                prop_assert_eq!(counts.is_change(), memory != before, "{:?}", event);
                moments.push((desk.chain.tip().await.unwrap().length, memory.clone()));
            }
            for (record, memory) in moments {
                prop_assert_eq!(Memory::shown(&mirror, AsOf::Record(record)).await, memory);
            }
            prop_assert_eq!(Memory::shown(&mirror, AsOf::Now).await, memory);
            let before = mirror.fingerprint().await.unwrap();
            let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
            if before.is_some() {
                prop_assert_eq!(Some(rebuilt.after), before);
            }
            Ok(())
        })?;
    }
}

/// `cargo test --release -p books how_fast -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute; measures"]
async fn how_fast_a_mirror_is_made_and_folded_anew() {
    const PAGES: usize = 500;
    let desk = Desk::on(Engine::Sqlite).await;
    let mirror = Mirror::of(&desk.chain);
    let pages: Vec<Reply> = (0..PAGES)
        .map(|page| {
            let stays: Vec<Value> = (0..100)
                .map(|place| furnished(page * 100 + place))
                .collect();
            reply("/v1/reservations?skip=0", 200, &json!({"results": stays}))
        })
        .collect();
    let measured = async |what: &str, mirror: &Mirror| {
        let began = std::time::Instant::now();
        for page in &pages {
            mirror.take_in(std::slice::from_ref(page)).await.unwrap();
        }
        println!("{} stays {what} in {:?}", PAGES * 100, began.elapsed());
    };
    measured("taken in", &mirror).await;
    measured("met again", &mirror).await;
    let began = std::time::Instant::now();
    let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
    println!("folded anew in {:?}", began.elapsed());
    assert_eq!(rebuilt.before, Some(rebuilt.after));
}

/// A stay of an ordinary size.
fn furnished(number: usize) -> Value {
    let mut stay = stay(number, 1);
    let item = json!({"_id": id(number), "title": "Accommodation fare", "amount": 812.55,
        "currency": "USD", "normalType": "AF", "isTax": false});
    stay["money"]["invoiceItems"] = json!([item, item, item, item]);
    let payment = json!({"_id": id(number), "status": "SUCCEEDED", "amount": 500.05,
        "currency": "USD", "paymentMethod": {"method": "STRIPE", "last4": "4242"},
        "attempts": [{"_id": id(number), "status": "SUCCEEDED"}]});
    stay["money"]["payments"] = json!([payment, payment]);
    stay["guest"] =
        json!({"_id": id(number), "fullName": "Ada Lovelace", "email": "ada@example.com"});
    stay
}
