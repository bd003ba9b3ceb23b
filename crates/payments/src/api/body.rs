//! Request bodies: JSON, read with every check that holds for all routes.

use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use super::error::ApiError;
use crate::model::reading;

/// A JSON body of type `T`.
///
/// Refused with 400, before anything looks at it: malformed JSON, wrong types (the path to the
/// wrong value is named), NUL bytes, and anything that holds a card number or a security code. Such
/// a body is neither repeated in the reply nor logged.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = read_json(request, state).await?;
        from_json(&bytes).map(Self)
    }
}

/// A JSON body of type `T` that may be left out: then all of its fields are absent.
pub(crate) struct OptionalBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = read_json(request, state).await?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        from_json(&bytes).map(Self)
    }
}

/// A body that a route does not need but clients send: empty, or any JSON.
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = read(request, state).await?;
        if !bytes.trim_ascii().is_empty() {
            check(&parse(&bytes)?)?;
        }
        Ok(Self)
    }
}

/// The bytes of a JSON body, or of none, that passes the checks of all routes.
pub(super) async fn accepted(request: Request) -> Result<Bytes, ApiError> {
    let bytes = read_json(request, &()).await?;
    if !bytes.trim_ascii().is_empty() {
        check(&parse(&bytes)?)?;
    }
    Ok(bytes)
}

/// The bytes of a body that says that it is JSON, or says nothing.
async fn read_json<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    if content_type.is_some_and(|kind| !is_json(kind.as_bytes())) {
        return Err(ApiError::NotJson);
    }
    Ok(read(request, state).await?)
}

fn from_json<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, ApiError> {
    let value = parse(bytes)?;
    // The types would also take a list of their fields' values.
    if !value.is_object() {
        return Err(ApiError::bad_request(
            "The body is not as expected: a JSON object is expected",
        ));
    }
    check(&value)?;
    reading::read(bytes).map_err(|misfit| {
        let field = misfit.field.as_deref();
        let field = field.unwrap_or("The body is not as expected");
        ApiError::BadRequest(format!("{field}: {}", misfit.reason))
    })
}

/// The largest body, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// How long a body may take to arrive; goes with each request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Within(pub(super) Duration);

/// Why a body was not read to its end.
pub(super) enum Unread {
    /// It is larger than any request needs to be.
    TooLarge,
    /// It did not arrive in time.
    TooSlow(Within),
    /// The connection failed, or what came over it is no body.
    Broken,
}

impl From<Unread> for ApiError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => Self::TooLarge,
            Unread::TooSlow(Within(limit)) => Self::TooSlow(limit),
            Unread::Broken => Self::bad_request("The body could not be read"),
        }
    }
}

/// All of a request's body.
pub(super) async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Unread> {
    // What says beforehand that it is too large need not arrive to be refused.
    if request.body().size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(Unread::TooLarge);
    }
    let within = request.extensions().get::<Within>().copied();
    let body = Bytes::from_request(request, state);
    let read = match within {
        None => body.await,
        Some(within) => timeout(within.0, body)
            .await
            .map_err(|_| Unread::TooSlow(within))?,
    };
    read.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Unread::TooLarge,
        _ => Unread::Broken,
    })
}

fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    // First, as reading them could nest without a limit.
    if strings(bytes).any(is_private) {
        return Err(ApiError::BadRequest(format!(
            "The body contains a name that begins with {PRIVATE}, which is reserved"
        )));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| ApiError::bad_request(format!("The body is not valid JSON: {error}")))
}

/// How the JSON library marks numbers inside its own data: an object with such a name would turn
/// into something else on its way into the database, or be unreadable there.
const PRIVATE: &str = "$serde_json::private::";

/// Whether a string of a JSON text, as it is written, says one of the library's own names.
fn is_private(string: &[u8]) -> bool {
    if !string.contains(&b'\\') {
        return string[1..].starts_with(PRIVATE.as_bytes());
    }
    serde_json::from_slice(string).is_ok_and(|text: String| text.starts_with(PRIVATE))
}

/// The strings of a JSON text, names and values alike, as they are written: with quotes.
fn strings(json: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = json;
    std::iter::from_fn(move || {
        rest = &rest[rest.iter().position(|byte| *byte == b'"')?..];
        let mut is_escaped = false;
        let length = rest.iter().skip(1).position(|byte| {
            let is_end = *byte == b'"' && !is_escaped;
            is_escaped = *byte == b'\\' && !is_escaped;
            is_end
        })? + 2;
        let (string, after) = rest.split_at(length);
        rest = after;
        Some(string)
    })
}

fn is_json(content_type: &[u8]) -> bool {
    let kind = content_type
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    kind.eq_ignore_ascii_case(b"application/json") || kind.ends_with(b"+json")
}

/// How deep lists and objects may stand inside each other: replies put what is kept into more of
/// them, and clients' JSON libraries have limits, too.
const DEPTH_MAX: usize = 64;

fn check(value: &Value) -> Result<(), ApiError> {
    check_below(value, DEPTH_MAX)
}

