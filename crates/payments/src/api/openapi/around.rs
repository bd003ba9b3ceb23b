//! What stands around every route and is described once: who is let in, the limits, the refusals that
//! all have in common, and the headers of every reply.

use std::time::Duration;

use contract::ObjectId;
use contract::oauth::TokenError;
use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use super::super::body::CARD_DATA;
use super::super::error::{self, NOT_JSON, TOO_LARGE, UNAVAILABLE};
use super::super::query::Query;
use super::parameters::IDEMPOTENCY_KEY;
use crate::model::KeyRefusal;

/// What a route is, as far as its surroundings depend on it.
#[expect(clippy::struct_excessive_bools, reason = "each stands for itself")]
struct Route<'a> {
    path: &'a str,
    /// Whether it needs a token.
    is_guarded: bool,
    /// Whether its requests are counted.
    is_limited: bool,
    /// Whether it asks the database.
    is_static: bool,
    takes_ids: bool,
    takes_page: bool,
    takes_query: bool,
    takes_body: bool,
    takes_key: bool,
}

/// Describes around the routes what stands around them.
pub(super) fn surround(paths: &mut Value) {
    let items = paths.as_object_mut().into_iter().flatten();
    for (path, item) in items {
        for (_, operation) in item.as_object_mut().into_iter().flatten() {
            surround_one(&Route::of(path, operation), operation);
        }
    }
}

impl<'a> Route<'a> {
    fn of(path: &'a str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array();
        let has = |key: &str, value: &str| {
            let mut parameters = parameters.into_iter().flatten();
            parameters.any(|parameter| parameter[key] == value)
        };
        let is_limited = path.starts_with("/v1/");
        Self {
            path,
            is_guarded: is_limited || path.starts_with("/sandbox/"),
            is_limited,
            is_static: ["/docs", "/healthz", "/openapi.json"]
                .iter()
                .any(|prefix| path.starts_with(prefix)),
            takes_ids: has("in", "path"),
            takes_page: has("name", "limit"),
            takes_query: has("in", "query"),
            takes_body: !operation["requestBody"].is_null(),
            takes_key: has("name", IDEMPOTENCY_KEY),
        }
    }

    /// The refusals that the route has in common with others, by their status.
    fn refusals(&self) -> Vec<(&'static str, Value)> {
        let mut refusals = Vec::new();
        if self.is_static || self.path == "/oauth2/token" {
            return refusals;
        }
        if self.takes_ids || self.takes_query || self.takes_body {
            refusals.push((
                "400",
                message("What is wrong, and what to do.", &self.bad_requests()),
            ));
        }
        if self.is_guarded {
            let about = "No token, or none of this server.";
            refusals.push(("401", object(about, "Unauthorized", &error::unauthorized())));
            let about = "The token has expired, or its application may not do this.";
            refusals.push(("403", object(about, "Forbidden", &error::forbidden())));
        }
        if self.takes_body {
            let texts = [("TooSlow", error::too_slow(Duration::from_secs(30)))];
            refusals.push(("408", message("The body is too slow.", &texts)));
            let texts = [("TooLarge", TOO_LARGE.to_owned())];
            refusals.push(("413", message("The body is too large.", &texts)));
            let texts = [("NotJson", NOT_JSON.to_owned())];
            refusals.push(("415", message("The body says that it is no JSON.", &texts)));
        }
        if self.is_limited {
            let example = error::too_many("…");
            let too_many = object("Too many requests.", "TooManyRequests", &example);
            refusals.push(("429", too_many));
        }
        let texts = [("Internal", error::INTERNAL.to_owned())];
        let about = "Something went wrong inside; the server's log says what.";
        refusals.push(("500", message(about, &texts)));
        let texts = [("Unavailable", UNAVAILABLE.to_owned())];
        let about = "A database or a processor cannot serve right now.";
        refusals.push(("503", message(about, &texts)));
        refusals
    }

    fn bad_requests(&self) -> Vec<(&'static str, String)> {
        let mut texts = Vec::new();
        if self.takes_ids {
            let invalid = "reservation-1".parse::<ObjectId>().map(|_| String::new());
            texts.push((
                "InvalidId",
                invalid.unwrap_or_else(|error| error.to_string()),
            ));
        }
        if self.takes_page {
            let page = Query::read("limit=1000").and_then(|query| query.page());
            if let Err(error::ApiError::BadRequest(text)) = page {
                texts.push(("InvalidLimit", text));
            }
        }
        if self.takes_body {
            texts.push(("CardData", CARD_DATA.to_owned()));
        }
        texts
    }
}

