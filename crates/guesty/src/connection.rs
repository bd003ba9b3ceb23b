//! A call from its beginning to its end: its turn, its token, its tries.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::ACCEPT;

use crate::error::{Error, Problem};
use crate::field::read_object;
use crate::http::Http;
use crate::pace::Pacer;
use crate::reply::{Answer, Reply};
use crate::retry::{RetryPolicy, SILENCES_MAX};
use crate::token::{Keeper, Token};

/// The connection to one account; its copies share pace and token.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) http: Arc<Http>,
    pub(crate) pacer: Arc<Pacer>,
    pub(crate) tokens: Arc<Keeper>,
    pub(crate) retry: RetryPolicy,
}

/// What to send.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a [(String, String)],
    /// A JSON text.
    pub(crate) body: Option<String>,
    /// Whether it is answered with a secret.
    pub(crate) gives_secret: bool,
}

/// How one try failed.
struct Trouble {
    problem: Problem,
    retry_after: Option<Duration>,
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            retry_after: None,
        }
    }
}

impl Connection {
    /// Reads, as often as the policy allows.
    pub(crate) async fn get<T>(
        &self,
        path: &str,
        query: &[(String, String)],
        read: impl Fn(&[u8]) -> Result<T, serde_json::Error> + Send,
    ) -> Result<(T, Reply), Error> {
        let call = Call {
            method: Method::GET,
            path,
            query,
            body: None,
            gives_secret: false,
        };
        self.make(&call, self.retry.tries, read).await
    }

    /// Reads what holds a secret.
    pub(crate) async fn get_secret<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &[(String, String)],
    ) -> Result<T, Error> {
        let call = Call {
            method: Method::GET,
            path,
            query,
            body: None,
            gives_secret: true,
        };
        let (value, _) = self.make(&call, self.retry.tries, read_object).await?;
        Ok(value)
    }

    /// Reads one JSON value.
    pub(crate) async fn get_one<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &[(String, String)],
    ) -> Result<Answer<T>, Error> {
        let (value, reply) = self.get(path, query, read_object).await?;
        Ok(Answer { value, reply })
    }

    /// Makes a call. One that changes something is made once: if its answer is lost, nobody knows
    /// whether it was done.
    pub(crate) async fn make<T>(
        &self,
        call: &Call<'_>,
        tries_max: u32,
        read: impl Fn(&[u8]) -> Result<T, serde_json::Error> + Send,
    ) -> Result<(T, Reply), Error> {
        let mut tries = 0;
        let mut is_renewed = false;
        let mut token = self.tokens.current().await?;
        loop {
            tries += 1;
            let trouble = match self.try_once(call, &token, &read).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => trouble,
            };
            if let Problem::Unauthorized(_) | Problem::Forbidden(_) = trouble.problem
                && !is_renewed
            {
                let is_403 = matches!(trouble.problem, Problem::Forbidden(_));
                if let Some(other) = self.tokens.replace(&token, is_403).await? {
                    is_renewed = true;
                    token = other;
                    continue;
                }
            }
            let tries_max = match trouble.problem {
                Problem::TimedOut(_) => tries_max.min(SILENCES_MAX),
                _ => tries_max,
            };
            if tries >= tries_max || !self.is_worth_another_try(&trouble) {
                return Err(Error {
                    call: format!("{} {}", call.method, call.path),
                    tries,
                    problem: trouble.problem,
                });
            }
            tracing::info!(call.path, tries, problem = %trouble.problem, "asking again");
            let told = trouble.retry_after.unwrap_or_default();
            tokio::time::sleep(told + self.retry.delay(tries)).await;
            token = self.tokens.current().await?;
        }
    }

    fn is_worth_another_try(&self, trouble: &Trouble) -> bool {
        let can_pass = matches!(
            trouble.problem,
            Problem::RateLimited(_)
                | Problem::Unavailable(_)
                | Problem::Unreachable(_)
                | Problem::TimedOut(_)
                | Problem::BrokenOff(_)
        );
        can_pass && trouble.retry_after.unwrap_or_default() <= self.retry.patience
    }

    async fn try_once<T>(
        &self,
        call: &Call<'_>,
        token: &Token,
        read: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<(T, Reply), Trouble> {
        let url = self.http.base.at(call.path, call.query);
        let target = match url.query() {
            Some(query) => format!("{}?{query}", call.path),
            None => call.path.to_owned(),
        };
        let mut request = (self.http.client.request(call.method.clone(), url))
            .bearer_auth(token.access_token.reveal())
            .header(ACCEPT, "application/json");
        if let Some(body) = &call.body {
            request = request
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(body.clone());
        }

        let permit = self.pacer.admit().await;
        let raw = self.http.send(request).await?;
        self.pacer.learn(&permit, &raw.headroom());
        drop(permit);

        raw.check()?;
        if !raw.status.is_success() {
            let problem = raw.problem();
            let retry_after = raw.retry_after();
            // A longer pause is an error, and no reason to keep the other calls waiting for it.
            if let (Problem::RateLimited(_), Some(pause)) = (&problem, retry_after)
                && pause <= self.retry.patience
            {
                self.pacer.pause(pause);
            }
            return Err(Trouble {
                problem,
                retry_after,
            });
        }
        self.tokens.accepted(token);
        let value = if call.gives_secret {
            raw.read_secret(read)?
        } else {
            raw.read(read)?
        };
        let reply = Reply {
            request: target,
            status: raw.status.as_u16(),
            received_at: raw.received_at,
            sent_at: raw.sent_at(),
            request_id: raw.request_id(),
            body: raw.body,
        };
        Ok((value, reply))
    }
}
