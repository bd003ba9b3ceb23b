//! A hostile network between the source and the books: messages are lost, late, doubled, reordered
//! and forged, processes die, the source fails. In the end the mirror is right, and nothing forged
//! was ever taken.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;
use standardwebhooks::Webhook;
use store::testing::{Engine, Fixture};

use crate::house::{id, reservation};
use crate::post::{Message, Post};

const STAYS: usize = 3;

/// What happens next.
#[derive(Debug, Clone)]
enum Event {
    /// A stay changes at the source, which tells of it in one of its ways.
    Paid(usize, u8, Way, Fate),
    /// It is taken away, or put back.
    Moved(usize, Way, Fate),
    /// The oldest or the newest message that is late arrives.
    Arrives(bool),
    /// Somebody makes a message up, or changes one on its way.
    Forged(usize, Forgery),
    /// The jobs do what is due.
    Work,
    /// They die in the middle of it.
    Dies(usize),
    /// So many seconds pass.
    Pass(u16),
    /// The source fails with a stay, or with none any more.
    Fails(Option<usize>),
}

#[derive(Debug, Clone, Copy)]
enum Way {
    First,
    Second,
    Folio,
}

/// What the network does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    Doubled,
    Late,
    Lost,
}

#[derive(Debug, Clone, Copy)]
enum Forgery {
    AnotherKey,
    AnotherBody,
    AnotherId,
    TooOld,
}

fn event() -> impl Strategy<Value = Event> {
    let stay = 0..STAYS;
    let way = || prop_oneof![Just(Way::First), Just(Way::Second), Just(Way::Folio)];
    let fate = || {
        prop_oneof![
            3 => Just(Fate::Arrives),
            2 => Just(Fate::Doubled),
            3 => Just(Fate::Late),
            1 => Just(Fate::Lost),
        ]
    };
    let forgery = prop_oneof![
        Just(Forgery::AnotherKey),
        Just(Forgery::AnotherBody),
        Just(Forgery::AnotherId),
        Just(Forgery::TooOld),
    ];
    prop_oneof![
        5 => (stay.clone(), 0..5_u8, way(), fate()).prop_map(|(stay, paid, way, fate)| Event::Paid(stay, paid, way, fate)),
        1 => (stay.clone(), way(), fate()).prop_map(|(stay, way, fate)| Event::Moved(stay, way, fate)),
        3 => any::<bool>().prop_map(Event::Arrives),
        2 => (stay.clone(), forgery).prop_map(|(stay, forgery)| Event::Forged(stay, forgery)),
        3 => Just(Event::Work),
        1 => stay.clone().prop_map(Event::Dies),
        2 => (1..120_u16).prop_map(Event::Pass),
        1 => proptest::option::of(stay).prop_map(Event::Fails),
    ]
}

/// The network, and what is true.
struct World {
    post: Post,
    /// What was paid for each stay that there is.
    truth: BTreeMap<usize, String>,
    late: Vec<(String, usize, Way)>,
    sent: usize,
    has_lost: bool,
}

impl World {
    async fn new(engine: Engine) -> Self {
        let post = Post::on(engine).await.swept_every(TimeDelta::hours(20));
        Self {
            post,
            truth: (0..STAYS).map(|stay| (stay, "100".to_owned())).collect(),
            late: Vec::new(),
            sent: 0,
            has_lost: false,
        }
    }

    async fn happens(&mut self, event: &Event) {
        match *event {
            Event::Paid(stay, paid, way, fate) => {
                if let Some(truth) = self.truth.get_mut(&stay) {
                    *truth = paid.to_string();
                    self.furnish();
                    self.send(stay, way, fate).await;
                }
            }
            Event::Moved(stay, way, fate) => {
                if self.truth.remove(&stay).is_none() {
                    self.truth.insert(stay, "7".to_owned());
                }
                self.furnish();
                self.send(stay, way, fate).await;
            }
            Event::Arrives(oldest) => {
                if !self.late.is_empty() {
                    let place = if oldest { 0 } else { self.late.len() - 1 };
                    let (name, stay, way) = self.late.remove(place);
                    self.deliver(&name, stay, way).await;
                }
            }
            Event::Forged(stay, forgery) => self.forge(stay, forgery).await,
            Event::Work => self.post.work().await,
            Event::Dies(stay) => self.die(stay).await,
            Event::Pass(seconds) => self.post.pass(TimeDelta::seconds(seconds.into())),
            Event::Fails(stay) => {
                let broken = stay.map(|stay| format!("reservations/{}", id(stay)));
                self.post
                    .house
                    .with(|rooms| rooms.broken = broken.into_iter().collect());
            }
        }
    }

    /// The source has what is true.
    fn furnish(&self) {
        let stays = self.truth.iter();
        let stays = stays.map(|(stay, paid)| reservation(*stay, "2026-12-01", paid));
        self.post
            .house
            .with(|rooms| rooms.reservations = stays.collect());
    }

