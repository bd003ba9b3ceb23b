//! Automatic payments: the policy by which a reservation's payments are planned. The Open API shows
//! it on reservations without saying what is in it, and has no route for it: the fields are ours.

use money::{Currency, Decimal};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::local::LocalTime;

/// How much an instalment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Share {
    /// A percentage of the whole.
    Percentage,
    /// An amount of money.
    Fixed,
    /// What the others leave.
    Rest,
}

/// From when an instalment's date is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum When {
    /// When the reservation is confirmed.
    Confirmation,
    /// Days before the day of arrival.
    BeforeCheckIn,
    /// Days after the day of arrival.
    AfterCheckIn,
    /// Days before the day of departure.
    BeforeCheckOut,
    /// Days after the day of departure.
    AfterCheckOut,
}

/// One of the payments of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instalment {
    /// How much it is.
    #[serde(rename = "type")]
    pub share: Share,
    /// The percentage, or the amount; the rest has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Decimal>,
    /// From when its date is counted.
    pub when: When,
    /// How many days before or after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    /// The time of that day at the property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<LocalTime>,
}

/// The body of the PUT routes of policies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", expecting = "an object")]
#[schema(example = json!({"policy": [{"type": "PERCENTAGE", "value": 30, "when": "CONFIRMATION"}, {"type": "REST", "when": "BEFORE_CHECK_IN", "days": 30}]}))]
pub struct PolicyFields {
    /// The instalments; none: no automatic payments.
    pub policy: Vec<Instalment>,
    /// The currency of fixed amounts; otherwise the listing's, or the account's.
    #[serde(default)]
    pub currency: Option<Currency>,
}

/// A policy: what reservations' payments are planned by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The instalments, in their order.
    pub policy: Vec<Instalment>,
    /// The currency of fixed amounts.
    pub currency: Currency,
}

/// Whose policy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PolicyLevel {
    /// The account's, for all listings without one of their own.
    Account,
    /// The listing's own.
    Listing,
}

/// A policy as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShownPolicy {
    /// Whose it is.
    pub level: PolicyLevel,
    /// The instalments, in their order.
    pub policy: Vec<Instalment>,
    /// The currency of fixed amounts.
    pub currency: Currency,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_policy_is_shown_as_it_was_written() {
        let written = json!({
            "policy": [
                {"type": "PERCENTAGE", "value": 30, "when": "CONFIRMATION"},
                {"type": "FIXED", "value": 150.5, "when": "BEFORE_CHECK_IN", "days": 30,
                 "time": "09:00"},
                {"type": "REST", "when": "AFTER_CHECK_OUT", "days": 1, "time": "12:00"},
            ],
            "currency": "USD",
        });
        let fields: PolicyFields = serde_json::from_str(&written.to_string()).unwrap();
        let shown = Policy {
            policy: fields.policy,
            currency: fields.currency.unwrap(),
        };
        let text = serde_json::to_string(&shown).unwrap();
        assert_eq!(text.parse::<Value>().unwrap(), written);
    }

    #[test]
    fn a_misspelt_field_of_an_instalment_is_refused() {
        let written = r#"{"type": "REST", "when": "CONFIRMATION", "day": 3}"#;
        let refused = serde_json::from_str::<Instalment>(written).unwrap_err();
        assert!(
            refused.to_string().contains("unknown field `day`"),
            "{refused}"
        );
    }
}
