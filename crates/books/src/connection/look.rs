//! Looking whether a connection works, and telling apart why it does not.

use std::pin::pin;
use std::time::Duration;

use contract::id::ConnectionId;
use futures_util::TryStreamExt;
use guesty::{Field, Guesty, ListingQuery, Problem, Reader, Refusal, RetryPolicy, Settings};

use super::account::is_told_again;
use super::{Light, Lights};
use crate::{Books, Error};

/// Somebody waits for the lights: they can look again, where a sync would be patient.
const PATIENCE: Duration = Duration::from_secs(15);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
const TRIES: u32 = 2;

/// The same way, for somebody who waits for the answer.
pub(super) fn hasty(way: Settings) -> Settings {
    Settings {
        retry: RetryPolicy {
            tries: TRIES,
            patience: PATIENCE,
            longest_wait: LONGEST_WAIT,
            ..way.retry
        },
        timeout: PATIENCE,
        ..way
    }
}

impl Books {
    pub(super) async fn look(&self, id: ConnectionId, guesty: &Guesty) -> Result<Lights, Error> {
        let reader = guesty.reader();
        if let Err(error) = reader.account_id().await {
            let has_worked = self.connection(id).await?.account.is_some();
            return Ok(Lights::refused(&error.problem, has_worked));
        }
        let account = match reader.account().await {
            Ok(answer) => answer.value,
            Err(error) => return self.without_account(id, &error.problem).await,
        };
        if account.id == Field::Absent {
            let nothing = "the source answers with an account without an id: check whether the \
                           address is that of an Open API";
            return Ok(Lights::with_wrong_account(nothing, accepted()));
        }
        if account.active.get() == Some(false) {
            let inactive = "the account is not in use: let the source activate it";
            return Ok(Lights::with_wrong_account(inactive, accepted()));
        }
        let is_told_again = is_told_again(&self.begin_chain(id).await?, &account).await;
        match is_told_again.and(self.recognize(id, &reader).await) {
            Ok(()) => {}
            Err(Error::Source(error)) => return self.without_account(id, &error.problem).await,
            Err(error @ (Error::AnotherAccount { .. } | Error::AccountTaken { .. })) => {
                return Ok(Lights::with_wrong_account(error.to_string(), accepted()));
            }
            Err(error) => return Err(error),
        }
        let admin = match listings(&reader).await {
            Ok(light) => light,
            Err(error) if is_about_token(&error.problem) => {
                return Ok(Lights::without_token(&error.problem));
            }
            Err(error) => Light::red(error.problem.to_string()),
        };
        let registrar = guesty.webhook_registrar();
        Ok(Lights {
            admin,
            oauth: accepted(),
            webhook: self.look_at_webhook(id, &registrar).await?,
        })
    }

    /// The account cannot be read. That is a reason to get another token only where the source says so.
    async fn without_account(&self, id: ConnectionId, problem: &Problem) -> Result<Lights, Error> {
        if is_about_token(problem) {
            return Ok(Lights::without_token(problem));
        }
        let oauth = match problem {
            Problem::Forbidden(_) => accepted(),
            _ => match self.token_expires_at(id).await? {
                Some(until) => Light::green(format!(
                    "a token is kept, valid until {until}, but could not be tried now: see Admin"
                )),
                None => Light::red("no token is kept: look again"),
            },
        };
        Ok(Lights::with_wrong_account(problem.to_string(), oauth))
    }
}

fn accepted() -> Light {
    Light::green("there is a token, and it is accepted")
}

async fn listings(reader: &Reader) -> Result<Light, guesty::Error> {
    let query = ListingQuery {
        page_size: 1,
        ..ListingQuery::default()
    };
    let mut pages = pin!(reader.listings(&query));
    let page = pages.try_next().await?;
    Ok(match page {
        Some(page) if !page.rows.items.is_empty() => {
            Light::green("the account and its listings can be read")
        }
        _ => Light::red(
            "no active listing is visible: mark the listings active, and give the user who \
             authorized the application the sight of them",
        ),
    })
}

impl Lights {
    pub(super) fn without_token(problem: &Problem) -> Self {
        Self::refused(problem, false)
    }

    /// There is no token; these credentials may have worked before.
    fn refused(problem: &Problem, have_worked: bool) -> Self {
        Self {
            admin: Light::red("the account could not be asked without a token: see OAuth"),
            oauth: Light::red(no_token(problem, have_worked)),
            webhook: Light::red("the source could not be asked without a token: see OAuth"),
        }
    }

    /// There is a token, but it does not lead to the account.
    fn with_wrong_account(admin: impl Into<String>, oauth: Light) -> Self {
        Self {
            admin: Light::red(admin),
            oauth,
            webhook: Light::red("not looked at while the account cannot be read: see Admin"),
        }
    }
}

/// Whether it is the token that stands in the way.
pub(super) fn is_about_token(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Unauthorized(_) | Problem::Credentials(_) | Problem::TokensUsedUp(_)
    )
}

/// Why there is no token, and what to do.
fn no_token(problem: &Problem, have_worked: bool) -> String {
    match problem {
        Problem::Credentials(refusal) => refused(refusal, have_worked),
        Problem::NotFound(_) | Problem::Unreadable(_) | Problem::Refused(_) => {
            format!("{problem}; check whether the address is that of an Open API")
        }
        _ => problem.to_string(),
    }
}

/// Which part of the credentials the source refuses, as far as it says. A client id that has worked
/// is no wrong one.
fn refused(refusal: &Refusal, have_worked: bool) -> String {
    let said = refusal.message.to_lowercase();
    let names = |words: [&str; 2]| words.iter().any(|word| said.contains(word));
    let is_id = names(["client_id", "client id"]);
    let is_secret = names(["client_secret", "client secret"]);
    let advice = match (refusal.code.as_deref(), is_id, is_secret) {
        (Some("invalid_scope"), ..) => {
            "the application may not use the Open API (scope open-api): make one that may"
        }
        (_, true, false) => {
            "the client id is wrong or the application was deleted: make it again and save its new \
             credentials"
        }
        (_, false, true) => "the client secret is wrong or expired: make a new secret and save it",
        _ if have_worked => {
            "the client secret is wrong or expired, or the application was deleted: make a new \
             secret, or the application again, and save it"
        }
        _ => {
            "the client id or the secret is wrong, or the application was deleted: copy both again, \
             or make new credentials"
        }
    };
    format!("{advice} (the source answered {refusal})")
}
