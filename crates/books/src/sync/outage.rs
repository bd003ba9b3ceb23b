//! Telling a source that is in trouble as a whole from one that is in trouble with some of what it
//! is asked for: of the former, nothing more is asked for.

use guesty::{Error as SourceError, Problem as Obstacle};

use super::Sync;
use super::run::Run;
use crate::Error;

/// After how many requests without an answer, one after the other, the account is asked for: where
/// that is not given either, nothing is.
const DOUBT: u32 = 2;

impl Sync {
    /// What the source did not give, and whether it gives anything. Without access to it, nothing
    /// more is asked for.
    pub(super) async fn note_failure(
        &self,
        run: &mut Run<'_>,
        what: impl Into<String>,
        error: &SourceError,
    ) -> Result<(), Error> {
        run.note_failure(what, error);
        run.count_failure(error);
        if run.failures < DOUBT || run.is_cut_off {
            return Ok(());
        }
        run.failures = 0;
        match run.asks(self.reader.account()).await? {
            Err(last) if is_cut_off(&last) => run.note_failure("the account", &last),
            Err(last) if is_trouble(&last) => {
                run.is_cut_off = true;
                run.note("all that is left", &gives_nothing(&last));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Run<'_> {
    /// A request that the source answered ends a row of those that it did not.
    pub(super) fn count_failure(&mut self, error: &SourceError) {
        let is_trouble = is_trouble(error);
        self.failures = if is_trouble { self.failures + 1 } else { 0 };
    }

    fn note_failure(&mut self, what: impl Into<String>, error: &SourceError) {
        self.is_cut_off |= is_cut_off(error);
        self.note(what, error);
    }
}

fn gives_nothing(last: &SourceError) -> String {
    format!(
        "not asked for in this run, as the source gave nothing for {} different requests in a row; \
         the last was {last}. Sync again once it works: it goes on from there",
        DOUBT + 1
    )
}

/// Whether the source gave no answer of its own, which it may do with whatever is asked next, too.
pub(super) fn is_trouble(error: &SourceError) -> bool {
    matches!(
        error.problem,
        Obstacle::Unavailable(_)
            | Obstacle::RateLimited(_)
            | Obstacle::TimedOut(_)
            | Obstacle::BrokenOff(_)
            | Obstacle::NotJson(_)
            | Obstacle::Unreadable(_)
    )
}

/// Whether whatever is asked next would fail in the same way.
fn is_cut_off(error: &SourceError) -> bool {
    let is_of_token = error.call.starts_with("POST ");
    is_of_token
        || matches!(
            error.problem,
            Obstacle::Credentials(_)
                | Obstacle::TokensUsedUp(_)
                | Obstacle::TokenStore(_)
                | Obstacle::Unauthorized(_)
                | Obstacle::Unreachable(_)
                | Obstacle::Tls(_)
                | Obstacle::Redirected(_)
        )
}
