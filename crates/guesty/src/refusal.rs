//! What the source says when it refuses. It has no single form: a bare JSON string, an object with
//! a message, an object with an `error` that holds one, RFC 6749's, or no JSON at all.

use std::fmt;

use bytes::Bytes;
use contract::Timestamp;
use serde_json::Value;

use crate::hidden::Hidden;

/// How much of a text that is no JSON is repeated.
const EXCERPT_CHARS: usize = 200;

/// A refusal in the source's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the reply.
    pub status: u16,
    /// What it says.
    pub message: String,
    /// The name of the error: `UNAUTHORIZED`, `VALIDATION_FAILED`, `invalid_client`.
    pub code: Option<String>,
    /// What is wrong, one by one.
    pub details: Vec<String>,
    /// The id of the request, which the source's support asks for.
    pub request_id: Option<String>,
    /// Until when the source asks to be left alone, by our clock.
    pub retry_at: Option<Timestamp>,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Refusal {
    /// Without the secrets: only the body is as it came.
    pub(crate) fn read(
        status: u16,
        body: &Bytes,
        request_id: Option<String>,
        hidden: &Hidden,
    ) -> Self {
        let read = Self::read_whole(status, body, request_id, hidden);
        Self {
            message: hidden.cut(&read.message).into_owned(),
            code: read.code.map(|code| hidden.cut(code).into_owned()),
            details: (read.details.into_iter())
                .map(|detail| hidden.cut(detail).into_owned())
                .collect(),
            ..read
        }
    }

    fn read_whole(status: u16, body: &Bytes, request_id: Option<String>, hidden: &Hidden) -> Self {
        let refusal = Self {
            status,
            request_id,
            body: body.clone(),
            ..Self::default()
        };
        match serde_json::from_slice::<Value>(body) {
            Ok(Value::String(message)) => Self { message, ..refusal },
            Ok(Value::Object(body)) => match body.get("error") {
                Some(Value::Object(error)) => Self {
                    message: text(error.get("message")).unwrap_or_default(),
                    code: text(error.get("code")),
                    details: texts(error.get("data")),
                    ..refusal
                },
                error => Self {
                    message: text(body.get("message"))
                        .or_else(|| text(body.get("error_description")))
                        .or_else(|| text(error))
                        .unwrap_or_default(),
                    code: text(error).or_else(|| text(body.get("code"))),
                    details: texts(body.get("data")),
                    ..refusal
                },
            },
            Ok(other) => Self {
                message: excerpt(&hidden.cut(other.to_string())),
                ..refusal
            },
            Err(_) => Self {
                message: excerpt(&hidden.cut(String::from_utf8_lossy(body))),
                ..refusal
            },
        }
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let Some(Value::Array(items)) = value else {
        return Vec::new();
    };
    items
        .iter()
        .map(|item| text(Some(item)).unwrap_or_else(|| item.to_string()))
        .collect()
}

/// The beginning of a text, in one line.
pub(crate) fn excerpt(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.message.is_empty() {
            write!(f, " \"{}\"", self.message)?;
        }
        if !self.details.is_empty() {
            write!(f, " ({})", self.details.join("; "))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Credentials;

    fn hidden() -> Hidden {
        Hidden::new(Credentials::new("0oaTEST", "of-the-app"))
    }

    fn read(body: &'static str) -> Refusal {
        Refusal::read(400, &Bytes::from_static(body.as_bytes()), None, &hidden())
    }

    #[test]
    fn every_form_of_error_is_understood() {
        for (body, shown) in [
            (r#""Method is required""#, r#"400 "Method is required""#),
            (
                r#"{"error":{"code":"UNAUTHORIZED","message":"Unauthorized"}}"#,
                r#"400 "Unauthorized""#,
            ),
            (
                r#"{"message":"You don't have permission"}"#,
                r#"400 "You don't have permission""#,
            ),
            (
                r#"{"error":{"message":"Bad Request","code":"VALIDATION_FAILED","status":400,"data":["Date range cannot exceed 1 month"]}}"#,
                r#"400 "Bad Request" (Date range cannot exceed 1 month)"#,
            ),
            (
                r#"{"error":"invalid_client","error_description":"No such client"}"#,
                r#"400 "No such client""#,
            ),
            (r#"{"error":"nope"}"#, r#"400 "nope""#),
            (
                "<html>\n <b>Bad</b></html>",
                r#"400 "<html> <b>Bad</b></html>""#,
            ),
            ("", "400"),
            ("{}", "400"),
            ("null", r#"400 "null""#),
        ] {
            assert_eq!(read(body).to_string(), shown, "{body}");
        }
    }

    #[test]
    fn the_name_of_the_error_is_kept() {
        assert_eq!(
            read(r#"{"error":"invalid_client"}"#).code.as_deref(),
            Some("invalid_client")
        );
    }

    #[test]
    fn a_secret_is_echoed_nowhere() {
        for (body, shown) in [
            (r#""no of-the-app""#, r#"400 "no [secret]""#),
            (
                r#"{"error":{"message":"no of-the-app","code":"of-the-app","data":["of-the-app",{"is":"of-the-app"}]}}"#,
                r#"400 "no [secret]" ([secret]; {"is":"[secret]"})"#,
            ),
            (r#"["of-the-app"]"#, r#"400 "["[secret]"]""#),
        ] {
            let refusal = read(body);
            assert_eq!(refusal.to_string(), shown, "{body}");
            assert!(!refusal.code.is_some_and(|code| code.contains("app")));
        }
        // Where the text is cut short, too.
        let page = Bytes::from(format!("{} of-the-app", "x".repeat(EXCERPT_CHARS - 6)));
        let refusal = Refusal::read(500, &page, None, &hidden());
        assert!(!refusal.to_string().contains("of-"), "{refusal}");
    }

    #[test]
    fn a_long_page_is_repeated_in_part() {
        let page = Bytes::from("é".repeat(1_000_000));
        assert!(Refusal::read(500, &page, None, &hidden()).to_string().len() < 500);
    }
}
