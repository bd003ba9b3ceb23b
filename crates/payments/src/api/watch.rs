//! What stands around every request: its id, its line in the log, its figures, and what its reply
//! tells of the account's limits.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use chrono::Duration;
use contract::ObjectId;
use contract::id::AccountId;
use serde_json::{Value, json};
use store::new_id;
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::ApiError;
use super::limits::Admission;
use crate::store::account;
use crate::store::agenda::{self, Place};
use crate::{Error, Platform};

/// By which support finds a request in the log.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken over from a request.
const ID_CHARACTERS_MAX: usize = 128;
/// What no route was found for. Paths are not logged: they may say more than a template does.
const NO_ROUTE: &str = "none";
/// How many due things are counted.
const DUE_COUNTED_MAX: i64 = 1_000;

/// What becomes known of a request on its way, for what stands around it.
#[derive(Clone, Default)]
pub(super) struct Visit(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    is_limited: bool,
    account: Option<AccountId>,
    admission: Option<Admission>,
}

impl Visit {
    /// Notes whose request it is, and counts it; refuses it when the account makes too many.
    pub(super) fn enter(&self, platform: &Platform, account: AccountId) -> Result<(), ApiError> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.account = Some(account);
        if !seen.is_limited {
            return Ok(());
        }
        let Some((admission, admitted)) = platform.limits.admit(account, platform.clock.now())
        else {
            return Ok(());
        };
        seen.admission = Some(admission);
        admitted.map_err(ApiError::TooMany)
    }

    fn leave(&self) -> (Option<AccountId>, Option<Admission>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (seen.account, seen.admission.take())
    }
}

/// Stands around every request.
pub(super) async fn watch(
    State(platform): State<Arc<Platform>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let method = method_name(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = given_id(request.headers()).unwrap_or_else(made_id);
    let visit = Visit(Arc::new(Mutex::new(Seen {
        is_limited: is_of_open_api(request.uri()),
        ..Seen::default()
    })));
    request.extensions_mut().insert(visit.clone());
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default());

    let mut reply = next.run(request).instrument(span.clone()).await;

    let (account, admission) = visit.leave();
    if let Some(admission) = admission {
        admission.tell(reply.headers_mut());
        if admission.is_refused() {
            platform.metrics.limited();
        }
    }
    reply.headers_mut().insert(REQUEST_ID, id);
    let took = started.elapsed();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let status = reply.status().as_u16();
    platform.metrics.request(method, route, status, took);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let account = account.map(tracing::field::display);
    tracing::info!(parent: &span, method, route, status, micros, account, "answered");
    reply
}

/// Whether it is asked of the Open API: whatever stands there is an account's, and counts.
pub(super) fn is_of_open_api(uri: &Uri) -> bool {
    uri.path().starts_with("/v1/")
}

/// The caller's own id for its request, if it can stand in a log.
fn given_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:+/=".contains(byte);
    let given = headers.get(REQUEST_ID)?;
    let bytes = given.as_bytes();
    let is_sane = (1..=ID_CHARACTERS_MAX).contains(&bytes.len()) && bytes.iter().all(is_plain);
    is_sane.then(|| given.clone())
}

fn made_id() -> HeaderValue {
    let id: ObjectId = new_id();
    HeaderValue::from_str(&id.to_string()).unwrap_or(HeaderValue::from_static("none"))
}

/// One of few: whatever a client calls its method, figures do not grow with it.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Whether the platform lives and is ready, and its figures; no part of the Open API.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new()
        .routes(routes!(alive))
        .routes(routes!(ready))
        .routes(routes!(metrics))
}

/// Whether the process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "Server", operation_id = "getHealth",
    responses((status = 200, description = "It does.", body = Object, example = json!({"status": "ok"})))
)]
async fn alive() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// Whether the server is ready.
///
/// Ready means that the database answers; opening it has brought it to this program's version.
#[utoipa::path(
    get, path = "/readyz", tag = "Server", operation_id = "getReadiness",
    responses((status = 200, description = "It is.", body = Object, example = json!({"status": "ready"})))
)]
async fn ready(State(platform): State<Arc<Platform>>) -> Result<Json<Value>, ApiError> {
    platform.store.read(account::is_there_any).await?;
    Ok(Json(json!({"status": "ready"})))
}

/// Figures for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "Server", operation_id = "getMetrics",
    responses((
        status = 200,
        description = "In OpenMetrics' text format.",
        body = String,
        content_type = "application/openmetrics-text",
    ))
)]
async fn metrics(
    State(platform): State<Arc<Platform>>,
) -> Result<([(HeaderName, &'static str); 1], String), ApiError> {
    look_at_agenda(&platform).await?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok((
        [(axum::http::header::CONTENT_TYPE, kind)],
        platform.metrics.print(),
    ))
}

async fn look_at_agenda(platform: &Platform) -> Result<(), ApiError> {
    let wall = platform.clock.now();
    let (due, lag) = platform
        .store
        .read(move |c| {
            let due = agenda::due(c, wall, &Place::start(), DUE_COUNTED_MAX)?;
            let Some(first) = due.first() else {
                return Ok((0, Duration::zero()));
            };
            let present = account::find(c, first.account)?.map(|its| its.business_time(wall));
            let lag = present.map_or(Duration::zero(), |present| present - first.at);
            Ok::<_, Error>((due.len(), lag))
        })
        .await?;
    platform.metrics.agenda(due, lag.max(Duration::zero()));
    Ok(())
}
