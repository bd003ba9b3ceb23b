//! Counts on the command line and in the TOML file.

use std::num::NonZeroU32;
use std::str::FromStr;

use serde::Deserialize;

/// How many of something: at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub(crate) struct Count(NonZeroU32);

/// A text or number that is no count.
#[derive(Debug, thiserror::Error)]
#[error("give a whole number from 1 to {}", u32::MAX)]
pub(crate) struct NoCount;

impl Count {
    /// The number.
    pub(crate) fn get(self) -> NonZeroU32 {
        self.0
    }
}

impl TryFrom<i64> for Count {
    type Error = NoCount;

    fn try_from(number: i64) -> Result<Self, NoCount> {
        let number = u32::try_from(number).map_err(|_| NoCount)?;
        NonZeroU32::new(number).map(Self).ok_or(NoCount)
    }
}

impl FromStr for Count {
    type Err = NoCount;

    fn from_str(text: &str) -> Result<Self, NoCount> {
        text.parse().map(Self).map_err(|_| NoCount)
    }
}
