//! `fields`: the parts of a reply that a client asks for, by dotted paths such as `money.payments`.

use serde_json::{Map, Value};

/// What was asked for; nothing asked for is everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<String>);

impl Fields {
    /// Reads paths separated by blanks (in a query string `+` or `%20`) or commas.
    pub(crate) fn read(text: Option<&str>) -> Self {
        let paths = text
            .unwrap_or_default()
            .split([' ', ','])
            .filter(|path| !path.is_empty())
            .map(str::to_owned);
        Self(paths.collect())
    }

    /// Whether anything at or below a path was asked for, or all that stands around it.
    pub(crate) fn want(&self, path: &str) -> bool {
        self.0.is_empty()
            || self
                .0
                .iter()
                .any(|asked| is_within(asked, path) || is_within(path, asked))
    }

    /// What was asked for of an object, and always its id. Paths lead through lists into each of
    /// their items; those that lead nowhere are ignored.
    pub(crate) fn of(&self, whole: Value) -> Value {
        if self.0.is_empty() {
            return whole;
        }
        let mut paths: Vec<&str> = self.0.iter().map(String::as_str).collect();
        paths.push("_id");
        pick(whole, &paths)
    }
}

/// Whether a path is another, or leads into it.
fn is_within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn pick(whole: Value, paths: &[&str]) -> Value {
    match whole {
        Value::Array(items) => items.into_iter().map(|item| pick(item, paths)).collect(),
        Value::Object(fields) => Value::Object(pick_fields(fields, paths)),
        plain => plain,
    }
}

fn pick_fields(fields: Map<String, Value>, paths: &[&str]) -> Map<String, Value> {
    let mut picked = Map::new();
    for (name, value) in fields {
        if paths.contains(&name.as_str()) {
            picked.insert(name, value);
            continue;
        }
        let below: Vec<&str> = paths
            .iter()
            .filter_map(|path| path.strip_prefix(name.as_str())?.strip_prefix('.'))
            .collect();
        if !below.is_empty() && (value.is_object() || value.is_array()) {
            picked.insert(name, pick(value, &below));
        }
    }
    picked
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn picked(fields: &str) -> Value {
        Fields::read(Some(fields)).of(json!({
            "_id": 1,
            "status": "confirmed",
            "guest": {"_id": 2, "fullName": "A"},
            "money": {"currency": "USD", "payments": [{"_id": 3, "amount": 5}, {"amount": 6}]}
        }))
    }

    #[test]
    fn paths_pick_and_the_id_stays() {
        assert_eq!(picked("status"), json!({"_id": 1, "status": "confirmed"}));
        assert_eq!(
            picked("guest.fullName,status"),
            json!({"_id": 1, "status": "confirmed", "guest": {"fullName": "A"}})
        );
        assert_eq!(
            picked("money.payments.amount"),
            json!({"_id": 1, "money": {"payments": [{"amount": 5}, {"amount": 6}]}})
        );
        assert_eq!(
            picked("money money.currency")["money"]["payments"][1],
            json!({"amount": 6})
        );
        assert_eq!(picked("nothing.here status.x"), json!({"_id": 1}));
    }

    #[test]
    fn nothing_asked_for_is_everything() {
        assert_eq!(picked("  ")["guest"]["fullName"], "A");
    }

    #[test]
    fn what_is_wanted_is_known_before_it_is_loaded() {
        let fields = Fields::read(Some("status money.payments.amount"));
        assert!(fields.want("money.payments"));
        assert!(fields.want("money"));
        assert!(!fields.want("money.invoiceItems"));
        assert!(Fields::read(Some("money")).want("money.payments"));
        assert!(!Fields::read(Some("moneyed")).want("money"));
        assert!(Fields::default().want("anything"));
    }
}
