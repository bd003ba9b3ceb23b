//! Taxes of the catalog.

use contract::id::{AccountId, ListingId, TaxId};
use money::Decimal;
use serde::{Deserialize, Serialize};

use crate::field::{Field, list};

/// A tax of the account or of one listing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Tax {
    /// The tax's id.
    #[serde(rename = "_id")]
    pub id: Field<TaxId>,
    /// The account.
    pub account_id: Field<AccountId>,
    /// The listing that it is for; none: all of the account.
    pub unit_type_id: Field<ListingId>,
    /// `VAT`, `CITY_TAX`, …
    #[serde(rename = "type")]
    pub kind: Field<String>,
    /// What it is called.
    pub name: Field<String>,
    /// `PERCENTAGE` or `FIXED`.
    pub units: Field<String>,
    /// A percentage, or an amount in major units.
    pub amount: Field<Decimal>,
    /// `PER_STAY`, `PER_NIGHT`, `PER_GUEST` or `PER_GUEST_PER_NIGHT`.
    pub quantifier: Field<String>,
    /// Whether it is on everything.
    pub applied_to_all_fees: Field<bool>,
    /// The codes of what it is on.
    #[serde(deserialize_with = "list")]
    pub applied_on_fees: Vec<Field<String>>,
    /// Whether new reservations get it.
    pub is_applied_by_default: Field<bool>,
    /// The channels whose new reservations get it.
    #[serde(deserialize_with = "list")]
    pub applied_by_default_on_channels: Vec<Field<String>>,
    /// Where other amounts hold.
    pub conditional_overrides: Option<Overrides>,
    /// Whether it was deleted.
    pub is_deleted: Field<bool>,
}

/// Where other amounts hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Overrides {
    /// What the ranges count: `NIGHTS`, `DATES`, `NIGHTS_IN_DATES`, `LOS`.
    pub view_type: Field<String>,
    /// The amounts.
    #[serde(deserialize_with = "list")]
    pub rules: Vec<OverrideRule>,
    /// The most nights that are taxed.
    pub max_night_count_to_apply_on: Field<u32>,
}

/// Amounts for a part of the year.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OverrideRule {
    /// Which part; none: all of it.
    pub date_range: Option<YearRange>,
    /// The amounts.
    #[serde(deserialize_with = "list")]
    pub night_ranges: Vec<NightRange>,
}

/// A part of the year.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct YearRange {
    /// The first day, `12-31`.
    pub from: Field<String>,
    /// The last day, `02-01`.
    pub to: Field<String>,
}

/// An amount for some nights.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NightRange {
    /// The first night, from 1.
    pub from: Field<u32>,
    /// The last night.
    pub to: Field<u32>,
    /// A percentage, or an amount in major units.
    pub amount: Field<Decimal>,
}
