//! Why business time did not pass.

use contract::Timestamp;

use crate::{Error, SetupError};

/// Why business time did not pass, or not as far as it should.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// Elsewhere than in a sandbox, business time is wall time.
    #[error("business time can be moved in a sandbox only, and this platform is none")]
    NotASandbox,
    /// Neither or both.
    #[error(
        "give either \"by\", a span such as 7d or 12h, or \"to\", an instant such as \
         2023-09-01T12:00:00Z"
    )]
    ByOrTo,
    /// There is nobody's clock to move.
    #[error("there is no account yet: make one first")]
    NoAccount,
    /// The account cannot be told.
    #[error(transparent)]
    Account(SetupError),
    /// Clocks go forward only.
    #[error(
        "a clock cannot be set back: business time is {now} already, after {target}; give a later \
         instant"
    )]
    SetBack {
        /// Where it was to go.
        target: Timestamp,
        /// Where it stands.
        now: Timestamp,
    },
    /// Further than anybody can mean.
    #[error("too far at once: until {latest} is possible")]
    TooFar {
        /// The latest instant that can be asked for.
        latest: Timestamp,
    },
    /// Another server is moving the clock.
    #[error(
        "another server is moving this account's clock: wait until it is done, or for a minute if it \
         died, then ask again"
    )]
    Busy,
    /// Another node has moved the clock meanwhile.
    #[error(
        "another server moved the clock meanwhile: what was due until {at} is done; look where the \
         clock stands, and ask again"
    )]
    Overtaken {
        /// Until when all is done.
        at: Timestamp,
    },
    /// It went wrong on the way.
    #[error("stopped on the way: what was due until {at} is done; ask again to go on ({cause})")]
    Stopped {
        /// Until when all is done.
        at: Timestamp,
        /// What went wrong.
        cause: Error,
    },
    /// It went wrong before anything was changed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<SetupError> for AdvanceError {
    fn from(error: SetupError) -> Self {
        match error {
            SetupError::Failed(error) => Self::Failed(error),
            refused => Self::Account(refused),
        }
    }
}
