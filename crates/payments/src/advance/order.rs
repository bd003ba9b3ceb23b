//! How far business time is to go.

use contract::Timestamp;
use contract::id::AccountId;
use serde::{Deserialize, Serialize};

use super::AdvanceError;
use crate::model::Span;

/// The last instant that can be written with four digits for the year.
const CALENDAR_ENDS: Timestamp = Timestamp::from_millis(253_402_300_799_999);

/// Business time, ordered to pass.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdvanceOrder {
    /// Whose; `None`: the only account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// For how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Span>,
    /// Or until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// How far business time is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// So much further.
    By(Span),
    /// To an instant. Asked for again, it changes nothing more.
    To(Timestamp),
}

impl Until {
    /// One of the two.
    ///
    /// # Errors
    /// [`AdvanceError::ByOrTo`] without any, or with both.
    pub fn new(by: Option<Span>, to: Option<Timestamp>) -> Result<Self, AdvanceError> {
        match (by, to) {
            (Some(span), None) => Ok(Self::By(span)),
            (None, Some(instant)) => Ok(Self::To(instant)),
            _ => Err(AdvanceError::ByOrTo),
        }
    }

    pub(super) fn target(self, now: Timestamp) -> Result<Timestamp, AdvanceError> {
        let target = match self {
            Self::By(span) => now + span.duration(),
            Self::To(instant) => instant,
        };
        let latest = (now + Span::MAX).min(CALENDAR_ENDS);
        if target < now {
            Err(AdvanceError::SetBack { target, now })
        } else if target > latest {
            Err(AdvanceError::TooFar { latest })
        } else {
            Ok(target)
        }
    }
}
