//! What in an object the books do not understand.

use std::fmt;

use contract::invoice::NORMAL_TYPES;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;

/// How many flags of an object are told one by one.
const FLAGS_MAX: usize = 10;
/// How many characters of a value are told.
const VALUE_MAX: usize = 200;

/// Something in an object that nobody should compute with unseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// Which field, by its path: `money.payments.0.status`.
    pub field: String,
    /// What is wrong with it.
    #[serde(flatten)]
    pub reason: Reason,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", content = "value", rename_all = "snake_case")]
pub enum Reason {
    /// It cannot be read as what it should be; its text.
    Unreadable(String),
    /// It is none of the documented values; the value.
    Unknown(String),
    /// It is not there, and should be.
    Missing,
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.reason {
            Reason::Unreadable(text) if field.ends_with("currency") => {
                write!(f, "{field} is no currency of ISO 4217: {text:?}")
            }
            Reason::Unreadable(text) => write!(f, "{field} cannot be read: {text:?}"),
            Reason::Unknown(value) => {
                write!(f, "{field} is none of the documented values: {value:?}")
            }
            Reason::Missing => write!(f, "{field} is missing"),
        }
    }
}

/// An object with something in it that the books do not understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flagged {
    /// The kind of the object.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// The confirmation code that it is found by, if it has one.
    pub code: Option<String>,
    /// What is not understood, the first of it; long values are cut.
    pub flags: Vec<Flag>,
    /// How much more in it is not understood.
    pub flags_beyond: usize,
}

impl Flagged {
    pub(super) fn new(kind: Kind, id: &str, code: Option<String>, state: &Value) -> Self {
        let mut flags = flags(kind, state);
        let flags_beyond = flags.len().saturating_sub(FLAGS_MAX);
        flags.truncate(FLAGS_MAX);
        flags.iter_mut().for_each(Flag::shorten);
        Self {
            kind: kind.name().to_owned(),
            id: id.to_owned(),
            code,
            flags,
            flags_beyond,
        }
    }
}

impl Flag {
    fn shorten(&mut self) {
        if let Reason::Unreadable(text) | Reason::Unknown(text) = &mut self.reason
            && let Some((end, _)) = text.char_indices().nth(VALUE_MAX)
        {
            text.truncate(end);
            text.push('…');
        }
    }
}

impl fmt::Display for Flagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}",
            self.kind,
            self.code.as_ref().unwrap_or(&self.id)
        )?;
        for (place, flag) in self.flags.iter().enumerate() {
            write!(f, "{} {flag}", if place == 0 { ":" } else { ";" })?;
        }
        if self.flags_beyond > 0 {
            write!(f, "; and {} more", self.flags_beyond)?;
        }
        Ok(())
    }
}

/// Fields whose values are documented; `*` stands for each item of a list.
const VOCABULARIES: [(Kind, &[&str], &[&str]); 7] = [
    (
        Kind::Reservation,
        &["status"],
        &[
            "confirmed",
            "reserved",
            "awaiting_payment",
            "inquiry",
            "canceled",
            "closed",
            "declined",
            "expired",
            "checked_in",
            "checked_out",
        ],
    ),
    (
        Kind::Reservation,
        &["money", "invoiceItems", "*", "normalType"],
        &NORMAL_TYPES,
    ),
    (
        Kind::Reservation,
        &["money", "payments", "*", "status"],
        &[
            "PENDING",
            "PENDING_AUTH",
            "PENDING_ACTIVATION",
            "FAILED",
            "FAILED_FULLY_PAID",
            "SUCCEEDED",
            "CANCELLED",
            "AUTHORIZATION_HOLD_SUCCEEDED",
        ],
    ),
    (
        Kind::Tax,
        &["type"],
        &[
            "LOCAL_TAX",
            "CITY_TAX",
            "VAT",
            "GOODS_AND_SERVICES_TAX",
            "TOURISM_TAX",
            "OTHER",
            "STATE_TAX",
            "COUNTY_TAX",
            "OCCUPANCY_TAX",
            "TRANSIENT_OCCUPANCY_TAX",
            "HOME_SHARING_TAX",
            "HARMONIZED_SALES_TAX",
            "MINIMUM_ALTERNATE_TAX",
        ],
    ),
    (Kind::Tax, &["units"], &["PERCENTAGE", "FIXED"]),
    (
        Kind::Tax,
        &["quantifier"],
        &["PER_STAY", "PER_NIGHT", "PER_GUEST", "PER_GUEST_PER_NIGHT"],
    ),
    (
        Kind::PayoutLine,
        &["payoutStatus"],
        &[
            "Processed",
            "Pending Due Date",
            "Rejected by Processor",
            "Declined by Processor",
            "Declined by User",
        ],
    ),
];

/// What an object must have to be of use.
const REQUIRED: [(Kind, &str); 4] = [
    (Kind::Reservation, "listingId"),
    (Kind::Reservation, "confirmationCode"),
    (Kind::Transaction, "currency"),
    (Kind::PayoutLine, "currency"),
];

/// All that there is to flag in the state of an object.
pub(super) fn flags(kind: Kind, state: &Value) -> Vec<Flag> {
    let mut flags = Vec::new();
    find_unreadable(state, &mut Vec::new(), &mut flags);
    for (of, path, known) in VOCABULARIES {
        if of == kind {
            find_unknown(state, path, known, &mut Vec::new(), &mut flags);
        }
    }
    for (of, field) in REQUIRED {
        if of == kind && state.get(field).is_none() {
            flags.push(Flag {
                field: field.to_owned(),
                reason: Reason::Missing,
            });
        }
    }
    flags
}

/// The text of a field that could not be read, as [`guesty::Field`] writes it.
pub(super) fn unreadable(value: &Value) -> Option<&str> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.get("?")?.as_str()
}

fn find_unreadable(value: &Value, path: &mut Vec<String>, flags: &mut Vec<Flag>) {
    if let Some(text) = unreadable(value) {
        flags.push(Flag {
            field: path.join("."),
            reason: Reason::Unreadable(text.to_owned()),
        });
        return;
    }
    each(value, |name, inner| {
        path.push(name);
        find_unreadable(inner, path, flags);
        path.pop();
    });
}

fn find_unknown(
    value: &Value,
    path: &[&str],
    known: &[&str],
    walked: &mut Vec<String>,
    flags: &mut Vec<Flag>,
) {
    let Some((first, rest)) = path.split_first() else {
        if let Some(text) = value.as_str().filter(|text| !known.contains(text)) {
            flags.push(Flag {
                field: walked.join("."),
                reason: Reason::Unknown(text.to_owned()),
            });
        }
        return;
    };
    let mut into = |name: &str, inner: &Value| {
        walked.push(name.to_owned());
        find_unknown(inner, rest, known, walked, flags);
        walked.pop();
    };
    match (*first, value) {
        ("*", Value::Array(items)) => {
            for (place, item) in items.iter().enumerate() {
                into(&place.to_string(), item);
            }
        }
        (name, Value::Object(fields)) => {
            if let Some(inner) = fields.get(name) {
                into(name, inner);
            }
        }
        _ => {}
    }
}

/// Calls with each field of an object or item of a list, and its name or place.
pub(super) fn each<'a>(value: &'a Value, mut visit: impl FnMut(String, &'a Value)) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, inner)| visit(name.clone(), inner)),
        Value::Array(items) => {
            let places = items.iter().enumerate();
            places.for_each(|(place, item)| visit(place.to_string(), item));
        }
        _ => {}
    }
}
