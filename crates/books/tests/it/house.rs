//! A source that a test furnishes as it likes, over real sockets.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use data_encoding::BASE64URL_NOPAD;
use guesty::{Credentials, Guesty, Limits, Reader, RetryPolicy, Settings};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::hooks::{self, Hooks};

/// What it says of the account, unless it is told otherwise.
pub const ACCOUNT: &str = "64da246c7a5a2d00331a5b1c";

/// Something that happens at the source.
pub type Deed = Box<dyn FnMut(&mut Rooms) + Send>;

/// What is answered instead of the truth.
pub type Instead = Box<dyn Fn(&str, &Query) -> Option<Response> + Send>;

/// What the source has.
#[derive(Default)]
pub struct Rooms {
    pub listings: Vec<Value>,
    pub reservations: Vec<Value>,
    pub taxes: Vec<Value>,
    pub transactions: Vec<Value>,
    pub payouts: Vec<Value>,
    /// Paths that fail.
    pub broken: Vec<String>,
    /// Paths that nobody may read.
    pub forbidden: Vec<String>,
    /// How many more requests are answered.
    pub patience: Option<usize>,
    pub asked: Vec<String>,
    /// How many rows it gives at once at most, whatever it is asked for.
    pub page_size: Option<usize>,
    /// Path and rows to be passed over whose next answer waits: who is told that it was asked for, and
    /// who lets it go.
    pub held_back: Option<(String, usize, Arc<Notify>, Arc<Notify>)>,
    /// Whether every search ends with nothing.
    pub finds_nothing: bool,
    /// What happens before each answer.
    pub between: Option<Deed>,
    /// How it misbehaves.
    pub instead: Option<Instead>,
    /// What it says of the account instead: status and body.
    pub account: Option<(StatusCode, Value)>,
    /// What it answers instead of a token: status, type and body.
    pub no_token: Option<(StatusCode, &'static str, &'static str)>,
    /// How many tokens it was asked for.
    pub tokens: usize,
    /// The account that its tokens name.
    pub token_names: Option<String>,
    pub hooks: Hooks,
}

impl Rooms {
    fn rows_at_once(&self, wanted: usize) -> usize {
        self.page_size.map_or(wanted, |most| wanted.min(most))
    }
}

#[derive(Clone)]
pub struct House {
    rooms: Arc<Mutex<Rooms>>,
    base: String,
}

