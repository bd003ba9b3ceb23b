//! `Idempotency-Key`, as draft-ietf-httpapi-idempotency-key-header has it: a request that is sent
//! again under its key gets the first one's reply. Without the header nothing happens here.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::body::accepted;
use super::ctx::Ctx;
use super::error::ApiError;
use crate::idempotency::{self, Claim, Claimed, Keyed};
use crate::model::KeyRefusal;
use crate::model::idempotency_key::{IdempotencyKey, KeptReply};
use crate::{Error, Platform};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that a reply is the one to an earlier try.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Stands around routes whose POSTs must not be done twice.
pub(super) async fn once(
    State(platform): State<Arc<Platform>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return Ok(next.run(request).await);
    }
    let (mut parts, body) = request.into_parts();
    let ctx = Ctx::from_request_parts(&mut parts, &platform).await?;
    let key = key(&parts.headers)?;
    // Of what no route accepts, a hash is not kept either: it may hold a card number.
    let body = accepted(Request::from_parts(parts.clone(), body)).await?;
    let keyed = Keyed {
        account: ctx.account.id,
        key,
        fingerprint: fingerprint(&ctx, &parts, &body),
    };
    // It goes on to the end also when the client goes away, who comes back for the reply.
    let work = async move {
        match idempotency::claim(&platform, keyed).await? {
            Claimed::Answered(reply) => replay(reply),
            Claimed::Ours(claim) => {
                let claimed = Ctx {
                    claim: Some(claim),
                    ..ctx
                };
                parts.extensions.insert(claimed);
                let request = Request::from_parts(parts, Body::from(body));
                carry_out(&platform, claim, next, request).await
            }
        }
    };
    let worked = tokio::spawn(work.in_current_span()).await;
    worked.map_err(|_| store::Error::Panicked)?
}

fn key(headers: &HeaderMap) -> Result<IdempotencyKey, KeyRefusal> {
    let mut values = headers.get_all(KEY).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| KeyRefusal::Malformed)?.parse(),
        _ => Err(KeyRefusal::Several),
    }
}

/// What makes this request another than others. Two applications of an account can send one another's
/// requests again, but not those of one that sees less, or more, than they do.
fn fingerprint(ctx: &Ctx, parts: &Parts, body: &[u8]) -> String {
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let view = match ctx.listings {
        None => "",
        Some(_) => ctx.application.as_str(),
    };
    let mut hash = Sha256::new();
    let method = parts.method.as_str();
    for part in [view.as_bytes(), method.as_bytes(), path.as_bytes(), body] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    HEXLOWER.encode(&hash.finalize())
}

fn replay(reply: KeptReply) -> Result<Response, ApiError> {
    let corrupt = |what| ApiError::from(Error::Corrupt(format!("{what} of a kept reply")));
    let status = StatusCode::from_u16(reply.status).map_err(|_| corrupt("status"))?;
    let mut replayed = (status, reply.body).into_response();
    let headers = replayed.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if let Some(kind) = reply.content_type {
        let kind = HeaderValue::try_from(kind).map_err(|_| corrupt("content type"))?;
        headers.insert(header::CONTENT_TYPE, kind);
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(replayed)
}

async fn carry_out(
    platform: &Platform,
    claim: Claim,
    next: Next,
    request: Request,
) -> Result<Response, ApiError> {
    let reply = tokio::select! {
        reply = next.run(request) => reply,
        never = idempotency::keep_hold(platform, claim) => match never {},
    };
    if reply.status().is_server_error() {
        idempotency::let_go(platform, claim).await;
        return Ok(reply);
    }
    let (parts, body) = reply.into_parts();
    let unreadable = || Error::Corrupt("a reply that is no text".to_owned());
    let bytes = to_bytes(body, usize::MAX).await;
    let bytes = bytes.map_err(|_| unreadable())?;
    let body = String::from_utf8(bytes.into()).map_err(|_| unreadable())?;
    let content_type = parts.headers.get(header::CONTENT_TYPE);
    let kept = KeptReply {
        status: parts.status.as_u16(),
        content_type: content_type
            .and_then(|kind| kind.to_str().ok())
            .map(str::to_owned),
        body: body.clone(),
    };
    idempotency::answer(platform, claim, kept).await;
    Ok(Response::from_parts(parts, Body::from(body)))
}
