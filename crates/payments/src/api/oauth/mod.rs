//! `POST /oauth2/token`: tokens for client credentials (RFC 6749, section 4.4).

mod error;
mod request;

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use contract::oauth::{TokenReply, TokenRequest};
use contract::{ObjectId, Timestamp};
use store::{Connection, Lock, new_id};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::error::{Refusal, TokenRefused};
use self::request::ClientRequest;
use super::tokens::LIFETIME_SECONDS;
use crate::model::quota::{self, Exhausted};
use crate::store::application::{self, Application};
use crate::store::token;
use crate::{Error, Platform};

/// The routes of this resource.
pub(super) fn routes() -> OpenApiRouter<Arc<Platform>> {
    OpenApiRouter::new().routes(routes!(token))
}

/// Gives a token for client credentials (RFC 6749, section 4.4).
///
/// They come in the body, as a form or as JSON, or by Basic authentication. An application gets five
/// tokens in 24 hours unless the server is set otherwise, so keep one until it expires.
//
// Neither a token nor the reason for none may be kept by anything on the way.
#[utoipa::path(
    post, path = "/oauth2/token", tag = "Tokens", operation_id = "createToken",
    security((), ("client" = [])),
    request_body(content(
        (TokenRequest = "application/x-www-form-urlencoded"),
        (TokenRequest = "application/json"),
    )),
    responses((status = 200, description = "The token.", body = TokenReply), TokenRefused)
)]
async fn token(
    State(platform): State<Arc<Platform>>,
    request: Result<ClientRequest, Refusal>,
) -> Response {
    let answer = match request {
        Ok(request) => grant(&platform, request).await,
        Err(refusal) => Err(refusal),
    };
    let mut response = match answer {
        Ok(reply) => Json(reply).into_response(),
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

async fn grant(platform: &Platform, request: ClientRequest) -> Result<TokenReply, Refusal> {
    let application = authenticate(platform, &request).await?;
    let scopes = granted_scopes(&application, request.scope.as_deref())?;
    let now = platform.clock.now();
    let id = count_one(platform, &application, now).await?;
    let scope = scopes.join(" ");
    let access_token = platform.token_keys.issue(
        &application.client_id,
        application.account_id,
        scopes,
        id,
        now,
    )?;
    Ok(TokenReply {
        token_type: "Bearer".to_owned(),
        expires_in: LIFETIME_SECONDS,
        access_token,
        scope,
    })
}

async fn authenticate(
    platform: &Platform,
    request: &ClientRequest,
) -> Result<Application, Refusal> {
    let client_id = request.client_id.clone();
    let found = platform
        .store
        .read(move |connection| application::with_account(connection, &client_id))
        .await?;
    // Client ids are no secret, so nothing hides whether one exists but the common answer.
    match found {
        Some((application, _)) if application.has_secret(&request.client_secret) => Ok(application),
        _ => Err(Refusal::UnknownClient),
    }
}

/// What was asked for, or all that the application has.
fn granted_scopes(application: &Application, asked: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(asked) = asked else {
        return Ok(application.scopes.clone());
    };
    let mut granted: Vec<String> = Vec::new();
    for scope in asked.split_ascii_whitespace() {
        if !application.scopes.iter().any(|has| has == scope) {
            return Err(Refusal::Scope {
                allowed: application.scopes.join(" "),
            });
        }
        if !granted.iter().any(|has| has == scope) {
            granted.push(scope.to_owned());
        }
    }
    if granted.is_empty() {
        return Ok(application.scopes.clone());
    }
    Ok(granted)
}

/// Counts a new token against the application's quota, and gives its id.
async fn count_one(
    platform: &Platform,
    application: &Application,
    now: Timestamp,
) -> Result<ObjectId, Refusal> {
    let per_day = platform.settings.tokens_per_day;
    let client_id = application.client_id.clone();
    let id = new_id();
    let counted = platform
        .store
        .write(Lock::row("application", &client_id), move |connection| {
            record(connection, &client_id, id, per_day, now)
        })
        .await?;
    counted.map_err(|exhausted| Refusal::Quota { exhausted, per_day })?;
    Ok(id)
}

fn record(
    connection: &mut Connection,
    client_id: &str,
    id: ObjectId,
    per_day: NonZeroU32,
    now: Timestamp,
) -> Result<Result<(), Exhausted>, Error> {
    let window_start = now - quota::WINDOW;
    let issued = token::issued_after(connection, client_id, window_start, per_day.get())?;
    if let Err(exhausted) = quota::admit(&issued, per_day, now) {
        return Ok(Err(exhausted));
    }
    token::forget_until(connection, client_id, window_start)?;
    token::insert(connection, id, client_id, now)?;
    Ok(Ok(()))
}
