//! Examples of single fields, for those whose type cannot have one: a text that may be anything, a
//! number that counts. A reply's example is made of those of its fields.

use serde_json::{Map, Value, json};

use crate::Error;

/// An example for each name of a field, or of `Schema.field` where another schema has a field of that
/// name which is something else.
const TABLE: &str = include_str!("examples.json");

/// What says of a field already what it may look like.
const TOLD_BY: [&str; 6] = ["$ref", "enum", "const", "default", "example", "examples"];

/// Gives an example to each field that has none.
pub(super) fn give(schemas: &mut Map<String, Value>) -> Result<(), Error> {
    let corrupt = |error| Error::Corrupt(format!("the examples of the description: {error}"));
    let table: Map<String, Value> = serde_json::from_str(TABLE).map_err(corrupt)?;
    for (name, schema) in schemas {
        let name = name.trim_end_matches("InPart");
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (field, said) in fields.into_iter().flatten() {
            let example = table
                .get(&format!("{name}.{field}"))
                .or_else(|| table.get(field));
            let is_told = TOLD_BY.iter().any(|told| said.get(told).is_some());
            if let (Some(example), false) = (example, is_told)
                && fits(said, example)
            {
                said["examples"] = json!([example]);
            }
        }
    }
    Ok(())
}

/// Whether the field may be such a value: fields of other schemas have the same name.
fn fits(said: &Value, example: &Value) -> bool {
    let kind = match example {
        Value::String(_) => "string",
        Value::Number(_) => "integer",
        _ => return false,
    };
    match &said["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => false,
    }
}
