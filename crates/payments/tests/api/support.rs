//! A platform of a test's own, and a client to ask it with.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use contract::Timestamp;
use contract::id::AccountId;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use http_body_util::BodyExt;
use payments::{
    Credentials, MIGRATIONS, NewAccount, NewApplication, Platform, STORE_NAME, Settings,
};
use processors::Processor;
use processors::sandbox::{self, Sandbox};
use serde_json::Value;
use store::testing::{Engine, Fixture, TestDatabase};
use store::{Lock, ManualClock, Store};
use tower::ServiceExt;
use vault::{Key, Keyring, Vault};

/// Wall time in tests, until it is moved.
pub const START: &str = "2026-11-21T12:00:00.000Z";

/// The vault's key, the same for all processes.
const KEY: [u8; 32] = [7; 32];
/// The name of the sandbox's file or schema.
const SANDBOX: &str = "sandbox";

/// The platform on a database of its own, without an account.
pub struct TestApp {
    pub platform: Arc<Platform>,
    pub clock: Arc<ManualClock>,
    pub sandbox: Arc<Sandbox>,
    router: Router,
    token: Arc<Mutex<Option<String>>>,
    /// Who signed in, to sign in again when a story lasts longer than a token.
    credentials: Option<Credentials>,
    account: Option<AccountId>,
    processor: Arc<dyn Processor>,
    settings: Settings,
    /// Kept until the last user is done with it.
    database: Arc<TestDatabase>,
}

/// Opens the platform as one process does.
async fn open(
    database: &TestDatabase,
    processor: &Arc<dyn Processor>,
    clock: &Arc<ManualClock>,
    settings: Settings,
) -> Arc<Platform> {
    let keys = Keyring::new(Key::from_bytes(&KEY), vec![]);
    Platform::open(
        database.url(),
        Vault::new(keys),
        Arc::clone(processor),
        Arc::<ManualClock>::clone(clock),
        settings,
    )
    .await
    .unwrap()
}

/// A reply, read whole.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// The body, which must be JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {} {}", self.status, self.text))
    }

    fn is_expired_token(&self) -> bool {
        self.status == StatusCode::FORBIDDEN && self.text.contains("don't have permission")
    }

    /// The body of a reply that must have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }
}

/// A reply in lines, with the values of fields replaced that differ from run to run.
pub fn redacted(mut reply: Value, fields: &[&str]) -> String {
    fn redact(value: &mut Value, names: &[&str]) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if names.contains(&name.as_str()) && !value.is_null() {
                        *value = format!("[{name}]").into();
                    }
                    redact(value, names);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| redact(item, names)),
            _ => {}
        }
    }
    redact(&mut reply, fields);
    format!("{reply:#}")
}

impl Fixture for TestApp {
    async fn on(engine: Engine) -> Self {
        Self::with(engine, Settings::default()).await
    }
}

impl TestApp {
    pub async fn with(engine: Engine, settings: Settings) -> Self {
        Self::with_processor(engine, settings, |sandbox| sandbox).await
    }

    /// With another processor in the sandbox's place, or around it.
    pub async fn with_processor(
        engine: Engine,
        settings: Settings,
        processor: impl FnOnce(Arc<Sandbox>) -> Arc<dyn Processor>,
    ) -> Self {
        let stores = [(STORE_NAME, &MIGRATIONS), (SANDBOX, &sandbox::MIGRATIONS)];
        let database = TestDatabase::new(engine, &stores);
        let books = Store::open(database.url(), SANDBOX, &sandbox::MIGRATIONS).unwrap();
        let sandbox = Arc::new(Sandbox::open(books));
        let clock = Arc::new(ManualClock::at(START.parse::<Timestamp>().unwrap()));
        let processor = processor(Arc::clone(&sandbox));
        let platform = open(&database, &processor, &clock, settings.clone()).await;
        let router = platform.router();
        Self {
            platform,
            clock,
            sandbox,
            router,
            token: Arc::default(),
            credentials: None,
            account: None,
            processor,
            settings,
            database: Arc::new(database),
        }
    }

