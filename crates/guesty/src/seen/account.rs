//! The account.

use contract::{ObjectId, Timestamp};
use money::Currency;
use serde::{Deserialize, Serialize};

use crate::field::Field;

/// The account that the credentials are for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Account {
    /// An id of the account; other applications of the same account may be told another.
    #[serde(rename = "_id", alias = "id")]
    pub id: Field<ObjectId>,
    /// Its name.
    pub name: Field<String>,
    /// Whether it is in use.
    pub active: Field<bool>,
    /// Its currency.
    pub currency: Field<Currency>,
    /// Its time zone, by its IANA name.
    pub timezone: Field<String>,
    /// When it was made.
    pub created_at: Field<Timestamp>,
}