fn surround_one(route: &Route, operation: &mut Value) {
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if parameter["in"] == "query" && parameter["required"] == false {
            parameter["allowEmptyValue"] = json!(true);
        }
    }
    if route.is_guarded {
        operation["security"] = json!([{"token": ["open-api"]}]);
    }
    for (status, refusal) in route.refusals() {
        let known = &mut operation["responses"][status];
        if known.is_null() {
            *known = refusal;
        } else if known["content"]["application/json"]["schema"] == schema("Message") {
            let examples = &refusal["content"]["application/json"]["examples"];
            for (name, example) in examples.as_object().into_iter().flatten() {
                known["content"]["application/json"]["examples"][name] = example.clone();
            }
        }
    }
    if route.takes_key {
        let bad = problem(KeyRefusal::Malformed)["content"].take();
        let responses = &mut operation["responses"];
        let kinds = bad.as_object().into_iter().flatten();
        for (kind, content) in kinds {
            responses["400"]["content"][kind] = content.clone();
        }
        responses["409"] = problem(KeyRefusal::UnderWay);
        responses["422"] = problem(KeyRefusal::Reused);
        responses["201"]["headers"] = json!({"Idempotent-Replayed": header("IdempotentReplayed")});
    }
    let responses = operation["responses"].as_object_mut();
    for (status, response) in responses.into_iter().flatten() {
        response["headers"]["X-Request-Id"] = header("RequestId");
        if COMES_BACK.contains(&status.as_str()) {
            response["headers"]["Retry-After"] = header("RetryAfter");
        }
        if route.is_limited && status != "401" {
            for (name, _, _) in LIMITS {
                response["headers"][name] = header(&name.replace('-', ""));
            }
        }
    }
}

/// The replies after which a client is to come back.
const COMES_BACK: [&str; 3] = ["409", "429", "503"];

/// A reply that is a text, with the texts that it can be.
fn message(about: &str, texts: &[(&str, String)]) -> Value {
    let examples: Map<String, Value> = texts
        .iter()
        .map(|(name, text)| ((*name).to_owned(), json!({"value": text})))
        .collect();
    let mut content = json!({"schema": schema("Message")});
    if !examples.is_empty() {
        content["examples"] = Value::Object(examples);
    }
    json!({"description": about, "content": {"application/json": content}})
}

/// A reply that is an object.
fn object(about: &str, name: &str, example: &Value) -> Value {
    json!({
        "description": about,
        "content": {"application/json": {"schema": schema(name), "example": example}},
    })
}

/// A refused key, in its own form.
fn problem(refusal: KeyRefusal) -> Value {
    let (_, example) = error::key_problem(refusal);
    let content = json!({"schema": schema("Problem"), "example": example});
    json!({
        "description": refusal.to_string(),
        "content": {"application/problem+json": content},
    })
}

fn schema(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

const LIMITS: [(&str, &str, i64); 6] = [
    (
        "X-RateLimit-Limit-Second",
        "How many requests a second.",
        15,
    ),
    ("X-RateLimit-Remaining-Second", "What is left of them.", 14),
    (
        "X-RateLimit-Limit-Minute",
        "How many requests a minute.",
        120,
    ),
    ("X-RateLimit-Remaining-Minute", "What is left of them.", 119),
    ("X-RateLimit-Limit-Hour", "How many requests an hour.", 5000),
    ("X-RateLimit-Remaining-Hour", "What is left of them.", 4999),
];

/// The headers of replies.
pub(super) fn headers() -> Value {
    let number = |about: &str, example: i64| {
        json!({
            "description": about,
            "schema": {"type": "integer", "minimum": 0},
            "example": example,
        })
    };
    let mut headers = json!({
        "RequestId": {
            "description": "The request's own `x-request-id`, or a new one: by it the log is searched.",
            "required": true,
            "schema": {"type": "string", "minLength": 1, "maxLength": 128},
        },
        "IdempotentReplayed": {
            "description": "`true`, when the reply is the one to an earlier try under the same key.",
            "schema": {"type": "string"},
        },
        "RetryAfter": number("How many seconds to wait.", 1),
    });
    for (name, about, example) in LIMITS {
        headers[name.replace('-', "")] = number(about, example);
    }
    headers
}

/// The forms of refusals, which are nowhere named as a body.
pub(super) fn schemas() -> Map<String, Value> {
    let text = json!({"type": "string"});
    let error = |fields: Value, required: Value| {
        json!({
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {"type": "object", "required": required, "properties": fields},
            },
        })
    };
    let coded = error(
        json!({"code": text, "message": text}),
        json!(["code", "message"]),
    );
    let report = error(
        json!({
            "message": text,
            "code": text,
            "status": {"type": "integer"},
            "data": {"type": "array", "items": text},
        }),
        json!(["message", "status"]),
    );
    let schemas = json!({
        "Message": {"type": "string", "description": "What is wrong, and what to do."},
        "Unauthorized": coded,
        "TooManyRequests": coded,
        "Forbidden": {
            "type": "object",
            "required": ["message"],
            "properties": {"message": text},
        },
        "ReportError": report,
        "Problem": {
            "type": "object",
            "description": "A problem of RFC 9457.",
            "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": text,
                "title": text,
                "status": {"type": "integer"},
                "detail": text,
            },
        },
    });
    let Value::Object(mut schemas) = schemas else {
        return Map::new();
    };
    schemas.insert("TokenError".to_owned(), json!(TokenError::schema()));
    schemas
}