fn check_below(value: &Value, depth_left: usize) -> Result<(), ApiError> {
    if depth_left == 0 && (value.is_object() || value.is_array()) {
        return Err(ApiError::BadRequest(format!(
            "The body is nested more than {DEPTH_MAX} deep"
        )));
    }
    match value {
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            if names_card_data(name) && !value.is_null() {
                return Err(card_data());
            }
            check_text(name)?;
            check_below(value, depth_left - 1)
        }),
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_below(item, depth_left - 1)),
        Value::String(text) => check_text(text),
        Value::Number(number) if is_card_number(number.as_str()) => Err(card_data()),
        _ => Ok(()),
    }
}

fn check_text(text: &str) -> Result<(), ApiError> {
    if text.contains('\0') {
        return Err(ApiError::bad_request("The body contains a NUL character"));
    }
    if is_card_number(text) {
        return Err(card_data());
    }
    Ok(())
}

/// Why a body with card data is refused.
pub(super) const CARD_DATA: &str = "The body contains a card number or security code, which no endpoint accepts: make a payment \
     method from your processor's token instead. Nothing of the body was kept";

fn card_data() -> ApiError {
    ApiError::bad_request(CARD_DATA)
}

fn names_card_data(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "cvc",
        "cvv",
        "cvv2",
        "cvc2",
        "cid",
        "csc",
        "pan",
        "cardnumber",
        "cardno",
        "ccnumber",
        "securitycode",
        "creditcardnumber",
    ];
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    NAMES.contains(&plain.as_str())
}

/// Whether a text is a card number, or has one among its words. 13 to 19 digits, under an issuer's
/// first digit and with a right check digit; blanks or dashes between them as cards print them, or
/// anywhere if the text is nothing else. Digits next to letters are ids.
fn is_card_number(text: &str) -> bool {
    let is_nothing_else = text
        .chars()
        .all(|c| c.is_ascii_digit() || SEPARATORS.contains(&c));
    if is_nothing_else && is_number_of_a_card(text) {
        return true;
    }
    text.split(|c: char| !c.is_alphanumeric() && !SEPARATORS.contains(&c))
        .any(has_card_number)
}

/// What stands between the digits of a card number.
const SEPARATORS: [char; 2] = [' ', '-'];

/// Whether some of these words in a row are a card number: one of digits alone, or a first of four
/// and some more, as in 4-4-4-4 and 4-6-5.
fn has_card_number(words: &str) -> bool {
    let words: Vec<&str> = words.split(SEPARATORS).collect();
    (0..words.len()).any(|first| {
        let is_grouped = words[first].len() == 4;
        let mut number = String::with_capacity(24);
        for word in &words[first..] {
            let is_group =
                (3..=19).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
            if !is_group || number.len() > 19 {
                return false;
            }
            number.push_str(word);
            if is_number_of_a_card(&number) {
                return true;
            }
            if !is_grouped {
                return false;
            }
        }
        false
    })
}

fn is_number_of_a_card(text: &str) -> bool {
    let digits: Vec<u8> = text
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|byte| byte - b'0')
        .collect();
    (13..=19).contains(&digits.len()) && (2..=6).contains(&digits[0]) && has_check_digit(&digits)
}

/// The Luhn sum of ISO/IEC 7812-1.
fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let weighted = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
            if weighted > 9 { weighted - 9 } else { weighted }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn card_data_is_found_wherever_it_stands() {
        for body in [
            json!({"card": {"number": "4242424242424242"}}),
            json!({"note": "4242 4242 4242 4242"}),
            json!({"note": "Visa 4242424242424242, 12/30"}),
            json!({"note": "room 12 card:4242-4242-4242-4242."}),
            json!({"note": "Amex 3782 822463 10005 on file"}),
            json!({"note": "12 2026 4242 4242 4242 4242 123"}),
            json!({"list": [[{"x": "5555-5555-5555-4444"}]]}),
            serde_json::from_str(r#"{"amount": 378282246310005}"#).unwrap(),
            json!({"paymentMethod": {"cvc": "123"}}),
            json!({"security_code": 123}),
            json!({"4242424242424242": true}),
        ] {
            assert!(check(&body).is_err(), "{body}");
        }
    }

    #[test]
    fn the_json_librarys_own_names_are_refused_however_they_are_written() {
        for body in [
            r#"{"a": {"$serde_json::private::Number": "1"}}"#,
            r#"{"a": [{"b": 1, "\u0024serde_json::private::RawValue": "{}"}]}"#,
            r#"{"a": "\"\\", "$serde_json\u003a:private::": null}"#,
        ] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
        for body in [
            r#"{"a": "b\\", "c": "the name \"$serde_json::private::Number\"", "d": ""}"#,
            r#"{"serde_json": 1.50, "e": "\\\"$serde_json::private::"}"#,
        ] {
            assert!(parse(body.as_bytes()).is_ok(), "{body}");
        }
    }

    #[test]
    fn ordinary_texts_are_let_through() {
        for body in [
            json!({"phone": "+12128765234", "id": "64da2367d8d9771c02befbb2"}),
            json!({"note": "4242424242424241", "amount": 1200}),
            json!({"stripeCardToken": "pm_card_visa"}),
            json!({"note": "id a4242424242424242, from 2026-03-01 to 2026-03-04 at 12:00"}),
            json!({"note": "call +44 20 7946 0958 or 555 0100 before 10 30"}),
            json!({"note": "42424242424242424242 and 4242 42 4242"}),
            json!({"cvc": null}),
        ] {
            assert!(check(&body).is_ok(), "{body}");
        }
    }
}
