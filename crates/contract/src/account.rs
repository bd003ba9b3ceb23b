//! The caller's account.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Timestamp;
use crate::id::AccountId;

/// `GET /v1/accounts/me`, as far as a payments platform knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The account's id.
    #[serde(rename = "_id")]
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// Whether it may be used.
    pub active: bool,
    /// The currency that listings get when none is given.
    pub currency: String,
    /// The time zone that listings get when none is given, by its IANA name.
    pub timezone: String,
    /// When it was made.
    pub created_at: Timestamp,
}
