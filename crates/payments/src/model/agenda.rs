//! What the agenda is about, and as of when.

use chrono::Duration;
use contract::Timestamp;
use serde::{Deserialize, Serialize};

/// What is later than this, is late: it runs in the present.
const PROMPT: Duration = Duration::seconds(5);

/// Why something stands on the agenda.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// A payment's date has come.
    Payment,
    /// A refund's date has come.
    Refund,
    /// A hold has lapsed.
    Hold,
    /// A processor's answer is overdue.
    Attempt,
}

impl Occasion {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Hold => "hold",
            Self::Attempt => "attempt",
        }
    }
}

/// As of when something is carried out that was due at an instant: as of that instant, unless it is
/// late. Late work is done as of the present: nothing is charged in the past.
pub(crate) fn as_of(due: Timestamp, present: Timestamp) -> Timestamp {
    if present - due < PROMPT { due } else { present }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_is_carried_out_in_the_present() {
        let due: Timestamp = "2023-09-01T12:00:00Z".parse().unwrap();
        for (late_ms, is_late) in [(-1, false), (0, false), (4_999, false), (5_000, true)] {
            let present = due + Duration::milliseconds(late_ms);
            let expected = if is_late { present } else { due };
            assert_eq!(as_of(due, present), expected, "{late_ms}");
        }
    }
}
