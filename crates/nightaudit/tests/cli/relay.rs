//! What stands between the books and a source: it passes on so much as it is let, and then nothing.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::response::{IntoResponse, Response};
use reqwest::Client;
use tokio::sync::Notify;

const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A relay to a server.
#[derive(Clone)]
pub struct Relay {
    pub base: String,
    inside: Arc<Inside>,
}

struct Inside {
    to: String,
    http: Client,
    /// How many more requests are passed on; none: all are.
    left: Mutex<Option<usize>>,
    stuck: Notify,
    /// What is written otherwise in the bodies of replies.
    instead: Mutex<Option<(String, String)>>,
    tokens: Mutex<Tokens>,
}

/// What becomes of tokens.
#[derive(Default)]
struct Tokens {
    /// How many were asked for.
    asked: usize,
    /// After how many more requests the one in use ends.
    left: Option<usize>,
    /// The one that ended: it does not come through as it was.
    ended: Option<HeaderValue>,
}

impl Relay {
    /// Passes everything on, until told otherwise.
    pub async fn to(base: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().tls_certs_only([]);
        let inside = Arc::new(Inside {
            to: base.to_owned(),
            http: http.build().unwrap(),
            left: Mutex::new(None),
            stuck: Notify::new(),
            instead: Mutex::default(),
            tokens: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(Arc::clone(&inside));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, inside }
    }

    /// Writes something else for a text in every reply.
    pub fn write_instead(&self, text: &str, other: &str) {
        let instead = Some((text.to_owned(), other.to_owned()));
        *self.inside.instead.lock().unwrap() = instead;
    }

    /// Lets so many more requests through; the next one is never answered.
    pub fn let_through(&self, requests: usize) {
        *self.inside.left.lock().unwrap() = Some(requests);
    }

    /// Lets everything through again.
    pub fn let_all_through(&self) {
        *self.inside.left.lock().unwrap() = None;
    }

    /// After so many more requests, the source does not take the token any more that is in use then.
    pub fn end_token_after(&self, requests: usize) {
        self.inside.tokens.lock().unwrap().left = Some(requests);
    }

    /// It takes it again.
    pub fn take_all_tokens(&self) {
        self.inside.tokens.lock().unwrap().ended = None;
    }

    /// How many tokens were asked for.
    pub fn tokens(&self) -> usize {
        self.inside.tokens.lock().unwrap().asked
    }

    /// Until somebody waits for what never comes.
    pub async fn is_stuck(&self) {
        self.inside.stuck.notified().await;
    }
}

impl Inside {
    fn has_ended(&self, token: Option<&HeaderValue>) -> bool {
        self.tokens.lock().unwrap().has_ended(token)
    }

    fn lets_through(&self) -> bool {
        let mut left = self.left.lock().unwrap();
        match left.as_mut() {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

impl Tokens {
    /// Whether a request comes with the token that ended, if any ended.
    fn has_ended(&mut self, token: Option<&HeaderValue>) -> bool {
        let Some(token) = token else {
            self.asked += 1;
            return false;
        };
        match &mut self.left {
            Some(0) => (self.left, self.ended) = (None, Some(token.clone())),
            Some(left) => *left -= 1,
            None => {}
        }
        self.ended.as_ref() == Some(token)
    }
}

async fn pass(State(inside): State<Arc<Inside>>, request: Request) -> Response {
    if !inside.lets_through() {
        inside.stuck.notify_one();
        std::future::pending::<()>().await;
    }
    let (head, body) = request.into_parts();
    let url = format!("{}{}", inside.to, head.uri);
    let mut headers = head.headers;
    for own in [HOST, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(own);
    }
    if inside.has_ended(headers.get(AUTHORIZATION)) {
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer ended"));
    }
    let body = to_bytes(body, BODY_BYTES_MAX).await.unwrap();
    let request = inside.http.request(head.method, url).headers(headers);
    let reply = request.body(body).send().await.unwrap();
    let (status, mut headers) = (reply.status(), reply.headers().clone());
    for own in [CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(own);
    }
    let mut body = reply.bytes().await.unwrap();
    if let Some((text, other)) = inside.instead.lock().unwrap().as_ref() {
        let whole = String::from_utf8(body.to_vec()).unwrap();
        body = whole.replace(text, other).into();
    }
    (status, headers, Body::from(body)).into_response()
}
