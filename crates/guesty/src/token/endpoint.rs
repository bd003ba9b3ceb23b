//! `POST /oauth2/token`: the client-credentials grant.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use contract::Timestamp;
use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde::Deserialize;

use crate::error::{Error, Problem};
use crate::field::{Field, read_object};
use crate::http::{Http, Raw};
use crate::retry::RetryPolicy;
use crate::secret::{Credentials, Secret};

const PATH: &str = "/oauth2/token";
/// A token that does not say how long it is good for is asked anew after an hour.
const LIFETIME_SECONDS: i64 = 3_600;
/// How long to leave the source alone after it said that there are no more tokens, unless it says.
const PAUSE: Duration = Duration::from_hours(1);

/// Where tokens are asked for.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) http: Arc<Http>,
    pub(crate) credentials: Credentials,
    pub(crate) retry: RetryPolicy,
}

/// A token, granted.
pub(super) struct Grant {
    pub(super) access_token: Secret,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Granted {
    access_token: Field<String>,
    expires_in: Field<i64>,
}

impl Endpoint {
    /// Asks for a token. Asked again only if the source cannot have issued one: an answer that was
    /// lost may have been a token, and they are counted.
    pub(super) async fn ask(&self) -> Result<Grant, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let asked = self.ask_once().await;
            match asked {
                Err(Problem::Unavailable(_) | Problem::Unreachable(_))
                    if tries < self.retry.tries =>
                {
                    tokio::time::sleep(self.retry.delay(tries)).await;
                }
                asked => {
                    return asked.map_err(|problem| Error {
                        call: format!("POST {PATH}"),
                        tries,
                        problem,
                    });
                }
            }
        }
    }

    async fn ask_once(&self) -> Result<Grant, Problem> {
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "open-api"),
            ("client_id", &self.credentials.client_id),
            ("client_secret", self.credentials.client_secret.reveal()),
        ];
        let url = self.http.base.at(PATH, &[]);
        let request = self.http.client.post(url).form(&form);
        let raw = self
            .http
            .send(request.header(ACCEPT, "application/json"))
            .await?;
        read(&raw)
    }
}

fn read(raw: &Raw) -> Result<Grant, Problem> {
    raw.check()?;
    match raw.status {
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err(Problem::Credentials(Box::new(raw.refusal())));
        }
        StatusCode::TOO_MANY_REQUESTS => {
            let pause = raw.retry_after().unwrap_or(PAUSE);
            return Err(Problem::TokensUsedUp(pause));
        }
        status if !status.is_success() => return Err(raw.problem()),
        _ => {}
    }
    let granted: Granted = raw.read_secret(read_object)?;
    let Field::Value(access_token) = granted.access_token else {
        return Err(Problem::Unreadable("no access_token in it".to_owned()));
    };
    let seconds = granted.expires_in.get().unwrap_or(LIFETIME_SECONDS);
    let lifetime = TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX);
    Ok(Grant {
        access_token: Secret::new(access_token),
        issued_at: raw.received_at,
        expires_at: raw.received_at + lifetime,
    })
}
