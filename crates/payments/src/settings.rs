//! What an operator may set.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::RateLimits;

/// The platform's settings, with the documented behaviour as the default, but for the limits on
/// requests: those a server sets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many tokens an application may ask for in 24 hours (the Open API's own limit is 5).
    pub tokens_per_day: NonZeroU32,
    /// Whether the reports print amounts as strings (`"1000.00"`) rather than as JSON numbers.
    pub report_amounts_as_text: bool,
    /// Whether this is a sandbox: routes under `/sandbox` and fixtures exist, and business time can
    /// be moved.
    pub is_sandbox: bool,
    /// Whether webhooks are sent to private addresses and over plain HTTP.
    pub private_webhooks: PrivateWebhooks,
    /// How many subscriptions to webhooks an account may have.
    pub webhooks_max: NonZeroU32,
    /// For how many days messages are kept that were sent, and every attempt to.
    pub webhook_days: NonZeroU32,
    /// How long the body of a request may take to arrive.
    pub body_within: Duration,
    /// How many requests an account may make; `None`: as many as it likes.
    pub limits: Option<RateLimits>,
}

/// Whether webhooks are sent to addresses of no public network, and over plain HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PrivateWebhooks {
    /// Never: clients of the platform could reach through it what they cannot reach themselves.
    #[default]
    Refused,
    /// To any: for tests and development, where receivers are on the same machine.
    Allowed,
    /// To these alone.
    Only(Vec<SocketAddr>),
}

impl Default for Settings {
    fn default() -> Self {
        const FIVE: NonZeroU32 = NonZeroU32::new(5).unwrap();
        const TWENTY: NonZeroU32 = NonZeroU32::new(20).unwrap();
        const THIRTY: NonZeroU32 = NonZeroU32::new(30).unwrap();
        Self {
            tokens_per_day: FIVE,
            report_amounts_as_text: false,
            is_sandbox: true,
            private_webhooks: PrivateWebhooks::Refused,
            webhooks_max: TWENTY,
            webhook_days: THIRTY,
            body_within: Duration::from_secs(30),
            limits: None,
        }
    }
}