impl House {
    pub async fn open() -> Self {
        let rooms = Arc::new(Mutex::new(Rooms::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/oauth2/token", post(token))
            .route("/v1/{*path}", get(answer))
            .merge(hooks::router())
            .with_state(Arc::clone(&rooms));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { rooms, base }
    }

    /// Furnishes it.
    pub fn with<T>(&self, work: impl FnOnce(&mut Rooms) -> T) -> T {
        work(&mut self.rooms.lock().unwrap())
    }

    /// How many requests there were since the last time.
    pub fn asked(&self) -> Vec<String> {
        self.with(|rooms| std::mem::take(&mut rooms.asked))
    }

    /// Holds one answer back: tells when it is made, and waits until it may go.
    pub fn hold_back(&self, path: &str) -> (Arc<Notify>, Arc<Notify>) {
        self.hold_back_page(path, 0)
    }

    /// The same of a page of a list.
    pub fn hold_back_page(&self, path: &str, skip: usize) -> (Arc<Notify>, Arc<Notify>) {
        let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let held = (
            path.to_owned(),
            skip,
            Arc::clone(&asked),
            Arc::clone(&answer),
        );
        self.with(|rooms| rooms.held_back = Some(held));
        (asked, answer)
    }

    /// Where it is.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn reader(&self) -> Reader {
        Guesty::new(self.settings()).unwrap().reader()
    }

    /// No limits, and no patience.
    pub fn settings(&self) -> Settings {
        Settings {
            base_url: self.base.parse().unwrap(),
            limits: Limits {
                per_second: 100_000,
                per_minute: 1_000_000,
                per_hour: 1_000_000,
                ..Limits::full_speed()
            },
            retry: RetryPolicy {
                tries: 1,
                ..RetryPolicy::default()
            },
            ..Settings::new(Credentials::new("0oaTEST", "secret"))
        }
    }
}

async fn token(State(rooms): State<Arc<Mutex<Rooms>>>) -> Response {
    let mut rooms = rooms.lock().unwrap();
    rooms.tokens += 1;
    if let Some((status, kind, body)) = rooms.no_token {
        return (status, [(CONTENT_TYPE, kind)], body).into_response();
    }
    let token = match &rooms.token_names {
        Some(account) => {
            let claims = json!({"accountId": account}).to_string();
            format!("e30.{}.t", BASE64URL_NOPAD.encode(claims.as_bytes()))
        }
        None => "t".to_owned(),
    };
    let granted = json!({"token_type": "Bearer", "expires_in": 86400, "access_token": token});
    Json(granted).into_response()
}

async fn answer(
    State(rooms): State<Arc<Mutex<Rooms>>>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let is_patient = {
        let mut rooms = rooms.lock().unwrap();
        rooms
            .asked
            .push(format!("{path}?{}", query.clone().unwrap_or_default()));
        match &mut rooms.patience {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    };
    if !is_patient {
        std::future::pending::<()>().await;
    }
    let query = Query(query.unwrap_or_default());
    let held = {
        let mut rooms = rooms.lock().unwrap();
        if let Some(mut happens) = rooms.between.take() {
            happens(&mut rooms);
            rooms.between = Some(happens);
        }
        let is_it = |held: &str, skip| held == path && query.number("skip") == skip;
        (rooms.held_back).take_if(|(held, skip, ..)| is_it(held, *skip))
    };
    let response = respond(&rooms.lock().unwrap(), &path, &query);
    if let Some((_, _, made, answer)) = held {
        made.notify_one();
        answer.notified().await;
    }
    response
}

fn respond(rooms: &Rooms, path: &str, query: &Query) -> Response {
    let instead = rooms.instead.as_ref();
    if let Some(instead) = instead.and_then(|instead| instead(path, query)) {
        return instead;
    }
    if rooms.broken.iter().any(|broken| broken == path) {
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!("broken"))).into_response();
    }
    if rooms.forbidden.iter().any(|forbidden| forbidden == path) {
        return (StatusCode::FORBIDDEN, Json(json!("Forbidden"))).into_response();
    }
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["accounts", "me"] => {
            if let Some((status, body)) = &rooms.account {
                return (*status, Json(body)).into_response();
            }
            Json(json!({"_id": ACCOUNT, "createdAt": "2026-09-10"})).into_response()
        }
        ["listings"] => {
            let active = query.get("active").as_deref() == Some("true");
            let is_wanted = |row: &&Value| row["active"].as_bool() == Some(active);
            list(rooms, query, rooms.listings.iter().filter(is_wanted))
        }
        ["listings", id] => one(&rooms.listings, id),
        ["reservations"] => {
            let filters = query.get("filters").unwrap_or_default();
            let filters: Vec<Value> = serde_json::from_str(&filters).unwrap_or_default();
            if rooms.finds_nothing && !filters.is_empty() {
                return Json(json!({"results": [], "count": 0})).into_response();
            }
            let is_wanted = |row: &&Value| {
                filters.iter().all(|filter| {
                    let (is, than) = (
                        row[filter["field"].as_str().unwrap()].as_str(),
                        filter["value"].as_str(),
                    );
                    if filter["operator"] == "$gte" {
                        is >= than
                    } else {
                        is <= than
                    }
                })
            };
            list(rooms, query, rooms.reservations.iter().filter(is_wanted))
        }
        ["reservations", id] => one(&rooms.reservations, id),
        ["taxes", "account"] | ["taxes", _, _, "actual"] => Json(&rooms.taxes).into_response(),
        ["payment-transactions", "reports"] => {
            report(rooms, query, &rooms.transactions, "merchantDate")
        }
        ["payment-transactions", "reports", _] => {
            report(rooms, query, &rooms.payouts, "payoutProcessDate")
        }
        _ => Json(json!([])).into_response(),
    }
}

