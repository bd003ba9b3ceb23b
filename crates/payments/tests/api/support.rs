//! A platform of a test's own, and a client to ask it with.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use contract::Timestamp;
use http_body_util::BodyExt;
use payments::{MIGRATIONS, Platform, STORE_NAME, Settings};
use processors::sandbox::{self, Sandbox};
use serde_json::Value;
use store::testing::{Engine, Fixture, TestDatabase};
use store::{ManualClock, Store};
use tower::ServiceExt;
use vault::{Key, Keyring, Vault};

/// Wall time in tests, until it is moved.
pub const START: &str = "2026-11-21T12:00:00.000Z";

/// The name of the sandbox's file or schema.
const SANDBOX: &str = "sandbox";

/// The platform on a database of its own, without an account.
pub struct TestApp {
    pub platform: Arc<Platform>,
    pub clock: Arc<ManualClock>,
    pub sandbox: Arc<Sandbox>,
    router: Router,
    token: Option<String>,
    database: Arc<TestDatabase>,
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

impl Fixture for TestApp {
    async fn on(engine: Engine) -> Self {
        Self::with(engine, Settings::default()).await
    }
}

impl TestApp {
    pub async fn with(engine: Engine, settings: Settings) -> Self {
        let stores = [(STORE_NAME, &MIGRATIONS), (SANDBOX, &sandbox::MIGRATIONS)];
        let database = TestDatabase::new(engine, &stores);
        let books = Store::open(database.url(), SANDBOX, &sandbox::MIGRATIONS).unwrap();
        let sandbox = Arc::new(Sandbox::open(books));
        let clock = Arc::new(ManualClock::at(START.parse::<Timestamp>().unwrap()));
        let keys = Keyring::new(Key::generate().unwrap(), vec![]);
        let platform = Platform::open(
            database.url(),
            Vault::new(keys),
            Arc::<Sandbox>::clone(&sandbox),
            Arc::<ManualClock>::clone(&clock),
            settings,
        )
        .await
        .unwrap();
        let router = platform.router();
        Self {
            platform,
            clock,
            sandbox,
            router,
            token: None,
            database: Arc::new(database),
        }
    }

    /// The same platform, asked with this token.
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self {
            platform: Arc::clone(&self.platform),
            clock: Arc::clone(&self.clock),
            sandbox: Arc::clone(&self.sandbox),
            router: self.router.clone(),
            token: Some(token.into()),
            database: Arc::clone(&self.database),
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

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// Sends a JSON text as it is, right or wrong.
    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        self.request(request.body(Body::from(body.unwrap_or_default())).unwrap())
            .await
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
