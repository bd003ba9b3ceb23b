//! Leaky buckets, in whole nanoseconds and without a clock of their own.
//!
//! A bucket is kept as the instant at which it will be empty: each request moves that by the time
//! that one request takes to leak out. A request fits if the bucket would not be fuller than its
//! capacity. Two buckets stand for each interval: our share, which only our own requests fill, and
//! the source's, which its replies say more about, since others fill it too.

use super::{Limits, Share};

/// Instants and spans, in nanoseconds since the gate was made.
pub(super) type Nanos = u64;

const SECOND: Nanos = 1_000_000_000;

/// The intervals that the source counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interval {
    Second,
    Minute,
    Hour,
}

impl Interval {
    pub(crate) const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];

    /// The name at the end of the source's headers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }

    const fn nanos(self) -> Nanos {
        match self {
            Self::Second => SECOND,
            Self::Minute => 60 * SECOND,
            Self::Hour => 3_600 * SECOND,
        }
    }
}

/// What a reply says about one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Headroom {
    pub(crate) interval: Interval,
    /// How many are allowed, if it says so.
    pub(crate) limit: Option<u32>,
    /// How many are left.
    pub(crate) remaining: Option<u32>,
}

#[derive(Debug, Clone)]
struct Bucket {
    /// How long one request takes to leak out.
    drip: Nanos,
    /// How many it holds.
    capacity: u64,
    empty_at: Nanos,
    /// The same, were we alone.
    empty_of_ours_at: Nanos,
}

impl Bucket {
    /// A bucket a little smaller and slower than the one that it stands for: requests do not arrive
    /// as evenly as they were sent, and no two clocks run alike.
    fn careful(interval: Interval, limit: u64) -> Self {
        let slack = (limit / 30).max(2);
        Self {
            drip: (interval.nanos() * 100).div_ceil(limit.max(1) * 97),
            capacity: limit.saturating_sub(slack).max(1),
            empty_at: 0,
            empty_of_ours_at: 0,
        }
    }

    fn wait(&self, now: Nanos) -> Nanos {
        let room_from = self
            .empty_at
            .saturating_sub((self.capacity - 1) * self.drip);
        room_from.saturating_sub(now)
    }

    /// Takes a request, and says how many of ours there are then.
    fn fill(&mut self, now: Nanos) -> u64 {
        self.empty_at = self.empty_at.max(now) + self.drip;
        self.empty_of_ours_at = self.empty_of_ours_at.max(now) + self.drip;
        (self.empty_of_ours_at - now).div_ceil(self.drip)
    }

    /// It holds so many of others.
    fn shared_with(&mut self, others: u64, now: Nanos) {
        let ours = self.empty_of_ours_at.max(now);
        self.empty_at = ours.saturating_add(others.saturating_mul(self.drip));
    }
}

#[derive(Debug)]
struct Meter {
    interval: Interval,
    limit: u32,
    ours: Bucket,
    source: Bucket,
}

impl Meter {
    fn new(interval: Interval, limit: u32, share: Share) -> Self {
        let ours = match share {
            Share::Half => limit / 2,
            Share::Full => limit,
        };
        Self {
            interval,
            limit,
            ours: Bucket::careful(interval, ours.into()),
            source: Bucket::careful(interval, limit.into()),
        }
    }

    /// Takes over another limit; what is in the buckets stays in them.
    fn limit_to(&mut self, limit: u32, share: Share) {
        let before = std::mem::replace(self, Self::new(self.interval, limit, share));
        for (new, old) in [
            (&mut self.ours, before.ours),
            (&mut self.source, before.source),
        ] {
            new.empty_at = old.empty_at;
            new.empty_of_ours_at = old.empty_of_ours_at;
        }
    }
}

/// What we had in the source's buckets when a request was sent, interval by interval.
pub(super) type Ours = [u64; 3];

/// Says when the next request may be sent.
#[derive(Debug)]
pub(super) struct Gate {
    share: Share,
    meters: [Meter; 3],
    paused_until: Nanos,
}

impl Gate {
    pub(super) fn new(limits: &Limits) -> Self {
        let meter = |interval, limit| Meter::new(interval, limit, limits.share);
        Self {
            share: limits.share,
            meters: [
                meter(Interval::Second, limits.per_second),
                meter(Interval::Minute, limits.per_minute),
                meter(Interval::Hour, limits.per_hour),
            ],
            paused_until: 0,
        }
    }

    /// How long until the next request fits.
    pub(super) fn wait(&self, now: Nanos) -> Nanos {
        let paused = self.paused_until.saturating_sub(now);
        self.meters
            .iter()
            .flat_map(|meter| [meter.ours.wait(now), meter.source.wait(now)])
            .fold(paused, Nanos::max)
    }

    /// Lets a request through.
    pub(super) fn admit(&mut self, now: Nanos) -> Ours {
        self.meters.each_mut().map(|meter| {
            meter.ours.fill(now);
            meter.source.fill(now)
        })
    }

    /// Takes in what the reply to a request said. What the source has counted beyond our own
    /// requests is others'. Requests overtake each other, so a reply may make others seem to use
    /// more than they do; the next one puts that right. It never makes us seem to use less.
    pub(super) fn learn(&mut self, headroom: Headroom, ours: Ours, now: Nanos) {
        let share = self.share;
        let mut meters = self.meters.iter_mut().zip(ours);
        let found = meters.find(|(meter, _)| meter.interval == headroom.interval);
        let Some((meter, ours)) = found else { return };
        if let Some(limit) = headroom
            .limit
            .filter(|&limit| limit > 0 && limit != meter.limit)
        {
            meter.limit_to(limit, share);
        }
        if let Some(remaining) = headroom.remaining {
            let used = u64::from(meter.limit.saturating_sub(remaining));
            meter.source.shared_with(used.saturating_sub(ours), now);
        }
    }

    /// Lets nothing through for a while.
    pub(super) fn pause(&mut self, span: Nanos, now: Nanos) {
        self.paused_until = self.paused_until.max(now.saturating_add(span));
    }
}
