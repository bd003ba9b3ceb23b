//! Additional fees of the catalog, of an account or of one of its listings.

use money::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::id::{AccountId, FeeId, ListingId};
use crate::tax::{Channel, Quantifier};

/// What a percentage is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TargetFee {
    /// Everything that was on the invoice before fees and taxes of the catalog.
    Payout,
    /// The cleaning fee.
    CleaningFee,
    /// The accommodation fare, with its adjustments and discounts.
    AccommodationFare,
}

/// The channels behind Rentals United.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the documented names say what they are")]
pub enum RentalsUnitedSource {
    Agoda,
    BookingCom,
    Despegar,
    Expedia,
    Hostelworld,
    HomeAway,
}

/// The body of the POST routes of additional fees and of `PATCH /v1/additional-fees/{id}`: of the
/// second, what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, expecting = "an object")]
#[schema(example = json!({"name": "Early check-in", "type": "EARLY_CHECK_IN", "value": 25, "isPercentage": false, "multiplier": "PER_STAY"}))]
pub struct FeeFields {
    /// What it is called.
    pub name: Option<String>,
    /// What kind of fee it is, one of those in [`crate::invoice`].
    #[serde(rename = "type")]
    #[schema(schema_with = crate::schema::additional_fee)]
    pub kind: Option<String>,
    /// A percentage, or money.
    pub value: Option<Decimal>,
    /// Whether the value is a percentage.
    pub is_percentage: Option<bool>,
    /// What a percentage is of.
    pub target_fee: Option<TargetFee>,
    /// What a fixed value is multiplied by.
    pub multiplier: Option<Quantifier>,
    /// Whether it is synchronised with channels: kept, and nothing follows from it here.
    pub is_sync_to_supported_channels_enabled: Option<bool>,
    /// Whether it is put on new reservations by itself.
    pub is_automated: Option<bool>,
    /// On those of every channel.
    pub all_platforms: Option<bool>,
    /// On those of these channels.
    pub automation_platforms: Option<Vec<Channel>>,
    /// On those of every source that is no channel.
    pub all_sources: Option<bool>,
    /// On those of these sources that are no channels.
    pub automation_sources: Option<Vec<String>>,
    /// On those of every channel behind Rentals United.
    #[serde(rename = "allRUSources")]
    pub all_ru_sources: Option<bool>,
    /// On those of these channels behind Rentals United.
    #[serde(rename = "RUSources")]
    pub ru_sources: Option<Vec<RentalsUnitedSource>>,
    /// Whether the fare has it already, so that it is taken out of the fare.
    pub is_deducted: Option<bool>,
    /// Whether guests see it as part of the fare.
    pub is_bundled: Option<bool>,
}

/// What an additional fee is: all of it that a client writes but the level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the documented fields")]
pub struct FeeTerms {
    /// Whether the value is a percentage.
    pub is_percentage: bool,
    /// On the reservations of these sources that are no channels.
    pub automation_sources: Vec<String>,
    /// On the reservations of these channels.
    pub automation_platforms: Vec<Channel>,
    /// On those of these channels behind Rentals United.
    #[serde(rename = "RUSources")]
    pub ru_sources: Vec<RentalsUnitedSource>,
    /// Whether it is put on new reservations by itself.
    pub is_automated: bool,
    /// On those of every channel.
    pub all_platforms: bool,
    /// On those of every channel behind Rentals United.
    #[serde(rename = "allRUSources")]
    pub all_ru_sources: bool,
    /// On those of every source that is no channel.
    pub all_sources: bool,
    /// What it is called.
    pub name: String,
    /// What kind of fee it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// A percentage, or money in the reservation's currency.
    pub value: Decimal,
    /// Whether it is synchronised with channels.
    pub is_sync_to_supported_channels_enabled: bool,
    /// What a fixed value is multiplied by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiplier: Option<Quantifier>,
    /// What a percentage is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_fee: Option<TargetFee>,
    /// Whether the fare has it already.
    pub is_deducted: bool,
    /// Whether guests see it as part of the fare.
    pub is_bundled: bool,
}

/// An additional fee, as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalFee {
    /// The fee's id.
    #[serde(rename = "_id")]
    pub id: FeeId,
    /// The account that it belongs to.
    pub account_id: AccountId,
    /// The listing whose fee it is; otherwise the account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listing_id: Option<ListingId>,
    /// What it is.
    #[serde(flatten)]
    pub terms: FeeTerms,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The example of the published description, without its database's own `__v`. It has neither
    /// `isDeducted` nor `isBundled`, which the schema beside it has.
    #[test]
    fn the_documented_fee_is_shown_field_by_field() {
        let documented = json!({
            "_id": "5fa02fa358d2db673e17bc2d", "isPercentage": false, "automationSources": [],
            "automationPlatforms": [], "RUSources": [], "isAutomated": false,
            "allPlatforms": false, "allRUSources": false, "allSources": false, "name": "AB",
            "type": "EARLY_CHECK_IN", "value": 5, "accountId": "596f6fe706112710005d96ff",
            "isSyncToSupportedChannelsEnabled": false, "multiplier": "PER_GUEST",
        });
        let mut whole = documented.clone();
        whole["isDeducted"] = Value::Bool(false);
        whole["isBundled"] = Value::Bool(false);
        let fee: AdditionalFee = serde_json::from_str(&whole.to_string()).unwrap();
        let shown = serde_json::to_value(&fee).unwrap();
        for (name, value) in documented.as_object().unwrap() {
            assert_eq!(&shown[name], value, "{name}");
        }
        assert_eq!(
            shown.as_object().unwrap().len(),
            whole.as_object().unwrap().len()
        );
    }
}
