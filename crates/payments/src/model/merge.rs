//! Changes of documents: what a change leaves out stays, `null` takes away, objects are changed
//! inside, and everything else is replaced (RFC 7396).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Rejection, reading};

/// What a client wrote earlier, with a change of it.
pub(crate) fn changed<T: Serialize + DeserializeOwned>(
    written: &T,
    change: &Map<String, Value>,
) -> Result<T, Rejection> {
    let mut document = serde_json::to_value(written)
        .map_err(|error| Rejection::invalid("The body", error.to_string()))?;
    if let Value::Object(document) = &mut document {
        merge(document, change);
    }
    reading::read(document.to_string().as_bytes()).map_err(|misfit| {
        let field = misfit.field.as_deref().unwrap_or("The body");
        Rejection::invalid(field, misfit.reason)
    })
}

/// Applies a change to a document.
pub(crate) fn merge(document: &mut Map<String, Value>, change: &Map<String, Value>) {
    for (name, value) in change {
        match (value, document.get_mut(name)) {
            (Value::Null, _) => {
                document.shift_remove(name);
            }
            (Value::Object(inner), Some(Value::Object(old))) => merge(old, inner),
            (Value::Object(inner), _) => {
                let mut fresh = Map::new();
                merge(&mut fresh, inner);
                document.insert(name.clone(), Value::Object(fresh));
            }
            _ => {
                document.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_changes_only_what_it_names() {
        let mut document = json!({
            "title": "A", "nickname": "a", "tags": [1, 2],
            "prices": {"basePrice": 100, "currency": "USD"}
        });
        let change = json!({
            "title": "B", "nickname": null, "tags": [3], "unknown": null,
            "prices": {"basePrice": 120.50}, "terms": {"minNights": 2, "maxNights": null}
        });
        merge(
            document.as_object_mut().unwrap(),
            change.as_object().unwrap(),
        );
        assert_eq!(
            document,
            json!({
                "title": "B", "tags": [3],
                "prices": {"basePrice": 120.50, "currency": "USD"}, "terms": {"minNights": 2}
            })
        );
    }
}
