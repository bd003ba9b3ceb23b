//! The one thing that is written: our own subscriptions to webhooks.

use std::fmt;

use contract::id::WebhookId;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::connection::{Call, Connection};
use crate::error::{Error, Problem};
use crate::field::{Field, read_object};
use crate::reply::{Answer, Reply};
use crate::rows::{Listed, Rows};
use crate::secret::Secret;
use crate::seen::webhook::Webhook;

const PATH: &str = "/v1/webhooks";
/// How often the secret of a new subscription is asked for: it is not there at once.
const SECRET_TRIES: u32 = 8;

/// Subscribes to webhooks, and unsubscribes. What changes something is asked once: if its answer
/// is lost, look at the [list](Self::list).
#[derive(Clone)]
pub struct WebhookRegistrar {
    connection: Connection,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WebhookSecret {
    key: Field<String>,
}

impl WebhookRegistrar {
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// `GET /v1/webhooks`: all subscriptions of the account, those of others too.
    pub async fn list(&self) -> Result<Answer<Rows<Webhook>>, Error> {
        let (listed, reply) = self.connection.get(PATH, &[], Listed::read).await?;
        Ok(Answer {
            value: listed.rows,
            reply,
        })
    }

    /// Subscribes a URL to these events and no others, whether it is subscribed already or not.
    pub async fn register(&self, url: &str, events: &[&str]) -> Result<Answer<Webhook>, Error> {
        let listed = self.list().await?;
        let mut ours = (listed.value.items.into_iter()).filter(|webhook| webhook.url.text() == url);
        let Some(webhook) = ours.next() else {
            return self.create(url, events).await;
        };
        let is_subscribed = |event: &&str| webhook.events.iter().any(|has| has.text() == *event);
        if webhook.events.len() == events.len() && events.iter().all(is_subscribed) {
            return Ok(Answer {
                value: webhook,
                reply: listed.reply,
            });
        }
        match webhook.id.get() {
            Some(id) => self.update_events(id, events).await,
            None => self.create(url, events).await,
        }
    }

    /// `POST /v1/webhooks`
    pub async fn create(&self, url: &str, events: &[&str]) -> Result<Answer<Webhook>, Error> {
        let body = json!({"url": url, "events": events}).to_string();
        self.write(Method::POST, PATH, Some(body), read_webhook)
            .await
    }

    /// `PUT /v1/webhooks/{id}`. The URL cannot be changed.
    pub async fn update_events(
        &self,
        id: WebhookId,
        events: &[&str],
    ) -> Result<Answer<Webhook>, Error> {
        let path = format!("{PATH}/{id}");
        let body = json!({"events": events}).to_string();
        self.write(Method::PUT, &path, Some(body), read_webhook)
            .await
    }

    /// `DELETE /v1/webhooks/{id}`. One that is not there is as good as deleted.
    pub async fn delete(&self, id: WebhookId) -> Result<(), Error> {
        let path = format!("{PATH}/{id}");
        let deleted = self.write(Method::DELETE, &path, None, |_| Ok(())).await;
        match deleted {
            Err(error) if !matches!(error.problem, Problem::NotFound(_)) => Err(error),
            _ => Ok(()),
        }
    }

    /// `GET /v1/webhooks-v2/secret`: what the messages to a URL are signed with. It is missing for a
    /// short while after the subscription, so a 404 is asked again.
    pub async fn secret(&self, url: &str) -> Result<Secret, Error> {
        const PATH: &str = "/v1/webhooks-v2/secret";
        let query = [("url".to_owned(), url.to_owned())];
        let mut tries = 1;
        let answer = loop {
            match self
                .connection
                .get_secret::<WebhookSecret>(PATH, &query)
                .await
            {
                Err(error)
                    if matches!(error.problem, Problem::NotFound(_)) && tries < SECRET_TRIES =>
                {
                    let wait = self.connection.retry.delay(tries);
                    tokio::time::sleep(wait).await;
                    tries += 1;
                }
                Err(error) => return Err(Error { tries, ..error }),
                Ok(answer) => break answer,
            }
        };
        match answer.key {
            Field::Value(key) => {
                let secret = Secret::new(key);
                self.connection.http.hidden.learn(&secret);
                Ok(secret)
            }
            Field::Absent | Field::Odd(_) => Err(Error {
                call: format!("GET {PATH}"),
                tries,
                problem: Problem::Unreadable("no key in it".to_owned()),
            }),
        }
    }

    async fn write<T>(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        read: impl Fn(&[u8]) -> Result<T, serde_json::Error> + Send,
    ) -> Result<Answer<T>, Error> {
        let call = Call {
            method,
            path,
            query: &[],
            body,
            gives_secret: false,
        };
        let (value, reply): (T, Reply) = self.connection.make(&call, 1, read).await?;
        Ok(Answer { value, reply })
    }
}

/// A subscription: alone, or alone in a list, as the documents have it.
fn read_webhook(body: &[u8]) -> Result<Webhook, serde_json::Error> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'[') {
        return read_object(body);
    }
    let listed = Listed::read(body)?;
    Ok(listed.rows.items.into_iter().next().unwrap_or_default())
}

impl fmt::Debug for WebhookRegistrar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookRegistrar({})", self.connection.http.base)
    }
}
