//! What in an object the books do not understand.

use std::fmt::{self, Write};

use contract::invoice::NORMAL_TYPES;
use serde::{Deserialize, Serialize};

use super::Kind;
use super::key::{is_plain, key};

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
    /// It has a NUL in it or is too long to be looked for as it is; what it is kept and found under.
    Unwieldy(String),
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
            Reason::Unwieldy(key) => write!(
                f,
                "{field} has a NUL in it or is too long to be looked for, and is kept under {key:?}"
            ),
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
    pub(super) fn new(kind: Kind, id: &str, code: Option<String>, mut flags: Vec<Flag>) -> Self {
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
    /// Whether it says the same, of another item of the same list.
    fn is_like(&self, other: &Self) -> bool {
        let is_index = |part: &str| part.parse::<usize>().is_ok();
        let (ours, theirs) = (self.field.split('.'), other.field.split('.'));
        self.reason == other.reason
            && ours.clone().count() == theirs.clone().count()
            && (ours.zip(theirs)).all(|(a, b)| a == b || (is_index(a) && is_index(b)))
    }

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
        for (place, (flag, like)) in alike(&self.flags).into_iter().enumerate() {
            write!(f, "{} {flag}", if place == 0 { ":" } else { ";" })?;
            if like > 0 {
                write!(f, " and {like} more like it")?;
            }
        }
        if self.flags_beyond > 0 {
            write!(f, "; and {} more", self.flags_beyond)?;
        }
        Ok(())
    }
}

/// Flags, and how many others say the same of other items of the same list.
fn alike(flags: &[Flag]) -> Vec<(&Flag, usize)> {
    let mut told: Vec<(&Flag, usize)> = Vec::new();
    for flag in flags {
        let same = told.iter_mut().find(|(first, _)| first.is_like(flag));
        match same {
            Some((_, like)) => *like += 1,
            None => told.push((flag, 0)),
        }
    }
    told
}

/// Fields whose values are documented; `*` stands for each item of a list.
const VOCABULARIES: [(Kind, &str, &[&str]); 7] = [
    (
        Kind::Reservation,
        "status",
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
        "money.invoiceItems.*.normalType",
        &NORMAL_TYPES,
    ),
    (
        Kind::Reservation,
        "money.payments.*.status",
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
        "type",
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
    (Kind::Tax, "units", &["PERCENTAGE", "FIXED"]),
    (
        Kind::Tax,
        "quantifier",
        &["PER_STAY", "PER_NIGHT", "PER_GUEST", "PER_GUEST_PER_NIGHT"],
    ),
    (
        Kind::PayoutLine,
        "payoutStatus",
        &[
            "Processed",
            "Pending Due Date",
            "Rejected by Processor",
            "Declined by Processor",
            "Declined by User",
        ],
    ),
];

/// What objects are kept or looked for by, and may be any text.
const KEYS: [&str; 9] = [
    "confirmationCode",
    "transactionId",
    "reservationConfirmationCode",
    "merchantTransactionId",
    "processorTransactionId",
    "payoutId",
    "activityType",
    "feeName",
    "adjustmentId",
];

/// What an object must have to be of use.
const REQUIRED: [(Kind, &str); 4] = [
    (Kind::Reservation, "listingId"),
    (Kind::Reservation, "confirmationCode"),
    (Kind::Transaction, "currency"),
    (Kind::PayoutLine, "currency"),
];

/// Finds what is to be flagged while a state is gone through.
pub(super) struct Finder {
    kind: Kind,
    /// Where it is: `money.payments.0.status`.
    path: String,
    /// Whether that is the text of a field that could not be read.
    pub(super) is_odd: bool,
    /// Which of the fields that it must have say something.
    has: [bool; REQUIRED.len()],
    flags: Vec<Flag>,
}

impl Finder {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            path: String::new(),
            is_odd: false,
            has: Default::default(),
            flags: Vec::new(),
        }
    }

    /// Goes into a field or an item of a list; answers what leads back.
    pub(super) fn enter(&mut self, name: impl fmt::Display) -> usize {
        let back = self.path.len();
        let dot = if back == 0 { "" } else { "." };
        // A text takes whatever is written to it.
        let _ = write!(self.path, "{dot}{name}");
        back
    }

    pub(super) fn leave(&mut self, back: usize) {
        self.path.truncate(back);
    }

    /// The field where it is says something.
    pub(super) fn says(&mut self) {
        for (has, (_, field)) in self.has.iter_mut().zip(REQUIRED) {
            *has |= field == self.path;
        }
    }

    /// Meets a value.
    pub(super) fn meet(&mut self, text: &str) {
        if self.is_odd {
            self.flag(Reason::Unreadable(text.to_owned()));
        } else if let Some((_, _, known)) = self.vocabulary()
            && !known.contains(&text)
        {
            self.flag(Reason::Unknown(text.to_owned()));
        } else if !is_plain(text) && KEYS.contains(&self.path.as_str()) {
            self.flag(Reason::Unwieldy(key(text.to_owned())));
        }
    }

    /// All that there is to flag.
    pub(super) fn end(mut self) -> Vec<Flag> {
        for ((of, field), has) in REQUIRED.into_iter().zip(self.has) {
            if of == self.kind && !has {
                field.clone_into(&mut self.path);
                self.flag(Reason::Missing);
            }
        }
        self.flags
    }

    fn vocabulary(&self) -> Option<(Kind, &'static str, &'static [&'static str])> {
        let mut all = VOCABULARIES.into_iter();
        all.find(|(kind, pattern, _)| {
            // Every value of every object comes by here, and most end otherwise.
            let ends_alike = self.path.as_bytes().last() == pattern.as_bytes().last();
            *kind == self.kind && ends_alike && is_at(&self.path, pattern)
        })
    }

    fn flag(&mut self, reason: Reason) {
        self.flags.push(Flag {
            field: self.path.clone(),
            reason,
        });
    }
}

/// Whether a path is of a pattern.
fn is_at(path: &str, pattern: &str) -> bool {
    let (mut names, mut wanted) = (path.rsplit('.'), pattern.rsplit('.'));
    loop {
        match (names.next(), wanted.next()) {
            (None, None) => return true,
            (Some(name), Some(wanted)) if wanted == "*" || wanted == name => {}
            _ => return false,
        }
    }
}
