//! What the agenda is about, and as of when.

use chrono::Duration;
use contract::id::{AttemptId, PaymentId, RefundId};
use contract::{ObjectId, Timestamp};
use sha2::{Digest, Sha256};

/// What is later than this, is late: it runs in the present.
const PROMPT: Duration = Duration::seconds(5);

/// Why something stands on the agenda.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Occasion {
    /// A payment's date has come.
    Payment,
    /// A refund's date has come.
    Refund,
    /// A hold has lapsed.
    Hold,
    /// A processor's answer is overdue.
    Attempt,
}

/// As of when something is carried out that was due at an instant: as of that instant, unless it is
/// late. Late work is done as of the present: nothing is charged in the past.
pub(crate) fn as_of(due: Timestamp, present: Timestamp) -> Timestamp {
    if present - due < PROMPT { due } else { present }
}

/// The id of the attempt that the agenda starts. It follows from what it is for and as of when, so
/// that the same world, advanced twice, has the same ids; its first digits are seconds, as those of
/// other ids are, so that attempts of one time stand together in an index.
pub(crate) fn attempt_id(payment: PaymentId, refund: Option<RefundId>, at: Timestamp) -> AttemptId {
    let mut hash = Sha256::new();
    hash.update(payment.as_str());
    hash.update(refund.as_ref().map_or("", RefundId::as_str));
    hash.update(at.millis().to_be_bytes());
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&at.seconds().to_be_bytes()[4..]);
    bytes[4..].copy_from_slice(&hash.finalize()[..8]);
    ObjectId::from_bytes(bytes).into()
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
