//! Subscriptions.

use contract::Timestamp;
use contract::id::AccountId;
use contract::id::WebhookId;
use serde::{Deserialize, Serialize};

use crate::field::{Field, list};

/// A subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Webhook {
    /// The subscription's id.
    #[serde(rename = "_id")]
    pub id: Field<WebhookId>,
    /// The account.
    pub account_id: Field<AccountId>,
    /// Where messages are sent.
    pub url: Field<String>,
    /// Which, by their names.
    #[serde(deserialize_with = "list")]
    pub events: Vec<Field<String>>,
    /// Since when nothing is sent any more, because nothing arrived for long.
    pub disabled_at: Field<Timestamp>,
}
