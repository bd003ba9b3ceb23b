//! A client that tries at random, against servers that fail at random: each of its requests is done
//! once.

use std::collections::BTreeMap;

use payments::Platform;
use processors::sandbox::Sandbox;
use processors::{Cursor, MerchantId, Processor, TransactionRecord};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::{Value, json};
use store::on_both_engines;
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::kills::{Death, Mortal};
use super::{LEASE_OVER, PAYMENTS, charge, is_replayed};
use crate::faults::Fault;
use crate::support::Reply;

impl Mortal {
    /// What the processor has on record, in minor units.
    pub(super) async fn moved(&self) -> Vec<i64> {
        let all = transactions(&self.app.sandbox).await;
        all.iter().map(|one| one.amount.minor()).collect()
    }
}

async fn transactions(sandbox: &Sandbox) -> Vec<TransactionRecord> {
    let mut all = Vec::new();
    for sub_account in sandbox
        .sub_accounts(&MerchantId::new("1387"))
        .await
        .unwrap()
    {
        let feed = sandbox.transactions_after(&sub_account.id, Cursor::START, 1000);
        all.extend(feed.await.unwrap());
    }
    all
}

/// What becomes of one try.
#[derive(Debug, Clone, Copy)]
enum Luck {
    Good,
    /// The line to the processor breaks.
    Line(Fault),
    /// The server dies.
    Death(Death),
    /// The client mixes up what it sends.
    Mixed,
}

#[derive(Debug, Clone, Copy)]
struct Try {
    request: usize,
    luck: Luck,
    on_other_node: bool,
    waits: bool,
}

fn luck() -> impl Strategy<Value = Luck> {
    prop_oneof![
        3 => Just(Luck::Good),
        2 => prop::sample::select(vec![
            Fault::Unavailable, Fault::AnswerLost, Fault::RequestLost,
        ]).prop_map(Luck::Line),
        4 => prop::sample::select(vec![
            Death::Claimed, Death::Begun, Death::Called, Death::Done,
        ]).prop_map(Luck::Death),
        1 => Just(Luck::Mixed),
    ]
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let one = (0..4_usize, luck(), any::<bool>(), any::<bool>());
    let one = one.prop_map(|(request, luck, on_other_node, waits)| Try {
        request,
        luck,
        on_other_node,
        waits,
    });
    prop::collection::vec(one, 1..16)
}

/// A client's requests of one round, and what it was told of each.
struct Client<'a> {
    world: &'a Mortal,
    node: std::sync::Arc<Platform>,
    round: u32,
    requests: Vec<(String, Value)>,
    /// The replies that were kept, by request.
    kept: BTreeMap<usize, String>,
}

impl<'a> Client<'a> {
    /// Payments of amounts that nothing else has, and refunds of a payment made for that.
    async fn new(world: &'a Mortal, round: u32) -> Self {
        let app = &world.app;
        let refund = app.path_to(&charge(3), "refund").await;
        let amount =
            |cents: u32| -> Value { serde_json::from_str(&format!("{round}.{cents:02}")).unwrap() };
        Self {
            world,
            node: app.another_node().await,
            round,
            requests: vec![
                (PAYMENTS.to_owned(), charge(amount(1))),
                (PAYMENTS.to_owned(), charge(amount(2))),
                (refund.clone(), json!({"amount": 1})),
                (refund, json!({"amount": 1, "note": "the other"})),
            ],
            kept: BTreeMap::new(),
        }
    }

    async fn send(&self, request: usize, body: &Value, on_other_node: bool) -> Reply {
        let key = format!("{}-{request}", self.round);
        let (path, app) = (&self.requests[request].0, &self.world.app);
        // Days pass over many rounds: this signs in again when the token has expired.
        app.get(PAYMENTS.strip_suffix("/payments").unwrap())
            .await
            .expect(200);
        if on_other_node {
            app.at(&self.node).post_keyed(path, body, &key).await
        } else {
            app.post_keyed(path, body, &key).await
        }
    }

