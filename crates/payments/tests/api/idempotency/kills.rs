//! A server that dies while it is at a request: whoever is asked next knows what is left to do.

use std::sync::Arc;

use payments::Settings;
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use super::{LEASE_OVER, METHODS, PAYMENTS, charge, is_replayed};
use crate::faults::{Fault, Line};
use crate::support::{GuestyDocs, TestApp};

/// The guide's portfolio, on a server that can die.
pub(super) struct Mortal {
    pub(super) app: TestApp,
    pub(super) line: Arc<Line>,
    engine: Engine,
}

impl Fixture for Mortal {
    async fn on(engine: Engine) -> Self {
        let mut line = None;
        let app = TestApp::with_processor(engine, Settings::default(), |sandbox| {
            Arc::<Line>::clone(line.insert(Line::new(sandbox)))
        })
        .await;
        Self {
            app: GuestyDocs::in_app(app).await.app,
            line: line.unwrap(),
            engine,
        }
    }
}

/// After which of its commits a server dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// The key is committed, and nothing else.
    Claimed,
    /// The attempt is committed; the processor never hears of it.
    Begun,
    /// The processor has done it, and its answer is not committed.
    Called,
    /// All is committed but the reply.
    Done,
}

/// What a dead server no longer writes after the key.
const NEVER_BEGUN: [&str; 3] = [
    "INSERT ON payment",
    "INSERT ON payment_method",
    "INSERT ON attempt",
];
const NEVER_ANSWERED: [&str; 1] = ["UPDATE ON attempt"];
/// It neither lets go of the key nor keeps a reply.
const NEVER_LET_GO: [&str; 1] = ["UPDATE OF status, held_until_ms ON idempotency_key"];
/// Whoever takes over from it does.
const BY_THE_DEAD: &str = "FOR EACH ROW WHEN (OLD.holder = NEW.holder)";

impl Death {
    const ALL: [Self; 4] = [Self::Claimed, Self::Begun, Self::Called, Self::Done];

    fn never_written(self) -> Vec<&'static str> {
        let before: &[&str] = match self {
            Self::Claimed => &NEVER_BEGUN,
            Self::Begun | Self::Called => &NEVER_ANSWERED,
            Self::Done => &[],
        };
        [before, &NEVER_LET_GO].concat()
    }
}

impl Mortal {
    /// From now on the server behaves as if it died there: nothing that would come after is kept.
    pub(super) async fn die(&self, death: Death) {
        if death == Death::Begun {
            self.line.break_with(Fault::RequestLost);
        }
        if self.engine == Engine::Postgres {
            let fail = "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
                        $$ BEGIN RAISE EXCEPTION 'disk I/O error'; END $$";
            self.app.sql(fail).await;
        }
        for (number, write) in death.never_written().into_iter().enumerate() {
            let fail = match self.engine {
                Engine::Sqlite => "BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END",
                Engine::Postgres => "EXECUTE FUNCTION fail()",
            };
            let rows = if NEVER_LET_GO.contains(&write) {
                BY_THE_DEAD
            } else {
                "FOR EACH ROW"
            };
            let trigger = format!("CREATE TRIGGER dead_{number} BEFORE {write} {rows} {fail}");
            self.app.sql(trigger).await;
        }
    }

    /// Another server has the same database.
    pub(super) async fn come_back(&self, death: Death) {
        self.line.break_with(Fault::None);
        if self.engine == Engine::Postgres {
            self.app.sql("DROP FUNCTION fail() CASCADE").await;
            return;
        }
        for number in 0..death.never_written().len() {
            self.app.sql(format!("DROP TRIGGER dead_{number}")).await;
        }
    }

    /// Sends a request to a server that dies at it, then to another until it is answered.
    async fn ask_twice(&self, path: &str, body: &Value, death: Death) -> Value {
        let app = &self.app;
        self.die(death).await;
        app.post_keyed(path, body, "k").await;
        self.come_back(death).await;

        let node = app.another_node().await;
        let other = app.at(&node);
        let too_early = other.post_keyed(path, body, "k").await;
        too_early.expect(409);
        assert_eq!(too_early.headers["retry-after"], "1");
        app.clock.advance(LEASE_OVER);
        let answered = other.post_keyed(path, body, "k").await;
        assert!(!is_replayed(&answered));
        let again = app.post_keyed(path, body, "k").await;
        assert!(is_replayed(&again));
        assert_eq!(again.text, answered.text);
        answered.expect(201)
    }
}

