//! Reading what clients write as JSON. What does not fit is told with the place where it stands, and in
//! the words of JSON: the library's own name the types of this program.

use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// How much of a text is repeated.
const SHOWN_CHARS: usize = 40;

/// A value that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The path to it; `None`: it is the whole.
    pub(crate) field: Option<String>,
    /// What is expected.
    pub(crate) reason: String,
}

/// Reads a text that is JSON. From the text, as a `Value` may have rounded amounts.
pub(crate) fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, Misfit> {
    let reader = &mut serde_json::Deserializer::from_slice(json);
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let path = error.path().to_string();
        Misfit {
            field: (path != ".").then_some(path),
            reason: in_plain_words(error.inner()),
        }
    })
}

fn in_plain_words(error: &serde_json::Error) -> String {
    // It is JSON: what the library cannot go on from is no name where one of a few is expected.
    if error.classify() != Category::Data {
        return "a string is expected".to_owned();
    }
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let said = said.strip_suffix(&place).unwrap_or(&said);
    let Some((found, expected)) = said.rsplit_once(", expected ") else {
        return said.to_owned();
    };
    let found = match found.split_once(' ') {
        Some(("invalid", rest)) => match rest.split_once(": ") {
            Some((_, value)) => plain_value(value),
            // Of a list, where the fields of an object were looked for in their order.
            None => "a list".to_owned(),
        },
        Some(("unknown", rest)) if rest.starts_with("variant ") => {
            format!(
                "\"{}\"",
                shortened(rest["variant ".len()..].trim_matches('`'))
            )
        }
        _ => return said.to_owned(),
    };
    format!("{} is expected, not {found}", plain_kind(expected))
}

fn plain_value(value: &str) -> String {
    match value.split_once(' ') {
        Some(("boolean" | "integer", value)) => value.trim_matches('`').to_owned(),
        Some(("floating", rest)) => rest
            .trim_start_matches("point ")
            .trim_matches('`')
            .to_owned(),
        Some(("string", text)) => {
            let text = text
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            format!("\"{}\"", shortened(text.unwrap_or_default()))
        }
        _ => match value {
            "number" => "a number",
            "sequence" => "a list",
            "null" | "unit value" | "Option value" => "null",
            _ => "an object",
        }
        .to_owned(),
    }
}

fn plain_kind(expected: &str) -> String {
    let whole = |least: i128, most: i128| format!("a whole number from {least} to {most}");
    match expected {
        "u8" => whole(0, u8::MAX.into()),
        "u16" => whole(0, u16::MAX.into()),
        "u32" => whole(0, u32::MAX.into()),
        "u64" => whole(0, u64::MAX.into()),
        "i64" => whole(i64::MIN.into(), i64::MAX.into()),
        "a boolean" => "true or false".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        "unit" | "string or map" => "a string".to_owned(),
        other if other.starts_with("struct ") || other.starts_with("tuple struct ") => {
            "an object".to_owned()
        }
        other if other.starts_with("unit variant ") => "a string".to_owned(),
        other => other.to_owned(),
    }
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "only what is refused is looked at")]
    struct Stay {
        guests: Option<u16>,
        limit: Option<i64>,
        when: Option<When>,
        tags: Option<Vec<String>>,
        home: Option<Home>,
        is_late: Option<bool>,
        prices: Option<HashMap<String, u8>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    enum When {
        Now,
        Later,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only what is refused is looked at")]
    struct Home {
        title: String,
        city: String,
    }

    #[test]
    fn what_is_expected_is_said_in_the_words_of_json() {
        for (wrong, said) in [
            (
                json!({"guests": -1}),
                "guests: a whole number from 0 to 65535 is expected, not -1",
            ),
            (
                json!({"guests": 1.5}),
                "guests: a whole number from 0 to 65535 is expected, not 1.5",
            ),
            (
                json!({"guests": "2"}),
                "guests: a whole number from 0 to 65535 is expected, not \"2\"",
            ),
            (
                json!({"prices": {"a": 256}}),
                "prices.a: a whole number from 0 to 255 is expected, not 256",
            ),
            (
                json!({"limit": true}),
                "limit: a whole number from -9223372036854775808 to 9223372036854775807 is expected, not true",
            ),
            (
                json!({"when": "SOMEDAY"}),
                "when: `NOW` or `LATER` is expected, not \"SOMEDAY\"",
            ),
            (json!({"when": 5}), "when: a string is expected"),
            (
                json!({"when": {"NOW": 5}}),
                "when.NOW: a string is expected, not 5",
            ),
            (
                json!({"tags": {}}),
                "tags: a list is expected, not an object",
            ),
            (
                json!({"tags": ["a", null]}),
                "tags[1]: a string is expected, not null",
            ),
            (
                json!({"home": []}),
                "home: an object is expected, not a list",
            ),
            (json!({"home": 7}), "home: an object is expected, not 7"),
            (
                json!({"home": {"title": "A"}}),
                "home: missing field `city`",
            ),
            (
                json!({"isLate": "yes, expected u16"}),
                "isLate: true or false is expected, not \"yes, expected u16\"",
            ),
            (
                json!({"prices": "none"}),
                "prices: an object is expected, not \"none\"",
            ),
            (
                json!({"is_late": true}),
                "is_late: unknown field `is_late`, expected one of `guests`, `limit`, `when`, `tags`, `home`, `isLate`, `prices`",
            ),
        ] {
            let misfit = read::<Stay>(wrong.to_string().as_bytes()).unwrap_err();
            let field = misfit.field.unwrap_or_default();
            assert_eq!(format!("{field}: {}", misfit.reason), said, "{wrong}");
        }
    }

    #[test]
    fn long_texts_are_not_repeated_in_full() {
        let wrong = json!({"guests": "é".repeat(1_000)}).to_string();
        let misfit = read::<Stay>(wrong.as_bytes()).unwrap_err();
        assert!(misfit.reason.ends_with("é…\""), "{}", misfit.reason);
        assert!(misfit.reason.chars().count() < 120, "{}", misfit.reason);
    }
}
