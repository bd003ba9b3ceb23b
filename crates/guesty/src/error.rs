//! Why a call failed for good, in words that say what to do.

use std::fmt;
use std::time::Duration;

use crate::refusal::Refusal;

/// A call that failed for good: what was asked, how often, and what stood in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What was asked: `GET /v1/listings`.
    pub call: String,
    /// How many times it was asked.
    pub tries: u32,
    /// What stood in the way.
    pub problem: Problem,
}

impl Error {
    /// Whether the same call may succeed later, without anybody doing anything about it.
    pub fn is_transient(&self) -> bool {
        self.problem.is_transient()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.problem)?;
        if self.tries > 1 {
            write!(f, " (asked {} times)", self.tries)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// What stands in the way of a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The application or its secret is not accepted.
    #[error(
        "no token was issued, the source answered {0}: check the client id, and whether the secret \
         is the current one; make new credentials if the application was deleted"
    )]
    Credentials(Box<Refusal>),

    /// The application has had its tokens of the day.
    #[error(
        "the application has had all the tokens that it may ask for in 24 hours: ask again in \
         {}; until then nothing can be read",
        span(.0)
    )]
    TokensUsedUp(Duration),

    /// The place where the token is kept does not work.
    #[error("the access token cannot be read or kept: {0}")]
    TokenStore(String),

    /// 401 although the token is new.
    #[error("the source does not accept a new token, and answered {0}: check the credentials")]
    Unauthorized(Box<Refusal>),

    /// 403 although the token is good.
    #[error(
        "the application may not do this, the source answered {0}: give it the permission, or the \
         sight of this listing"
    )]
    Forbidden(Box<Refusal>),

    /// 404.
    #[error("the source does not know it, and answered {0}")]
    NotFound(Box<Refusal>),

    /// Another 4xx.
    #[error("the source refuses it, and answered {0}")]
    Refused(Box<Refusal>),

    /// 429, and the wait is longer than the patience.
    #[error(
        "the source wants no more requests for {}: other applications of the account may use up \
         its limits",
        span(.0)
    )]
    RateLimited(Duration),

    /// 5xx or 408.
    #[error("the source is in trouble, and answered {0}: {then}", then = again(.0))]
    Unavailable(Box<Refusal>),

    /// No connection.
    #[error("the source cannot be reached: {0}; check the address and the network")]
    Unreachable(String),

    /// The connection is not safe.
    #[error("the connection to the source is not safe: {0}")]
    Tls(String),

    /// No reply in time.
    #[error("the source did not answer within {}", span(.0))]
    TimedOut(Duration),

    /// A reply that ends in the middle.
    #[error("the reply broke off: {0}")]
    BrokenOff(String),

    /// A reply larger than any should be.
    #[error("the reply is larger than {} MiB: ask for smaller pages", .max_bytes / 1_048_576)]
    TooLarge {
        /// The most that is read.
        max_bytes: usize,
    },

    /// A redirect, which is never followed: the token is for this address alone.
    #[error(
        "the source sends us on to {0}, where the token is not sent: check the address, it should \
         be the API's own, beginning with https://"
    )]
    Redirected(String),

    /// A page, or something else that is no JSON.
    #[error(
        "the reply is no JSON but begins with \"{0}\": check whether the address is that of an \
         Open API"
    )]
    NotJson(String),

    /// JSON of another shape than is documented.
    #[error("the reply has another shape than expected: {0}")]
    Unreadable(String),

    /// The source gives the same page again.
    #[error("the source gave the same page again at skip={skip}: the list cannot be read whole")]
    PageRepeats {
        /// How many rows were to be skipped.
        skip: u64,
    },

    /// A page does not begin with the last row of the one before, so rows may have been passed over.
    #[error(
        "the list shifted while it was read: the page at skip={skip} does not begin with the row \
         that the one before ended with, so some may have been passed over: read it again"
    )]
    ListShifted {
        /// How many rows were to be skipped.
        skip: u64,
    },

    /// Fewer rows came than were announced, so some may have been passed over.
    #[error(
        "the source announced {expected} rows and gave {found}, so some may have been passed over: \
         read it again"
    )]
    ListShrank {
        /// How many had been announced.
        expected: u64,
        /// How many there were then.
        found: u64,
    },
}

impl Problem {
    /// Whether the same call may succeed later, without anybody doing anything about it.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::TokensUsedUp(_)
                | Self::RateLimited(_)
                | Self::Unavailable(_)
                | Self::Unreachable(_)
                | Self::TimedOut(_)
                | Self::BrokenOff(_)
                | Self::ListShifted { .. }
                | Self::ListShrank { .. }
        )
    }
}

fn again(refusal: &Refusal) -> String {
    match refusal.retry_at {
        Some(at) => format!("it asks to be left alone until {at}, so try again then"),
        None => "try again later".to_owned(),
    }
}

/// A span in words: `90 seconds`, `5 hours`.
fn span(span: &Duration) -> String {
    let seconds = span.as_secs() + u64::from(span.subsec_nanos() > 0);
    match seconds {
        0..=1 => "a second".to_owned(),
        2..=119 => format!("{seconds} seconds"),
        120..=7_199 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{} hours", seconds.div_ceil(3_600)),
    }
}
