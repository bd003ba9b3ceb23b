//! Pacing in simulated time, against a source that enforces its limits with buckets of its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::gate::{Gate, Nanos, Ours};
use super::{Headroom, Interval, Limits, Pacer, Share};

const MILLISECOND: Nanos = 1_000_000;
const SECOND: Nanos = 1_000 * MILLISECOND;
const HOUR: Nanos = 3_600 * SECOND;

/// Leaky buckets as the source keeps them: by what is in them, not by when they will be empty.
/// One request is as many units as the interval has nanoseconds.
struct Source {
    buckets: Vec<(Interval, u128, u128)>,
    now: Nanos,
}

fn nanos_of(interval: Interval) -> u128 {
    let seconds = match interval {
        Interval::Second => 1,
        Interval::Minute => 60,
        Interval::Hour => 3_600,
    };
    u128::from(SECOND) * seconds
}

impl Source {
    fn new(limits: [u32; 3]) -> Self {
        let buckets = Interval::ALL.into_iter().zip(limits);
        Self {
            buckets: buckets
                .map(|(interval, limit)| (interval, limit.into(), 0))
                .collect(),
            now: 0,
        }
    }

    fn drain(&mut self, now: Nanos) {
        let passed = u128::from(now - self.now);
        for (_, limit, held) in &mut self.buckets {
            *held = held.saturating_sub(passed * *limit);
        }
        self.now = now;
    }

    /// Takes a request, or answers 429.
    fn ask(&mut self, now: Nanos) -> bool {
        self.drain(now);
        let fits = |&(interval, limit, held): &(Interval, u128, u128)| {
            held + nanos_of(interval) <= limit * nanos_of(interval)
        };
        if !self.buckets.iter().all(fits) {
            return false;
        }
        for (interval, _, held) in &mut self.buckets {
            *held += nanos_of(*interval);
        }
        true
    }

    fn headroom(&self) -> Vec<Headroom> {
        let told = |&(interval, limit, held): &(Interval, u128, u128)| {
            let used = held.div_ceil(nanos_of(interval));
            Headroom {
                interval,
                limit: u32::try_from(limit).ok(),
                remaining: u32::try_from(limit - used).ok(),
            }
        };
        self.buckets.iter().map(told).collect()
    }

    /// How many requests a client gets through that knows the buckets exactly and is next door.
    fn most(limits: [u32; 3], span: Nanos) -> u64 {
        let mut source = Self::new(limits);
        let (mut now, mut count) = (0, 0);
        while now < span {
            if source.ask(now) {
                count += 1;
            } else {
                now += 5 * MILLISECOND;
            }
        }
        count
    }
}

/// What happens to a request on its way.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives { ours: Ours },
    IsAnswered { ours: Ours, by: usize },
}

/// A client that asks as fast as the gate allows, over a network that delays each request and each
/// reply by up to `latency`. How many were answered, and how many of them with 429.
fn run(limits: &Limits, mut source: Source, span: Nanos, latency: Nanos, seed: u64) -> (u64, u64) {
    let mut gate = Gate::new(limits);
    let mut random = seed | 1;
    let mut delay = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % (latency + 1)
    };
    let mut events = BinaryHeap::new();
    let mut replies: Vec<Vec<Headroom>> = Vec::new();
    let (mut now, mut under_way, mut answered, mut refused) = (0, 0, 0, 0);
    while now < span {
        let next: Option<Nanos> = events.peek().map(|Reverse((at, _))| *at);
        let turn = (under_way < limits.at_once).then(|| now + gate.wait(now));
        if let Some(turn) = turn.filter(|&turn| next.is_none_or(|next| turn <= next)) {
            now = turn;
            let ours = gate.admit(now);
            under_way += 1;
            events.push(Reverse((now + delay(), Event::Arrives { ours })));
            continue;
        }
        let Some(Reverse((at, event))) = events.pop() else {
            break;
        };
        now = at;
        match event {
            Event::Arrives { ours } => {
                answered += 1;
                refused += u64::from(!source.ask(now));
                replies.push(source.headroom());
                let by = replies.len() - 1;
                events.push(Reverse((now + delay(), Event::IsAnswered { ours, by })));
            }
            Event::IsAnswered { ours, by } => {
                under_way -= 1;
                for told in std::mem::take(&mut replies[by]) {
                    gate.learn(told, ours, now);
                }
            }
        }
    }
    (answered, refused)
}

const DOCUMENTED: [u32; 3] = [15, 120, 5_000];

