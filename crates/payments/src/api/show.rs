//! Replies from resources: as JSON, cut to the fields that were asked for.

use serde::Serialize;
use serde_json::Value;

use super::fields::Fields;
use crate::Error;

/// What of a resource was asked for.
pub(crate) fn show(resource: &impl Serialize, fields: &Fields) -> Result<Value, Error> {
    let whole = serde_json::to_value(resource)
        .map_err(|error| Error::Corrupt(format!("a reply cannot be written: {error}")))?;
    Ok(fields.of(whole))
}