    async fn send(&mut self, stay: usize, way: Way, fate: Fate) {
        self.sent += 1;
        let name = format!("msg_{}", self.sent);
        match fate {
            Fate::Arrives => self.deliver(&name, stay, way).await,
            Fate::Doubled => {
                self.deliver(&name, stay, way).await;
                self.late.push((name, stay, way));
            }
            Fate::Late => self.late.push((name, stay, way)),
            Fate::Lost => self.has_lost = true,
        }
    }

    /// What is sent again is signed anew, under the same id.
    async fn deliver(&self, name: &str, stay: usize, way: Way) {
        self.post.accepted(&self.message(name, stay, way)).await;
    }

    fn message(&self, name: &str, stay: usize, way: Way) -> Message {
        let stay = id(stay);
        let lie = json!({"_id": stay, "money": {"totalPaid": 1_000_000}});
        let body = match way {
            Way::First => json!({"event": "reservation.updated", "reservation": lie}),
            Way::Second => json!({"event": "reservation.updated.v2", "reservationId": stay}),
            Way::Folio => {
                json!({"event": "guest-folio.updated", "guestFolio": {"reservationId": stay}})
            }
        };
        self.post.message(name, &body)
    }

    async fn forge(&self, stay: usize, forgery: Forgery) {
        let good = self.message("msg_forged", stay, Way::First);
        let forged = match forgery {
            Forgery::AnotherKey => {
                let seconds = good.headers[1].1.parse().unwrap();
                let stranger = Webhook::from_bytes(b"guessed".to_vec()).unwrap();
                let signature = stranger.sign("msg_forged", seconds, &good.body).unwrap();
                good.with("svix-signature", &signature)
            }
            Forgery::AnotherBody => Message {
                body: self.message("", (stay + 1) % STAYS, Way::First).body,
                ..good
            },
            Forgery::AnotherId => good.with("svix-id", "msg_another"),
            Forgery::TooOld => {
                self.post.pass(TimeDelta::seconds(301));
                good
            }
        };
        let (status, _) = self.post.deliver(&forged).await;
        let is_refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST);
        assert!(is_refused, "{forgery:?}: {status}");
    }

    /// A process takes what is due, and dies before it has read a stay.
    async fn die(&self, stay: usize) {
        let (is_made, _never) = self
            .post
            .house
            .hold_back(&format!("reservations/{}", id(stay)));
        let books = self.post.another();
        let mut dying = tokio::spawn(async move { books.run_jobs_once().await });
        tokio::select! {
            () = is_made.notified() => dying.abort(),
            // It was not to be read.
            ended = &mut dying => ended.unwrap().unwrap(),
        }
        self.post.house.with(|rooms| rooms.held_back = None);
    }

    /// All that is late arrives, the newest first, and the source is well again.
    async fn calm(&mut self) {
        self.post.house.with(|rooms| rooms.broken.clear());
        while let Some((name, stay, way)) = self.late.pop() {
            self.deliver(&name, stay, way).await;
        }
        // Longer than anything rests that failed a few times.
        for _ in 0..4 {
            self.post.pass(TimeDelta::seconds(210));
            self.post.work().await;
        }
        assert_eq!(self.post.waiting().await, 0);
    }

    async fn mirrored(&self) -> BTreeMap<usize, String> {
        let mut mirrored = BTreeMap::new();
        for stay in 0..STAYS {
            if let Some(paid) = self.post.paid(stay).await {
                mirrored.insert(stay, paid);
            }
        }
        mirrored
    }

    async fn ends_right(mut self, events: &[Event]) {
        self.furnish();
        for stay in 0..STAYS {
            self.send(stay, Way::First, Fate::Arrives).await;
        }
        for event in events {
            self.happens(event).await;
        }
        self.calm().await;
        if !self.has_lost {
            assert_eq!(self.mirrored().await, self.truth, "without a sweep");
        }
        self.post.pass(TimeDelta::days(1));
        self.post.work().await;
        assert_eq!(self.mirrored().await, self.truth, "after a sweep");
        for record in self.post.evidence().await {
            assert!(
                !record.subject.ends_with("msg_forged"),
                "{}",
                record.subject
            );
            assert!(
                !record.subject.ends_with("msg_another"),
                "{}",
                record.subject
            );
        }
        self.post.is_proven().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_network_does_the_mirror_is_right_in_the_end(
        events in proptest::collection::vec(event(), 1..30),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            World::new(Engine::Sqlite).await.ends_right(&events).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_right_in_the_end_on_postgres() {
    let events: Vec<Event> = (0..60_usize)
        .map(|number| {
            let (stay, way) = (
                number % STAYS,
                [Way::First, Way::Second, Way::Folio][number % 3],
            );
            let fate = [Fate::Late, Fate::Arrives, Fate::Doubled, Fate::Lost][number % 4];
            match number % 7 {
                0 | 2 => Event::Paid(stay, u8::try_from(number).unwrap(), way, fate),
                1 => Event::Arrives(number % 2 == 0),
                3 => Event::Moved(stay, way, fate),
                4 => Event::Work,
                5 => Event::Forged(stay, Forgery::AnotherKey),
                _ => Event::Dies(stay),
            }
        })
        .collect();
    World::new(Engine::Postgres).await.ends_right(&events).await;
}
