//! Whether a connection works: lights that are green or say what failed and what to do.

use std::pin::pin;
use std::time::Duration;

use contract::id::ConnectionId;
use futures_util::TryStreamExt;
use guesty::{Guesty, ListingQuery, Problem, Reader, Refusal, RetryPolicy, Settings};

use crate::{Books, Error};

/// Somebody waits for the lights: they can look again, where a sync would be patient.
const PATIENCE: Duration = Duration::from_secs(15);
const TRIES: u32 = 2;

/// One light.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Light {
    /// Whether it is green.
    pub is_green: bool,
    /// What is well, or what failed and what to do.
    pub message: String,
}

/// The lights of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lights {
    /// Whether the account can be read.
    pub admin: Light,
    /// Whether there is a token.
    pub oauth: Light,
}

impl Books {
    /// Looks whether a connection works. A token that is kept is used; another is asked for only if
    /// there is none, it ends soon, or it is not accepted.
    pub async fn lights(&self, id: ConnectionId) -> Result<Lights, Error> {
        let settings = Settings {
            retry: RetryPolicy {
                tries: TRIES,
                patience: PATIENCE,
                ..RetryPolicy::default()
            },
            timeout: PATIENCE,
            ..self.way(id).await?
        };
        Ok(match Guesty::new(settings) {
            Ok(guesty) => look(&guesty.reader()).await,
            Err(error) => Lights::without_token(&error.problem),
        })
    }
}

async fn look(reader: &Reader) -> Lights {
    if let Err(error) = reader.account_id().await {
        return Lights::without_token(&error.problem);
    }
    let account = match reader.account().await {
        Ok(answer) => answer.value,
        Err(error) => return Lights::without_account(&error.problem),
    };
    if account.active.get() == Some(false) {
        return Lights::with_token(Light::red(
            "the account is not in use: let the source activate it",
        ));
    }
    let query = ListingQuery {
        page_size: 1,
        ..ListingQuery::default()
    };
    let mut pages = pin!(reader.listings(&query));
    match pages.try_next().await {
        Ok(Some(page)) if !page.rows.items.is_empty() => {
            Lights::with_token(Light::green("the account and its listings can be read"))
        }
        Ok(_) => Lights::with_token(Light::red(
            "no active listing is visible: mark the listings active, and give the user who \
             authorized the application the sight of them",
        )),
        Err(error) => Lights::without_account(&error.problem),
    }
}

impl Lights {
    fn with_token(admin: Light) -> Self {
        Self {
            admin,
            oauth: Light::green("there is a token, and it is accepted"),
        }
    }

    fn without_token(problem: &Problem) -> Self {
        Self {
            admin: Light::red("the account could not be asked without a token: see OAuth"),
            oauth: Light::red(no_token(problem)),
        }
    }

    fn without_account(problem: &Problem) -> Self {
        match problem {
            Problem::Unauthorized(_) | Problem::Credentials(_) | Problem::TokensUsedUp(_) => {
                Self::without_token(problem)
            }
            _ => Self::with_token(Light::red(problem.to_string())),
        }
    }
}

impl Light {
    fn green(message: impl Into<String>) -> Self {
        Self {
            is_green: true,
            message: message.into(),
        }
    }

    fn red(message: impl Into<String>) -> Self {
        Self {
            is_green: false,
            message: message.into(),
        }
    }
}

/// Why there is no token, and what to do.
fn no_token(problem: &Problem) -> String {
    match problem {
        Problem::Credentials(refusal) => refused(refusal),
        Problem::NotFound(_) | Problem::Unreadable(_) | Problem::Refused(_) => {
            format!("{problem}; check whether the address is that of an Open API")
        }
        _ => problem.to_string(),
    }
}

/// Which part of the credentials the source refuses, as far as it says.
fn refused(refusal: &Refusal) -> String {
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
        _ => {
            "the client id or the secret is wrong, or the application was deleted: copy both again, \
             or make new credentials"
        }
    };
    format!("{advice} (the source answered {refusal})")
}
