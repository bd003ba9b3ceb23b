//! Idempotency keys: what they look like, and what a request under one may do.

use std::str::FromStr;

use contract::Timestamp;

/// The longest key.
const LENGTH_MAX: usize = 255;

/// Why nothing is done under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// More than one was given.
    #[error("Send one Idempotency-Key, not several")]
    Several,
    /// It is no string.
    #[error(
        "Send a string in double quotes (\"8e03978e-40d5-43e8-bc93-6894a57f9324\"), of printable \
         ASCII characters, or the same bare: without blanks, quotes, backslashes, commas and semicolons"
    )]
    Malformed,
    /// It is empty, or too long.
    #[error("The key must have 1 to {LENGTH_MAX} characters")]
    Length,
    /// It was given another request before.
    #[error(
        "The key was given another request before, which differs in method, path, body or \
         application. Send this one under a key of its own; what differs by mistake, as before"
    )]
    Reused,
    /// The request that has it is not answered yet.
    #[error(
        "The first request under this key is not answered yet: send it again in a moment to get \
         its reply"
    )]
    UnderWay,
}

/// A key that a client gives a request, so that it can be sent again without being done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(String);

impl IdempotencyKey {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = KeyRefusal;

    /// Reads a field value: a string of RFC 9651, or a bare token. The same text is the same key
    /// either way.
    fn from_str(value: &str) -> Result<Self, KeyRefusal> {
        let value = value.trim_matches([' ', '\t']);
        let key = match value.strip_prefix('"') {
            Some(rest) => quoted(rest)?,
            None => bare(value)?,
        };
        if key.is_empty() || key.len() > LENGTH_MAX {
            return Err(KeyRefusal::Length);
        }
        Ok(Self(key))
    }
}

/// What stands before the closing quote.
fn quoted(rest: &str) -> Result<String, KeyRefusal> {
    let mut key = String::new();
    let mut characters = rest.chars();
    loop {
        let next = characters.next().ok_or(KeyRefusal::Malformed)?;
        let plain = match next {
            '"' if characters.as_str().is_empty() => return Ok(key),
            '"' => return Err(KeyRefusal::Malformed),
            '\\' => characters
                .next()
                .filter(|escaped| "\"\\".contains(*escaped)),
            ' '..='~' => Some(next),
            _ => None,
        };
        key.push(plain.ok_or(KeyRefusal::Malformed)?);
    }
}

fn bare(value: &str) -> Result<String, KeyRefusal> {
    let fits = |c: char| c.is_ascii_graphic() && !"\"\\,;".contains(c);
    if value.chars().all(fits) {
        Ok(value.to_owned())
    } else {
        Err(KeyRefusal::Malformed)
    }
}

/// A reply, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptReply {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: String,
}

/// What is known of a request under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRecord {
    /// What was asked.
    pub(crate) fingerprint: String,
    /// Until when it is somebody's.
    pub(crate) held_until: Timestamp,
    /// Its reply, once there is one.
    pub(crate) reply: Option<KeptReply>,
}

/// What may be done for a request under a key that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// It gets the first one's reply.
    Replay(KeptReply),
    /// Whoever was at it is gone: it may be gone on with.
    TakeOver,
}

impl KeyRecord {
    /// Rules on a request of this fingerprint.
    pub(crate) fn rule(self, fingerprint: &str, wall: Timestamp) -> Result<Ruling, KeyRefusal> {
        if self.fingerprint != fingerprint {
            return Err(KeyRefusal::Reused);
        }
        match self.reply {
            Some(reply) => Ok(Ruling::Replay(reply)),
            None if self.held_until > wall => Err(KeyRefusal::UnderWay),
            None => Ok(Ruling::TakeOver),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> Result<String, KeyRefusal> {
        value.parse().map(|key: IdempotencyKey| key.0)
    }

    #[test]
    fn a_key_is_a_string_or_bare() {
        for (value, key) in [
            (r#""8e03978e-40d5""#, "8e03978e-40d5"),
            ("8e03978e-40d5", "8e03978e-40d5"),
            (" pay:7/1 ", "pay:7/1"),
            (r#""two words, and; more""#, "two words, and; more"),
            (r#""a \"b\" \\ c""#, r#"a "b" \ c"#),
            (r#"" ""#, " "),
        ] {
            assert_eq!(read(value).as_deref(), Ok(key), "{value}");
        }
    }

    #[test]
    fn what_is_neither_is_refused() {
        for value in [
            r#"""#,
            r#""open"#,
            r#""a"b"#,
            r#""a";p=1"#,
            r#""a", "b""#,
            r#""\n""#,
            "a b",
            "a,b",
            r"a\b",
            r#"a"b"#,
            "a;b",
            "clé",
            "\"clé\"",
            "\"a\tb\"",
        ] {
            assert_eq!(read(value), Err(KeyRefusal::Malformed), "{value}");
        }
        for value in [String::new(), r#""""#.to_owned(), "k".repeat(256)] {
            assert_eq!(read(&value), Err(KeyRefusal::Length), "{value}");
        }
        assert!(read(&"k".repeat(255)).is_ok());
    }

    proptest! {
        #[test]
        fn every_printable_text_can_be_a_key(text in "[ -~]{1,255}") {
            let written = text.replace('\\', r"\\").replace('"', r#"\""#);
            prop_assert_eq!(read(&format!("\"{written}\"")), Ok(text));
        }

        /// Other requests never get the reply, nor may they go on with it, whoever holds it.
        #[test]
        fn only_the_same_request_gets_the_reply_or_is_gone_on_with(
            same in any::<bool>(), held_ms in -9_i64..9, answered in any::<bool>(),
        ) {
            let wall: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
            let reply = KeptReply { status: 201, content_type: None, body: "{}".to_owned() };
            let record = KeyRecord {
                fingerprint: "first".to_owned(),
                held_until: wall + chrono::Duration::milliseconds(held_ms),
                reply: answered.then(|| reply.clone()),
            };
            let ruling = record.rule(if same { "first" } else { "other" }, wall);
            let expected = match (same, answered, held_ms > 0) {
                (false, _, _) => Err(KeyRefusal::Reused),
                (true, true, _) => Ok(Ruling::Replay(reply)),
                (true, false, true) => Err(KeyRefusal::UnderWay),
                (true, false, false) => Ok(Ruling::TakeOver),
            };
            prop_assert_eq!(ruling, expected);
        }
    }
}
