//! Pages of lists.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of a list, with how many there are in all.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// This page's.
    pub results: Vec<T>,
    /// How many match in all.
    pub count: i64,
    /// The largest number of results asked for.
    pub limit: i64,
    /// How many before this page's were skipped.
    pub skip: i64,
}
