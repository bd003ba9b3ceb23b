//! Pacing: staying under the source's limits instead of running into them.
//!
//! The source keeps a leaky bucket for each interval. [`gate`] keeps the same buckets on this side
//! and is pure; [`pacer`] waits for it.

mod gate;
mod pacer;
#[cfg(test)]
mod tests;

pub(crate) use gate::{Headroom, Interval};
pub(crate) use pacer::Pacer;

/// How much may be asked for. An account's limits are shared by all of its applications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In a second.
    pub per_second: u32,
    /// In a minute.
    pub per_minute: u32,
    /// In an hour.
    pub per_hour: u32,
    /// At the same time.
    pub at_once: u32,
    /// How much of that is ours.
    pub share: Share,
}

/// How much of the source's limits is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// At most half: the account's other applications need the rest.
    Half,
    /// All but what keeps a request from arriving too early.
    Full,
}

/// As documented, and half of it.
impl Default for Limits {
    fn default() -> Self {
        Self {
            per_second: 15,
            per_minute: 120,
            per_hour: 5_000,
            at_once: 15,
            share: Share::Half,
        }
    }
}

impl Limits {
    /// The documented limits, all of them ours.
    pub fn full_speed() -> Self {
        Self {
            share: Share::Full,
            ..Self::default()
        }
    }
}