    async fn try_once(&mut self, this: Try) {
        let (_, body) = self.requests[this.request].clone();
        match this.luck {
            Luck::Good => {}
            Luck::Line(fault) => self.world.line.break_with(fault),
            Luck::Death(death) => self.world.die(death).await,
            Luck::Mixed => {
                // Only what was sent before can be mixed up.
                if self.kept.contains_key(&this.request) {
                    let mixed = json!({"amount": 1, "note": "mixed up"});
                    self.send(this.request, &mixed, this.on_other_node)
                        .await
                        .expect(422);
                }
                return;
            }
        }
        let reply = self.send(this.request, &body, this.on_other_node).await;
        let is_dead = matches!(this.luck, Luck::Death(_));
        if let Luck::Death(death) = this.luck {
            self.world.come_back(death).await;
        }
        self.world.line.break_with(Fault::None);
        self.note(this.request, &reply, is_dead);
        if this.waits {
            self.world.app.clock.advance(LEASE_OVER);
        }
    }

    /// A reply that was kept is the same for ever; only a server that is alive keeps one.
    fn note(&mut self, request: usize, reply: &Reply, is_dead: bool) {
        let status = reply.status.as_u16();
        if let Some(kept) = self.kept.get(&request) {
            assert!(is_replayed(reply), "request {request}: {}", reply.text);
            assert_eq!(*kept, reply.text);
            return;
        }
        assert!(!is_replayed(reply), "request {request}: {}", reply.text);
        match status {
            201 if is_dead => {}
            201 => {
                self.kept.insert(request, reply.text.clone());
            }
            409 | 503 => {}
            _ => panic!("request {request}: {status} {}", reply.text),
        }
    }

    /// Goes on until all is answered.
    async fn end(mut self) {
        let app = &self.world.app;
        app.clock.advance(LEASE_OVER);
        for request in 0..self.requests.len() {
            let body = self.requests[request].1.clone();
            let reply = self.send(request, &body, true).await;
            reply.expect(201);
            self.note(request, &reply, false);
        }
        app.clock.advance(chrono::Duration::minutes(30));
        app.platform.run_due().await.unwrap();

        let payments = app.payments().await;
        let moved = self.world.moved().await;
        for (_, body) in &self.requests[..2] {
            let made: Vec<&Value> = payments
                .iter()
                .filter(|payment| payment["amount"] == body["amount"])
                .collect();
            assert_eq!(made.len(), 1, "{body}: {made:?}");
            let minor: i64 = body["amount"].to_string().replace('.', "").parse().unwrap();
            let charges = moved.iter().filter(|amount| **amount == minor).count();
            let is_paid = made[0]["status"] == "SUCCEEDED";
            assert_eq!(charges, usize::from(is_paid), "{made:?}");
        }
        let path = &self.requests[2].0;
        let refunded = payments
            .iter()
            .find(|payment| path.contains(payment["_id"].as_str().unwrap()))
            .unwrap();
        assert_eq!(
            refunded["refunds"].as_array().unwrap().len(),
            2,
            "{refunded:?}"
        );
    }
}

/// How many clients try, unless the environment says otherwise.
fn config() -> Config {
    let mut config = Config {
        failure_persistence: None,
        max_shrink_iters: 40,
        ..Config::default()
    };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 12;
    }
    config
}

on_both_engines! {
    async fn each_request_is_done_once_however_it_is_tried(world: Mortal) {
        let mut runner = TestRunner::new(config());
        let round = std::cell::Cell::new(9);
        let outcome = runner.run(&tries(), |tries| {
            round.set(round.get() + 1);
            block_in_place(|| Handle::current().block_on(async {
                let mut client = Client::new(&world, round.get()).await;
                for one in tries {
                    client.try_once(one).await;
                }
                client.end().await;
            }));
            Ok(())
        });
        if let Err(TestError::Fail(reason, tries)) = outcome {
            panic!("{reason}: {tries:#?}");
        }
    }
}
