//! What a run came to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::mirror::{Counts, FLAGGED_MAX, Flagged};

/// How many problems are told one by one.
const PROBLEMS_MAX: usize = 500;

/// A part of what is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The account and its properties.
    Properties,
    /// Reservations with their charges and payments.
    Reservations,
    /// The catalog of taxes and fees, and which hold where.
    Taxes,
    /// What processors report: transactions and payouts.
    Payments,
}

impl Part {
    /// All of them, in the order in which they are read.
    pub const ALL: [Self; 4] = [
        Self::Properties,
        Self::Reservations,
        Self::Taxes,
        Self::Payments,
    ];

    /// Whether some of it can be read by dates.
    pub(super) fn has_dates(self) -> bool {
        matches!(self, Self::Reservations | Self::Payments)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Properties => "properties",
            Self::Reservations => "reservations",
            Self::Taxes => "taxes",
            Self::Payments => "payments",
        })
    }
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// What is read.
    pub part: Part,
    /// Which list of it.
    pub list: String,
    /// How many of its rows, requests or windows are done.
    pub done: u64,
    /// How many there are, if that is known.
    pub total: Option<u64>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What was to be read.
    pub part: Part,
    /// Which list or object of it.
    pub what: String,
    /// What stood in the way, and what to do.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.part, self.what, self.reason)
    }
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// What became of the objects of each part, in the order in which they were read.
    pub parts: Vec<(Part, Counts)>,
    /// The lists that an earlier run had left unfinished, and how many rows of each it had read.
    pub resumed: Vec<(String, u64)>,
    /// How many months of reports were read.
    pub windows_read: u64,
    /// How many months of reports were not read, since nothing changes in them any more.
    pub windows_mature: u64,
    /// What could not be read, the first of it. The rest is in.
    pub problems: Vec<Problem>,
    /// How many more problems there were.
    pub problems_beyond: u64,
    /// What was read and is not understood, the first of it.
    #[serde(default)]
    pub flagged: Vec<Flagged>,
    /// Whether somebody asked the run to end before all was read.
    #[serde(default, rename = "stopped")]
    pub is_stopped: bool,
}

impl Summary {
    /// All parts together.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.parts.iter().for_each(|(_, counts)| total += *counts);
        total
    }

    /// Whether all was read.
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty() && !self.is_stopped
    }

    /// Whether all that was read is understood.
    pub fn is_understood(&self) -> bool {
        self.total().flagged == 0
    }

    /// How many more objects are flagged than are named.
    pub fn flagged_beyond(&self) -> u64 {
        let named = self.flagged.len() as u64;
        self.total().flagged.saturating_sub(named)
    }

    pub(super) fn room_for_flagged(&self) -> usize {
        FLAGGED_MAX.saturating_sub(self.flagged.len())
    }

    pub(super) fn note(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        } else {
            self.problems_beyond += 1;
        }
    }

    /// The counts of a part.
    pub fn of(&self, part: Part) -> Counts {
        let mut parts = self.parts.iter().filter(|(of, _)| *of == part);
        parts.next().map(|(_, counts)| *counts).unwrap_or_default()
    }
}
