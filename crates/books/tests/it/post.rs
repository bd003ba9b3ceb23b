//! Books that a source sends messages to.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use books::api::webhook_router;
use books::evidence::{Chain, Record, Verdict};
use books::jobs::JobSettings;
use books::mirror::{AsOf, Mirror};
use books::{Books, Pace};
use chrono::TimeDelta;
use contract::id::ConnectionId;
use guesty::Credentials;
use guesty::seen::reservation::Reservation;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use store::Clock;
use store::testing::{Engine, Fixture};
use tower::ServiceExt;

use crate::house::{ACCOUNT, House, id, listing, reservation};
use crate::support::Desk;

/// A source with three stays, and books that are connected to it and reached by its messages.
pub struct Post {
    pub desk: Desk,
    pub books: Books,
    pub house: House,
    pub connection: ConnectionId,
    pub secret: String,
    routes: Router,
    jobs: JobSettings,
}

/// A message as it comes.
#[derive(Debug, Clone)]
pub struct Message {
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Message {
    /// The same with another value of a header.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let header = self.headers.iter_mut().find(|(known, _)| *known == name);
        value.clone_into(&mut header.unwrap().1);
        self
    }
}

impl Fixture for Post {
    async fn on(engine: Engine) -> Self {
        let desk = Desk::on(engine).await;
        let house = House::open().await;
        house.with(|rooms| {
            rooms.listings = vec![listing(1)];
            rooms.token_names = Some(ACCOUNT.to_owned());
            rooms.reservations = (0..3)
                .map(|number| reservation(number, "2026-12-01", "100"))
                .collect();
        });
        let jobs = JobSettings {
            pace: Pace::Unlimited,
            ..JobSettings::default()
        };
        let books = process(&desk, jobs);
        let portfolio = books.add_portfolio("Seaside").await.unwrap();
        let credentials = Credentials::new("0oaTEST", "secret");
        let base = house.base().parse().unwrap();
        let connection = books.connect(portfolio.id, &base, &credentials).await;
        let connection = connection.unwrap().id;
        let mut post = Self {
            routes: webhook_router(books.clone()),
            desk,
            books,
            house,
            connection,
            secret: String::new(),
            jobs,
        };
        post.subscribe().await;
        post
    }
}

fn process(desk: &Desk, jobs: JobSettings) -> Books {
    let here = "https://books.example".parse().unwrap();
    desk.another(7).with_public_url(Some(here)).with_jobs(jobs)
}

impl Post {
    /// Another process on the same books.
    pub fn another(&self) -> Books {
        process(&self.desk, self.jobs)
    }

    /// The same, swept so often.
    pub fn swept_every(mut self, span: TimeDelta) -> Self {
        self.jobs.sweep_every = span;
        self.books = self.books.with_jobs(self.jobs);
        self
    }

    /// Looks at the lights, which subscribes where that is not done.
    pub async fn subscribe(&mut self) {
        let lights = self.books.refresh(self.connection).await.unwrap();
        assert!(lights.are_green(), "{lights:?}");
        let secret = self.books.webhook_secret(self.connection).await.unwrap();
        secret.unwrap().reveal().clone_into(&mut self.secret);
        self.house.asked();
    }

    /// A message as the source signs it now.
    pub fn message(&self, name: &str, body: &Value) -> Message {
        self.signed(name, body.to_string().into_bytes())
    }

    pub fn signed(&self, name: &str, body: Vec<u8>) -> Message {
        let seconds = self.desk.clock.now().seconds();
        let signer = Webhook::new(&self.secret).unwrap();
        let signature = signer.sign(name, seconds, &body).unwrap();
        Message {
            headers: vec![
                ("svix-id", name.to_owned()),
                ("svix-timestamp", seconds.to_string()),
                ("svix-signature", signature),
                ("content-length", body.len().to_string()),
            ],
            body,
        }
    }

    /// That a stay changed, as the first generation says it.
    pub fn told_of(&self, name: &str, stay: usize) -> Message {
        let body = json!({"event": "reservation.updated", "reservation": {"_id": id(stay)}});
        self.message(name, &body)
    }

    /// Delivers a message; what the route answers, and says.
    pub async fn deliver(&self, message: &Message) -> (StatusCode, String) {
        self.deliver_to(&self.connection.to_string(), message).await
    }

    pub async fn deliver_to(&self, connection: &str, message: &Message) -> (StatusCode, String) {
        let mut request = Request::post(format!("/webhooks/guesty/{connection}"));
        for (name, value) in &message.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Body::from(message.body.clone())).unwrap();
        let reply = self.routes.clone().oneshot(request).await.unwrap();
        let status = reply.status();
        let said = to_bytes(reply.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(said.to_vec()).unwrap())
    }

    #[track_caller]
    pub fn is_accepted(answer: &(StatusCode, String)) {
        assert_eq!(*answer, (StatusCode::NO_CONTENT, String::new()));
    }

    /// Delivers a message that must be accepted.
    pub async fn accepted(&self, message: &Message) {
        Self::is_accepted(&self.deliver(message).await);
    }

    pub async fn chain(&self) -> Chain {
        self.books.chain(self.connection).await.unwrap()
    }

    /// What came unasked, as it was kept.
    pub async fn evidence(&self) -> Vec<Record> {
        let records = self.chain().await.after(0, 100_000).await.unwrap();
        let came = records
            .into_iter()
            .filter(|record| record.kind == "webhook");
        came.collect()
    }

    /// How many objects are to be read again.
    pub async fn waiting(&self) -> i64 {
        let state = self.books.inbox_state(self.connection).await;
        state.unwrap().waiting
    }

    /// Does what is due now, once.
    pub async fn work(&self) {
        self.books.run_jobs_once().await.unwrap();
    }

    pub fn pass(&self, span: TimeDelta) {
        self.desk.clock.advance(span);
    }

    /// A guest pays at the source.
    pub fn pay(&self, stay: usize, paid: &str) {
        let now = self.desk.clock.now().to_string();
        self.house.with(|rooms| {
            let stay = &mut rooms.reservations[stay];
            stay["money"]["totalPaid"] = json!(paid);
            stay["lastUpdatedAt"] = json!(now);
        });
    }

    /// What was paid for a stay, as far as the mirror knows.
    pub async fn paid(&self, stay: usize) -> Option<String> {
        let mirror = Mirror::of(&self.chain().await);
        let known = mirror.get::<Reservation>(&id(stay), AsOf::Now).await;
        let known = known.unwrap().filter(|known| !known.is_removed)?;
        Some(known.value.money.total_paid.get().unwrap().to_string())
    }

    /// The chain is sound, and folds to the same mirror.
    pub async fn is_proven(&self) {
        let chain = self.chain().await;
        let tip = chain.tip().await.unwrap();
        let verdict = chain.verify(Some(tip.head), |_| ()).await.unwrap();
        assert_eq!(verdict, Verdict::Sound { tip });
        let mirror = Mirror::of(&chain);
        if let Some(before) = mirror.fingerprint().await.unwrap() {
            let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
            assert_eq!(rebuilt.after, before);
        }
    }
}