    /// Another process on the same database, with the same processor.
    pub async fn another_node(&self) -> Arc<Platform> {
        self.another_node_with(self.settings.clone()).await
    }

    /// Another process on the same database, with settings of its own.
    pub async fn another_node_with(&self, settings: Settings) -> Arc<Platform> {
        open(&self.database, &self.processor, &self.clock, settings).await
    }

    /// How many rows one of the platform's own tables has.
    pub async fn count(&self, table: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            rows: i64,
        }
        let store = Store::open(self.database.url(), STORE_NAME, &MIGRATIONS).unwrap();
        let sql = format!("SELECT count(*) AS rows FROM {table}");
        let counted: Result<Vec<Count>, store::Error> = store
            .read(move |c| Ok(diesel::sql_query(sql).load(c)?))
            .await;
        counted.unwrap()[0].rows
    }

    /// Runs a statement on the platform's own tables, for what no route does.
    pub async fn sql(&self, statement: impl Into<String>) {
        let store = Store::open(self.database.url(), STORE_NAME, &MIGRATIONS).unwrap();
        Self::execute(store, statement.into()).await;
    }

    /// Runs a statement on the sandbox's tables.
    pub async fn sandbox_sql(&self, statement: impl Into<String>) {
        let store = Store::open(self.database.url(), SANDBOX, &sandbox::MIGRATIONS).unwrap();
        Self::execute(store, statement.into()).await;
    }

    async fn execute(store: Store, statement: String) {
        let done: Result<usize, store::Error> = store
            .write(Lock::none(), move |c| {
                Ok(diesel::sql_query(&statement).execute(c)?)
            })
            .await;
        done.unwrap();
    }

    /// What happened so far, by its webhook's name and the id that it is about.
    pub async fn events(&self) -> Vec<(String, String)> {
        #[derive(QueryableByName)]
        struct Event {
            #[diesel(sql_type = Text)]
            kind: String,
            #[diesel(sql_type = Text)]
            subject_id: String,
        }
        let store = Store::open(self.database.url(), STORE_NAME, &MIGRATIONS).unwrap();
        let events: Result<Vec<Event>, store::Error> = store
            .read(|c| {
                let all = "SELECT kind, subject_id FROM domain_event ORDER BY id";
                Ok(diesel::sql_query(all).load(c)?)
            })
            .await;
        let pair = |event: Event| (event.kind, event.subject_id);
        events.unwrap().into_iter().map(pair).collect()
    }

    /// What was said of each event of one kind, with the id that it is about.
    pub async fn event_bodies(&self, kind: &str) -> Vec<(String, Value)> {
        #[derive(QueryableByName)]
        struct Event {
            #[diesel(sql_type = Text)]
            subject_id: String,
            #[diesel(sql_type = Text)]
            body: String,
        }
        let store = Store::open(self.database.url(), STORE_NAME, &MIGRATIONS).unwrap();
        let query = format!(
            "SELECT subject_id, body FROM domain_event WHERE kind = '{kind}' ORDER BY at_ms, id"
        );
        let events: Result<Vec<Event>, store::Error> = store
            .read(move |c| Ok(diesel::sql_query(query).load(c)?))
            .await;
        let read = |event: Event| (event.subject_id, event.body.parse().unwrap());
        events.unwrap().into_iter().map(read).collect()
    }

    /// The same platform, asked with the same token and with no other once that has expired.
    pub fn with_this_token_only(&self) -> Self {
        self.with_token(self.token())
    }

    /// The same platform, asked with this token.
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self {
            platform: Arc::clone(&self.platform),
            clock: Arc::clone(&self.clock),
            sandbox: Arc::clone(&self.sandbox),
            router: self.router.clone(),
            token: Arc::new(Mutex::new(Some(token.into()))),
            credentials: None,
            account: self.account,
            processor: Arc::clone(&self.processor),
            settings: self.settings.clone(),
            database: Arc::clone(&self.database),
        }
    }

    /// The same platform, asked by an application of a new account that may see all of it.
    pub async fn signed_in(&self) -> Self {
        let account = self.new_account().await;
        self.signed_in_as(NewApplication::named(account, "Tests"))
            .await
    }

    /// The same platform, asked by a new application.
    pub async fn signed_in_as(&self, application: NewApplication) -> Self {
        let account = application.account;
        let credentials = self.platform.create_application(application).await.unwrap();
        let reply = self.ask_token(&credentials).await.expect(200);
        Self {
            account: Some(account),
            credentials: Some(credentials),
            ..self.with_token(reply["access_token"].as_str().unwrap())
        }
    }

    /// A new account in US dollars.
    pub async fn new_account(&self) -> AccountId {
        let account = NewAccount {
            name: "Hotels of Ours".to_owned(),
            currency: "USD".parse().unwrap(),
            timezone: "UTC".to_owned(),
        };
        self.platform.create_account(account).await.unwrap()
    }

    /// The account of who asks.
    #[track_caller]
    pub fn account(&self) -> AccountId {
        self.account.expect("nobody is signed in")
    }

    /// The token of who asks.
    #[track_caller]
    pub fn token(&self) -> String {
        let token = self.token.lock().unwrap().clone();
        token.expect("nobody is signed in")
    }

    /// Asks for a token as the Open API's documentation does.
    pub async fn ask_token(&self, credentials: &Credentials) -> Reply {
        let Credentials {
            client_id,
            client_secret,
        } = credentials;
        self.post_form(
            "/oauth2/token",
            &format!(
                "grant_type=client_credentials&scope=open-api&client_id={client_id}\
                 &client_secret={client_secret}"
            ),
        )
        .await
    }

    /// Sends a form as it is, right or wrong.
    pub async fn post_form(&self, path: &str, form: &str) -> Reply {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.request(request).await
    }

    /// Asks another process on the same database.
    pub async fn get_from(&self, node: &Arc<Platform>, path: &str) -> Reply {
        self.at(node).get(path).await
    }

    /// Who asks, asking another process on the same database.
    pub fn at(&self, node: &Arc<Platform>) -> Self {
        Self {
            platform: Arc::clone(node),
            router: node.router(),
            ..self.with_this_token_only()
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PUT, path, Some(body.to_string())).await
    }

    pub async fn patch(&self, path: &str) -> Reply {
        self.send(Method::PATCH, path, None).await
    }

    /// Changes what is there.
    pub async fn patch_with(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::PATCH, path, Some(body.to_string())).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// Sends a JSON text as it is, right or wrong. Who signed in does so again when the token has
    /// expired.
    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Reply {
        let reply = self
            .request(self.prepare(&method, path, body.clone()))
            .await;
        match &self.credentials {
            Some(credentials) if reply.is_expired_token() => {
                let fresh = self.ask_token(credentials).await.expect(200);
                let fresh = fresh["access_token"].as_str().unwrap().to_owned();
                *self.token.lock().unwrap() = Some(fresh);
                self.request(self.prepare(&method, path, body)).await
            }
            _ => reply,
        }
    }

    fn prepare(&self, method: &Method, path: &str, body: Option<String>) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &*self.token.lock().unwrap() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(Body::from(body.unwrap_or_default())).unwrap()
    }

    /// Sends any request.
    pub async fn request(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }
}

/// The portfolio of the guide to posting a guest payment, asked by an application that may see all
/// of it.
pub struct GuestyDocs {
    pub app: TestApp,
}

impl Fixture for GuestyDocs {
    async fn on(engine: Engine) -> Self {
        Self::in_app(TestApp::on(engine).await).await
    }
}

impl GuestyDocs {
    /// Makes the portfolio there.
    pub async fn in_app(app: TestApp) -> Self {
        let seeded = app.platform.seed_guesty_docs(&app.sandbox).await.unwrap();
        let application = NewApplication::named(seeded.account, "Tests");
        Self {
            app: app.signed_in_as(application).await,
        }
    }
}