fn at_least_95_percent(count: u64, most: u64) -> bool {
    count * 100 >= most * 95
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn full_speed_reaches_95_percent_and_is_never_refused(
        latency in 0..400 * MILLISECOND,
        seed: u64,
        minutes in 2..200_u64,
    ) {
        let span = minutes * 60 * SECOND;
        let source = Source::new(DOCUMENTED);
        let (count, refused) = run(&Limits::full_speed(), source, span, latency, seed);
        prop_assert_eq!(refused, 0);
        let most = Source::most(DOCUMENTED, span);
        prop_assert!(at_least_95_percent(count, most), "{} of {}", count, most);
    }

    #[test]
    fn any_limits_are_kept(
        second in 5..200_u32,
        minute in 100..5_000_u32,
        hour in 2_000..50_000_u32,
        latency in 0..100 * MILLISECOND,
        seed: u64,
    ) {
        let limits = Limits {
            per_second: second,
            per_minute: minute,
            per_hour: hour,
            ..Limits::full_speed()
        };
        let source = Source::new([second, minute, hour]);
        let (count, refused) = run(&limits, source, 600 * SECOND, latency, seed);
        prop_assert_eq!(refused, 0);
        prop_assert!(count > 0);
    }

    #[test]
    fn a_source_that_says_nothing_is_not_overrun_either(
        latency in 0..100 * MILLISECOND,
        seed: u64,
    ) {
        let (limits, span) = (Limits::full_speed(), 2 * HOUR);
        let (count, refused) = run_told_nothing(&limits, DOCUMENTED, span, latency, seed);
        prop_assert_eq!(refused, 0);
        prop_assert!(at_least_95_percent(count, Source::most(DOCUMENTED, span)));
    }

    #[test]
    fn by_default_half_of_each_limit_is_left_to_others(
        latency in 0..200 * MILLISECOND,
        seed: u64,
    ) {
        let (half, span) = ([7, 60, 2_500], 2 * HOUR);
        let (count, refused) = run_told_nothing(&Limits::default(), half, span, latency, seed);
        prop_assert_eq!(refused, 0);
        prop_assert!(at_least_95_percent(count, Source::most(half, span)));
    }

    #[test]
    fn what_the_source_says_is_heeded_when_others_use_the_account(
        used in 0..=120_u32,
        seed: u64,
    ) {
        // Others have just used so much of the minute; the first reply says so.
        let mut source = Source::new(DOCUMENTED);
        source.buckets[1].2 = u128::from(used.min(119)) * nanos_of(Interval::Minute);
        let mut limits = Limits::full_speed();
        limits.at_once = 1;
        let (_, refused) = run(&limits, source, 300 * SECOND, 50 * MILLISECOND, seed);
        prop_assert_eq!(refused, 0);
    }
}

/// Against a source whose replies say nothing, and with as many requests at once as there may be.
fn run_told_nothing(
    limits: &Limits,
    enforced: [u32; 3],
    span: Nanos,
    latency: Nanos,
    seed: u64,
) -> (u64, u64) {
    let mut source = Source::new(enforced);
    let mut gate = Gate::new(limits);
    let mut random = seed | 1;
    let mut arrivals = Vec::new();
    let mut now = 0;
    while now < span {
        now += gate.wait(now);
        gate.admit(now);
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        arrivals.push(now + (random >> 33) % (latency + 1));
    }
    arrivals.sort_unstable();
    let refused = arrivals.iter().filter(|&&at| !source.ask(at)).count();
    (arrivals.len() as u64, refused as u64)
}

#[test]
fn a_lower_limit_in_a_reply_is_taken_over() {
    let mut gate = Gate::new(&Limits::full_speed());
    let ours = gate.admit(0);
    let told = Headroom {
        interval: Interval::Minute,
        limit: Some(60),
        remaining: Some(59),
    };
    gate.learn(told, ours, 0);
    let mut now = 0;
    let mut count = 1;
    while now < 60 * SECOND {
        now += gate.wait(now);
        gate.admit(now);
        count += 1;
    }
    // A bucket of 60 that leaks 60: never more than 120 in the first minute.
    assert!((100..=120).contains(&count), "{count}");
}

#[tokio::test(start_paused = true)]
async fn requests_wait_for_their_turn_and_for_a_place() {
    let pacer = Pacer::new(&Limits {
        at_once: 4,
        share: Share::Half,
        ..Limits::default()
    });
    let first = pacer.admit().await;
    let _second = pacer.admit().await;
    // Half of four places: the third waits for one of the two.
    let third = tokio::time::timeout(Duration::from_mins(1), pacer.admit()).await;
    assert!(third.is_err());
    drop(first);
    let third = tokio::time::timeout(Duration::from_mins(1), pacer.admit()).await;
    assert!(third.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_back_those_who_wait_already() {
    let pacer = Pacer::new(&Limits::full_speed());
    let started = Instant::now();
    let mut waited = Vec::new();
    for _ in 0..13 {
        drop(pacer.admit().await);
    }
    let waiting = async {
        drop(pacer.admit().await);
        waited.push(started.elapsed());
    };
    let pausing = async { pacer.pause(Duration::from_secs(7)) };
    tokio::join!(waiting, pausing);
    assert!(waited[0] >= Duration::from_secs(7), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn an_hour_at_full_speed_takes_about_an_hour() {
    let pacer = Pacer::new(&Limits::full_speed());
    let mut source = Source::new(DOCUMENTED);
    let started = Instant::now();
    let mut count = 0_u64;
    while started.elapsed() < Duration::from_hours(1) {
        let permit = pacer.admit().await;
        let now = u64::try_from(started.elapsed().as_nanos()).unwrap();
        assert!(source.ask(now), "refused after {count}");
        pacer.learn(&permit, &source.headroom());
        count += 1;
    }
    let most = Source::most(DOCUMENTED, HOUR);
    assert!(at_least_95_percent(count, most), "{count} of {most}");
}