pub struct Query(String);

impl Query {
    pub fn get(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse(&format!("http://x?{}", self.0)).unwrap();
        let mut pairs = url.query_pairs().filter(|(key, _)| key == name);
        pairs.next().map(|(_, value)| value.into_owned())
    }

    pub fn number(&self, name: &str) -> usize {
        self.get(name).map_or(0, |number| number.parse().unwrap())
    }
}

fn list<'a>(rooms: &Rooms, query: &Query, rows: impl Iterator<Item = &'a Value>) -> Response {
    let mut rows: Vec<&Value> = rows.collect();
    rows.sort_by_key(|row| row["_id"].as_str());
    if let Some(field) = query
        .get("sort")
        .as_deref()
        .and_then(|sort| sort.strip_prefix('-'))
    {
        rows.sort_by_key(|row| std::cmp::Reverse(row[field].as_str()));
    }
    let count = rows.len();
    let page = rows
        .into_iter()
        .skip(query.number("skip"))
        .take(rooms.rows_at_once(query.number("limit")));
    let results: Vec<&Value> = page.collect();
    Json(json!({"results": results, "count": count})).into_response()
}

fn one(rows: &[Value], id: &str) -> Response {
    match rows.iter().find(|row| row["_id"] == id) {
        Some(row) => Json(row).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!("Not Found"))).into_response(),
    }
}

fn report(rooms: &Rooms, query: &Query, rows: &[Value], date: &str) -> Response {
    let (start, end) = (
        query.get("startDate").unwrap(),
        query.get("endDate").unwrap(),
    );
    let is_wanted = |row: &&Value| {
        let day = &row[date].as_str().unwrap()[..10];
        start.as_str() <= day && day <= end.as_str()
    };
    let page = rows.iter().filter(is_wanted).skip(query.number("skip"));
    let take = rooms.rows_at_once(query.number("take"));
    Json(page.take(take).collect::<Vec<_>>()).into_response()
}

pub fn id(number: usize) -> String {
    format!("{number:024x}")
}

pub fn listing(number: usize) -> Value {
    json!({
        "_id": id(number), "title": format!("House {number}"), "active": true, "bathrooms": 1.5,
        "accommodates": 4, "prices": {"currency": "USD", "cleaningFee": 20.5},
        "picture": {"thumbnail": "https://example.com/t.jpg"},
    })
}

pub fn reservation(number: usize, check_in: &str, paid: &str) -> Value {
    json!({
        "_id": id(number), "listingId": id(1), "status": "confirmed",
        "confirmationCode": format!("GY-{number}"), "checkInDateLocalized": check_in,
        "checkOutDateLocalized": "2026-12-31", "createdAt": "2026-08-14T13:05:00.263Z",
        "lastUpdatedAt": "2026-11-21T00:00:00.000Z",
        "money": {"currency": "USD", "totalPaid": paid, "balanceDue": 0},
    })
}

pub fn transaction(number: usize, date: &str, settled: Option<&str>) -> Value {
    json!({
        "transactionId": format!("1387{number:015}"), "reservationConfirmationCode": "GY-1",
        "amount": "100.00", "currency": "USD", "last4": "0042", "merchantDate": date,
        "settlementDate": settled, "status": "Processed", "transactionType": "Charge",
    })
}

pub fn payout_line(payout: usize, fee: &str, status: &str, date: &str) -> Value {
    json!({
        "payoutId": payout.to_string(), "payoutProcessDate": date, "payoutAmount": "97.10",
        "payoutStatus": status, "activityType": "Fee", "feeName": fee, "activityAmount": "-2.90",
        "currency": "USD", "processorTransactionId": "1387000000000000001",
    })
}
