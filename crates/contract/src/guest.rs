//! Guests: the people who stay or pay.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::Timestamp;
use crate::id::{AccountId, GuestId};

/// What a client may write of a guest. Documented fields that nothing is computed from are kept as
/// they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", expecting = "an object")]
#[schema(example = json!({"firstName": "Ida", "lastName": "Wells", "email": "ida@example.com"}))]
pub struct GuestFields {
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The main address; the first of `emails` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// All addresses.
    #[serde(default)]
    pub emails: Vec<String>,
    /// The main number; the first of `phones` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// All numbers.
    #[serde(default)]
    pub phones: Vec<String>,
    /// Every other field.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What the platform adds to what the client wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Guest {
    /// The guest's id.
    #[serde(rename = "_id")]
    pub id: GuestId,
    /// The account that knows the guest.
    pub account_id: AccountId,
    /// First and last name.
    pub full_name: String,
    /// What the client wrote.
    #[serde(flatten)]
    pub fields: GuestFields,
    /// Whether the guest has stayed before.
    pub returning_guest: bool,
    /// When the guest was made known.
    pub created_at: Timestamp,
    /// When something last changed.
    pub last_updated_at: Timestamp,
}

/// A page of guests. The Open API documents `total`; its other lists say `count`, so this has both.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GuestList<T> {
    /// This page's.
    pub results: Vec<T>,
    /// How many match in all.
    pub total: i64,
    /// The same.
    pub count: i64,
    /// The largest number of results asked for.
    pub limit: i64,
    /// How many before this page's were skipped.
    pub skip: i64,
}