on_both_engines! {
    async fn a_payment_is_made_once_whenever_its_server_dies(mortal: Mortal) {
        for (count, death) in Death::ALL.into_iter().enumerate() {
            let world = Mortal::on(mortal.engine).await;
            // Others' payments are there as well, on every second of them.
            if count % 2 == 0 {
                world.app.post(PAYMENTS, &charge(9)).await.expect(201);
            }
            let reply = world.ask_twice(PAYMENTS, &charge(70), death).await;
            let paid = reply["money"]["payments"].as_array().unwrap().clone();
            assert_eq!(paid.last().unwrap()["status"], "SUCCEEDED", "{death:?}");
            assert_eq!(paid, world.app.payments().await, "{death:?}");
            let made: Vec<_> = paid.iter().filter(|paid| paid["amount"] == json!(70)).collect();
            assert_eq!(made.len(), 1, "{death:?}");
            assert_eq!(made[0]["attempts"].as_array().unwrap().len(), 1, "{death:?}");
            assert_eq!(world.moved().await.iter().filter(|sum| **sum == 7000).count(), 1);
        }
    }

    async fn a_refund_is_made_once_whenever_its_server_dies(mortal: Mortal) {
        for death in Death::ALL {
            let world = Mortal::on(mortal.engine).await;
            let refund = world.app.path_to(&charge(70), "refund").await;
            let before = world.moved().await.len();
            let reply = world.ask_twice(&refund, &json!({"amount": 30}), death).await;
            let refunds = &reply["money"]["payments"][0]["refunds"];
            assert_eq!(refunds.as_array().unwrap().len(), 1, "{death:?}");
            assert_eq!(refunds[0]["status"], "SUCCEEDED", "{death:?}");
            assert_eq!(world.moved().await.len(), before + 1, "{death:?}");
        }
    }

    async fn a_capture_is_made_once_whenever_its_server_dies(mortal: Mortal) {
        for death in Death::ALL {
            let world = Mortal::on(mortal.engine).await;
            let mut hold = charge(80);
            hold["isAuthorizationHold"] = true.into();
            let capture = world.app.path_to(&hold, "capture").await;
            let before = world.moved().await.len();
            let reply = world.ask_twice(&capture, &json!({"amount": 30}), death).await;
            let captured = &reply["money"]["payments"][0];
            assert_eq!(captured["status"], "SUCCEEDED", "{death:?}");
            assert_eq!(captured["attempts"].as_array().unwrap().len(), 2, "{death:?}");
            assert_eq!(world.moved().await.len(), before + 1, "{death:?}");
        }
    }

    async fn a_method_is_made_once_whenever_its_server_dies(mortal: Mortal) {
        for death in [Death::Claimed, Death::Done] {
            let world = Mortal::on(mortal.engine).await;
            let body = json!({"stripeCardToken": "pm_card_visa"});
            let before = world.moved().await.len();
            let made = world.ask_twice(METHODS, &body, death).await;
            let listed = world.app.get(METHODS).await.expect(200);
            assert_eq!(listed.as_array().unwrap().len(), 2, "{death:?}");
            assert_eq!(listed[1]["_id"], made["_id"], "{death:?}");
            assert_eq!(world.moved().await.len(), before + 1, "verified once: {death:?}");
        }
    }

    async fn a_payment_for_later_is_planned_once_whenever_its_server_dies(mortal: Mortal) {
        for death in [Death::Claimed, Death::Done] {
            let world = Mortal::on(mortal.engine).await;
            let mut later = charge(70);
            later["shouldBePaidAt"] = "2023-09-01".into();
            world.ask_twice(PAYMENTS, &later, death).await;
            let planned = world.app.payments().await;
            assert_eq!(planned.len(), 1, "{death:?}");
            assert_eq!(planned[0]["status"], "PENDING", "{death:?}");
        }
    }

    async fn a_failure_is_not_kept_and_may_be_tried_again_at_once(mortal: Mortal) {
        let app = &mortal.app;
        app.sql("ALTER TABLE domain_event RENAME TO away").await;
        let failed = app.post_keyed(METHODS, &json!({"_id": "pm_card_visa"}), "k").await;
        app.sql("ALTER TABLE away RENAME TO domain_event").await;
        failed.expect(500);
        let again = app.post_keyed(METHODS, &json!({"_id": "pm_card_visa"}), "k").await;
        again.expect(201);
        assert!(!is_replayed(&again));
    }

    async fn a_server_that_was_given_up_too_early_does_nothing_any_more(mortal: Mortal) {
        let app = Arc::new(mortal.app);
        let go_on = mortal.line.halt();
        let slow = Arc::clone(&app);
        let slow = tokio::spawn(async move { slow.post_keyed(PAYMENTS, &charge(70), "k").await });
        mortal.line.hanging.notified().await;
        app.post_keyed(PAYMENTS, &charge(70), "k").await.expect(409);
        app.clock.advance(LEASE_OVER);
        let node = app.another_node().await;
        let taken_over = app.at(&node).post_keyed(PAYMENTS, &charge(70), "k").await;
        taken_over.expect(201);

        go_on.send(()).unwrap();
        slow.await.unwrap().expect(409);
        let again = app.post_keyed(PAYMENTS, &charge(70), "k").await;
        assert_eq!(again.text, taken_over.text);
        assert_eq!(app.payments().await.len(), 1);
    }
}
