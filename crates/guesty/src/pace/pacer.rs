//! Waits until the gate lets a request through, each in its turn.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::gate::{Gate, Headroom, Nanos, Ours};
use super::{Limits, Share};

/// Paces all requests to one account.
#[derive(Debug)]
pub(crate) struct Pacer {
    started: Instant,
    gate: Mutex<Gate>,
    /// Whoever holds it is the next to be let through.
    turnstile: tokio::sync::Mutex<()>,
    places: Arc<Semaphore>,
}

/// Leave to send one request. Its place is free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    ours: Ours,
    _place: OwnedSemaphorePermit,
}

impl Pacer {
    pub(crate) fn new(limits: &Limits) -> Self {
        let at_once = match limits.share {
            Share::Half => limits.at_once / 2,
            Share::Full => limits.at_once,
        };
        Self {
            started: Instant::now(),
            gate: Mutex::new(Gate::new(limits)),
            turnstile: tokio::sync::Mutex::new(()),
            places: Arc::new(Semaphore::new(usize::try_from(at_once.max(1)).unwrap_or(1))),
        }
    }

    /// Waits for a request's turn.
    #[expect(clippy::expect_used, reason = "the semaphore is never closed")]
    pub(crate) async fn admit(&self) -> Permit {
        let places = Arc::clone(&self.places);
        let place = places.acquire_owned().await.expect("a semaphore in use");
        let _turn = self.turnstile.lock().await;
        loop {
            // A reply that comes in while we wait may tell us to wait longer.
            let wait = match self.try_admit() {
                Ok(ours) => {
                    return Permit {
                        ours,
                        _place: place,
                    };
                }
                Err(wait) => wait,
            };
            tokio::time::sleep(Duration::from_nanos(wait)).await;
        }
    }

    fn try_admit(&self) -> Result<Ours, Nanos> {
        self.with_gate(|gate, now| match gate.wait(now) {
            0 => Ok(gate.admit(now)),
            wait => Err(wait),
        })
    }

    /// Takes in what the reply to a request said.
    pub(crate) fn learn(&self, permit: &Permit, headroom: &[Headroom]) {
        self.with_gate(|gate, now| {
            for told in headroom {
                gate.learn(*told, permit.ours, now);
            }
        });
    }

    /// Lets nothing through for a while: the source said so.
    pub(crate) fn pause(&self, span: Duration) {
        let span = u64::try_from(span.as_nanos()).unwrap_or(Nanos::MAX);
        self.with_gate(|gate, now| gate.pause(span, now));
    }

    fn with_gate<T>(&self, work: impl FnOnce(&mut Gate, Nanos) -> T) -> T {
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(Nanos::MAX);
        // Plain numbers: whoever panicked while it held them left them usable.
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut gate, now)
    }
}
