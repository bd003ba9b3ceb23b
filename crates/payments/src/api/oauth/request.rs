//! What a client sent, in any of the ways it may: a form or JSON, its credentials in the body or by
//! Basic authentication. Structure is checked here, in one order, before anybody is looked up.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use contract::oauth::TokenRequest;
use data_encoding::BASE64;
use percent_encoding::percent_decode;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::error::Refusal;
use crate::api::body::read;

const GRANT_TYPE: &str = "client_credentials";
/// No client id is longer; longer ones, or with other characters, are nobody's.
const CLIENT_ID_CHARS_MAX: usize = 64;

/// A complete request for a token; whether the client may have one is still open.
pub(super) struct ClientRequest {
    pub(super) client_id: String,
    pub(super) client_secret: Zeroizing<String>,
    pub(super) scope: Option<String>,
}

impl<S: Send + Sync> FromRequest<S> for ClientRequest {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let headers = request.headers().clone();
        let body = read(request, state).await.map_err(|_| {
            Refusal::request("the body could not be read, is too large, or came too slowly")
        })?;
        let sent = read_body(&headers, &body)?;
        check_grant_type(sent.grant_type.as_deref())?;
        let (client_id, client_secret) = credentials(&headers, sent.client_id, sent.client_secret)?;
        if !is_client_id(&client_id) {
            return Err(Refusal::UnknownClient);
        }
        Ok(Self {
            client_id,
            client_secret,
            scope: sent.scope,
        })
    }
}

fn read_body(headers: &HeaderMap, body: &[u8]) -> Result<TokenRequest, Refusal> {
    let sent: TokenRequest = match media_type(headers).as_deref() {
        None | Some("application/x-www-form-urlencoded") => serde_html_form::from_bytes(body)
            .map_err(|error| Refusal::request(format!("the form cannot be read: {error}")))?,
        Some("application/json") => from_json(body)?,
        Some(_) => {
            return Err(Refusal::request(
                "send the parameters as a form: content-type: application/x-www-form-urlencoded",
            ));
        }
    };
    // A parameter without a value counts as absent.
    let given = |value: Option<String>| value.filter(|text| !text.is_empty());
    Ok(TokenRequest {
        grant_type: given(sent.grant_type),
        client_id: given(sent.client_id),
        client_secret: given(sent.client_secret),
        scope: given(sent.scope),
    })
}

/// The quick start's body, which names no grant.
fn from_json(body: &[u8]) -> Result<TokenRequest, Refusal> {
    // The error is not repeated: it may quote what stands in a secret's place.
    let not_an_object = |_| Refusal::request("the body is no JSON object with texts in it");
    let object: Map<String, Value> = serde_json::from_slice(body).map_err(not_an_object)?;
    let sent: TokenRequest =
        serde_json::from_value(Value::Object(object)).map_err(not_an_object)?;
    Ok(TokenRequest {
        grant_type: sent.grant_type.or_else(|| Some(GRANT_TYPE.to_owned())),
        ..sent
    })
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.as_bytes();
    let kind = value.split(|byte| *byte == b';').next()?.trim_ascii();
    Some(String::from_utf8_lossy(kind).to_ascii_lowercase())
}

fn check_grant_type(grant_type: Option<&str>) -> Result<(), Refusal> {
    match grant_type {
        Some(GRANT_TYPE) => Ok(()),
        Some(_) => Err(Refusal::GrantType),
        None => Err(Refusal::request(
            "grant_type is missing: send grant_type=client_credentials",
        )),
    }
}

/// From the header or from the body, and never from both: which of two were meant?
fn credentials(
    headers: &HeaderMap,
    client_id: Option<String>,
    client_secret: Option<String>,
) -> Result<(String, Zeroizing<String>), Refusal> {
    let Some(basic) = basic(headers) else {
        let (Some(id), Some(secret)) = (client_id, client_secret) else {
            return Err(Refusal::NoCredentials);
        };
        return Ok((id, Zeroizing::new(secret)));
    };
    if client_secret.is_some() {
        return Err(Refusal::request(
            "credentials came twice, by Basic authentication and in the body: send them once",
        ));
    }
    let (id, secret) = decode_basic(basic).ok_or(Refusal::UnreadableBasic)?;
    // Some libraries repeat the id, which is harmless while it is the same.
    if client_id.is_some_and(|named| named != id) {
        return Err(Refusal::request(
            "client_id in the body is not the client of the Basic authentication",
        ));
    }
    Ok((id, secret))
}

/// What stands behind `Basic`. Another scheme is no way to ask for a token, and left alone: clients
/// may send an old token along with everything.
fn basic(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes)?;
    let scheme_length = b"basic".len();
    let (scheme, rest) = value.split_at_checked(scheme_length)?;
    let is_basic =
        scheme.eq_ignore_ascii_case(b"basic") && rest.first().is_none_or(|next| *next == b' ');
    is_basic.then(|| rest.trim_ascii())
}

/// Both halves are form-encoded before they are joined (RFC 6749, section 2.3.1).
fn decode_basic(encoded: &[u8]) -> Option<(String, Zeroizing<String>)> {
    let joined = Zeroizing::new(BASE64.decode(encoded).ok()?);
    let colon = joined.iter().position(|byte| *byte == b':')?;
    let id = form_decode(&joined[..colon])?;
    let secret = form_decode(&joined[colon + 1..])?;
    Some((id.to_string(), secret))
}

fn form_decode(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let spaced: Zeroizing<Vec<u8>> = Zeroizing::new(
        bytes
            .iter()
            .map(|byte| if *byte == b'+' { b' ' } else { *byte })
            .collect(),
    );
    let decoded = percent_decode(&spaced).decode_utf8().ok()?;
    Some(Zeroizing::new(decoded.into_owned()))
}

fn is_client_id(text: &str) -> bool {
    text.len() <= CLIENT_ID_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
