//! The description as a whole: what the API is, how one is let in, and all routes.

use std::sync::OnceLock;

use axum::body::Bytes;
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use super::{around, examples, in_part};
use crate::Error;

/// The description, written when it is first asked for.
pub(crate) struct Document {
    routes: OpenApi,
    written: OnceLock<Bytes>,
}

impl Document {
    /// Of these routes.
    pub(crate) fn of(routes: OpenApi) -> Self {
        Self {
            routes,
            written: OnceLock::new(),
        }
    }

    /// As JSON.
    pub(super) fn json(&self) -> Result<Bytes, Error> {
        if let Some(written) = self.written.get() {
            return Ok(written.clone());
        }
        let unwritten =
            |error| Error::Corrupt(format!("the API's description cannot be written: {error}"));
        let document = describe(serde_json::to_value(&self.routes).map_err(unwritten)?)?;
        let bytes = Bytes::from(serde_json::to_vec(&document).map_err(unwritten)?);
        Ok(self.written.get_or_init(|| bytes).clone())
    }
}

/// Puts around the routes what is said once.
fn describe(mut routes: Value) -> Result<Value, Error> {
    let mut schemas = std::mem::take(&mut routes["components"]["schemas"]);
    if let Some(schemas) = schemas.as_object_mut() {
        in_part::loosen(schemas);
        schemas.extend(around::schemas());
        examples::give(schemas)?;
    }
    let mut paths = std::mem::take(&mut routes["paths"]);
    around::surround(&mut paths);
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Nightaudit payments",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "tags": TAGS.map(|(name, about)| json!({"name": name, "description": about})),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": around::headers(),
            "securitySchemes": {
                "client": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "The application's `client_id` and `client_secret`.",
                },
                "token": {
                    "type": "oauth2",
                    "description": "A token of `POST /oauth2/token`, sent as `Authorization: Bearer …`. \
                                    It is good for 24 hours.",
                    "flows": {"clientCredentials": {
                        "tokenUrl": "/oauth2/token",
                        "scopes": {"open-api": "All of the account, or the application's listings"},
                    }},
                },
            },
        },
    }))
}

const ABOUT: &str = "\
A payments platform that speaks the Guesty Open API.

**Who asks.** Every route under `/v1` and `/sandbox` needs a token of `POST /oauth2/token`. What it shows \
and changes is its account's, or what hangs on the listings of its application. Anything else is a 404.

**Amounts** are JSON numbers in major units: exact decimals with no more digits than the currency has. Read \
them as decimals, not as floats. More digits are refused, not rounded.

**Requests** are JSON objects of at most 1 MiB. Fields that are left out or `null` are absent. Query \
parameters that are empty count as absent, and those that a route does not know are ignored. No body may hold a card number or a security code.

**Refusals** of most routes are a JSON string that says what is wrong and what to do. The gateway's (401, \
403, 429), the reports' and those of `/oauth2/token` are objects. A path that leads nowhere is a 404 with \
`{\"error\": {\"message\", \"status\"}}`, a method that a path does not have a 405 of the same form. A route of the \
Open API that is not served, and so not described here, is a 501 of that form, with `code` `NOT_IMPLEMENTED`. \
Whatever is asked under `/v1`, a token comes first.

**Limits.** An account may make so many requests a second, a minute and an hour, and so many at once; \
`X-RateLimit-…` tell them, and what is left. Beyond, requests are a 429 with `Retry-After`.";

/// The groups of routes, in their order.
const TAGS: [(&str, &str); 15] = [
    ("Tokens", "Tokens for client credentials"),
    (
        "Payments",
        "Payments on a reservation: now or later, holds, captures, refunds",
    ),
    (
        "Payment methods",
        "Guests' stored cards, made of a processor's token",
    ),
    (
        "Auto payments",
        "By what policy payments are planned; no part of the Open API",
    ),
    (
        "Reports",
        "What processors have on record, and what they pay out",
    ),
    ("Reservations", "Stays, with their money"),
    ("Guests", "Who stays or pays"),
    ("Listings", "Properties for rent"),
    ("Taxes", "Taxes of the account and of its listings"),
    ("Additional fees", "Fees of the account and of its listings"),
    ("Payment providers", "Which processor takes whose payments"),
    (
        "Webhooks",
        "Subscriptions to what happens, and what was sent to them",
    ),
    ("Account", "The caller's account"),
    (
        "Sandbox",
        "What only a sandbox can do; no part of the Open API",
    ),
    (
        "Server",
        "Health, figures and this description; no part of the Open API",
    ),
];
