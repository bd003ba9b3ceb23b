//! Wall time, given to the code that needs it.

use std::fmt;
use std::sync::Arc;

use chrono::Utc;
use contract::Timestamp;

/// A clock that tells wall time.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl WallClock {
    /// A clock that shows what a function says.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

/// This machine's clock.
impl Default for WallClock {
    fn default() -> Self {
        Self::new(|| Utc::now().into())
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}
