//! A reply as it came: the evidence that a typed value was read from.

use std::time::Duration;

use bytes::Bytes;
use contract::Timestamp;

/// A successful reply, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What was asked, path and parameters: `/v1/listings?limit=100&skip=0`.
    pub request: String,
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
    /// When it came, by this machine's clock.
    pub received_at: Timestamp,
    /// When it was sent, by the source's clock.
    pub sent_at: Option<Timestamp>,
    /// The id of the request, which the source's support asks for.
    pub request_id: Option<String>,
}

impl Reply {
    /// How far this machine's clock and the source's are apart, to the second.
    pub fn clock_skew(&self) -> Option<Duration> {
        let skew = self.received_at.millis().abs_diff(self.sent_at?.millis());
        Some(Duration::from_secs(skew / 1_000))
    }
}

/// What a reply says, and the reply itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What it says.
    pub value: T,
    /// The reply, byte for byte.
    pub reply: Reply,
}
