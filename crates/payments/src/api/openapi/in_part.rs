//! Resources of which a client may ask for some fields: each of their fields may be missing.

use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What marks the name of such a resource.
const IN_PART: &str = "InPart";

/// Where schemas are named.
const SCHEMAS: &str = "#/components/schemas/";

macro_rules! in_part {
    ($($(#[$about:meta])* $name:ident of $whole:ty;)+) => {$(
        $(#[$about])*
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                // Made of the whole in `loosen`, when all schemas are known.
                ObjectBuilder::new().build().into()
            }
        }

        impl ToSchema for $name {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push((<$whole>::name().into_owned(), <$whole>::schema()));
                <$whole>::schemas(schemas);
            }
        }
    )+};
}

in_part! {
    /// A listing, or what was asked for of it.
    ListingInPart of contract::listing::Listing;
    /// What is to change of a listing; `null` takes away.
    ListingFieldsInPart of contract::listing::ListingFields;
    /// A guest, or what was asked for of them.
    GuestInPart of contract::guest::Guest;
    /// What is to change of a guest; `null` takes away.
    GuestFieldsInPart of contract::guest::GuestFields;
    /// A reservation, or what was asked for of it.
    ReservationInPart of contract::reservation::Reservation;
    /// A listing's provider, or what was asked for of it.
    ProviderOfListingInPart of contract::provider::ProviderOfListing;
}

/// Makes each part of its whole: the same fields, of which only the id is always there.
pub(super) fn loosen(schemas: &mut Map<String, Value>) {
    let parts = schemas.keys().filter_map(|name| {
        // A list of parts has such a name, too, but no whole.
        let whole = schemas.get(name.strip_suffix(IN_PART)?)?;
        let mut part = loose(whole, schemas);
        if has_id(&part) {
            part["required"] = json!(["_id"]);
        } else {
            let fields = part["properties"].as_object_mut();
            for (_, field) in fields.into_iter().flatten() {
                // In a change, `null` takes a field away.
                *field = json!({"anyOf": [field.take(), {"type": "null"}]});
            }
        }
        Some((name.clone(), part))
    });
    let parts: Vec<_> = parts.collect();
    for (part, _) in &parts {
        name_items(schemas, part);
    }
    schemas.extend(parts);
}

/// Lists of parts have them written out, as they were before they were loosened.
fn name_items(schemas: &mut Map<String, Value>, part: &str) {
    let lists = schemas.iter_mut();
    let lists = lists.filter(|(name, _)| {
        name.strip_suffix(part)
            .is_some_and(|list| list.ends_with('_'))
    });
    for (_, list) in lists {
        list["properties"]["results"]["items"] = json!({"$ref": format!("{SCHEMAS}{part}")});
    }
}

fn has_id(schema: &Value) -> bool {
    let mut parts = schema["allOf"].as_array().into_iter().flatten();
    !schema["properties"]["_id"].is_null() || parts.any(has_id)
}

/// A schema of the same, in which nothing is required.
fn loose(schema: &Value, schemas: &Map<String, Value>) -> Value {
    let name = schema["$ref"].as_str();
    if let Some(named) = name.and_then(|name| schemas.get(name.strip_prefix(SCHEMAS)?)) {
        let has_fields = !named["properties"].is_null() || !named["allOf"].is_null();
        return if has_fields {
            loose(named, schemas)
        } else {
            schema.clone()
        };
    }
    match schema {
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, value)| *name != "required" || !value.is_array())
            .map(|(name, value)| (name.clone(), loose(value, schemas)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| loose(item, schemas)).collect(),
        plain => plain.clone(),
    }
}
