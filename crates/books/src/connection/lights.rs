//! Whether a connection works: lights that are green or say what failed and what to do.

use contract::Timestamp;
use contract::id::ConnectionId;
use guesty::Guesty;
use serde::{Deserialize, Serialize};
use store::Lock;

use super::webhook::Subscription;
use super::{Connection, WebhookLeft, look, row};
use crate::sync::RunRecord;
use crate::{Books, Error};

/// One light.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Light {
    /// Whether it is green.
    #[serde(rename = "ok")]
    pub is_green: bool,
    /// What is well, or what failed and what to do.
    pub message: String,
}

/// The lights of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lights {
    /// Whether the account can be read.
    pub admin: Light,
    /// Whether there is a token.
    pub oauth: Light,
    /// Whether the source tells us of changes.
    pub webhook: Light,
}

/// How a connection stands, as far as the books know without asking anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The connection.
    pub connection: Connection,
    /// Its lights when somebody last looked.
    pub lights: Option<Lights>,
    /// When that was.
    pub looked_at: Option<Timestamp>,
    /// Its subscription to webhooks.
    pub webhook: Option<Subscription>,
    /// The last run of reading over it.
    pub last_sync: Option<RunRecord>,
}

impl Books {
    /// Looks whether a connection works, subscribes to its webhooks as far as that is not done, and
    /// keeps what was seen. A token that is kept is used; another is asked for only if there is
    /// none, it ends soon, or it is not accepted.
    pub async fn refresh(&self, id: ConnectionId) -> Result<Lights, Error> {
        let settings = look::hasty(self.way(id).await?);
        let lights = match Guesty::new(settings) {
            Ok(guesty) => self.look(id, &guesty).await?,
            Err(error) => Lights::without_token(&error.problem),
        };
        self.keep_lights(id, &lights).await?;
        Ok(lights)
    }

    /// How a connection stands; nobody is asked.
    pub async fn status(&self, id: ConnectionId) -> Result<Status, Error> {
        let row = self.row(id).await?;
        Ok(Status {
            lights: row.lights()?,
            looked_at: row.looked_ms,
            webhook: self.subscription(id).await?,
            last_sync: self.last_sync(id).await?,
            connection: row.read()?,
        })
    }

    /// Keeps how a connection looks that has credentials still.
    async fn keep_lights(&self, id: ConnectionId, lights: &Lights) -> Result<(), Error> {
        let (lights, now) = (lights.to_text()?, self.clock().now());
        let lock = Lock::row("connection", &id);
        let keep = self.store().write(lock, move |c| {
            let row = row::Row::find(c, id)?;
            row.sealed_secret.ok_or(Error::Disconnected(id))?;
            row::keep_lights(c, id, &lights, now)
        });
        keep.await
    }
}

impl Lights {
    /// Whether all are green.
    pub fn are_green(&self) -> bool {
        self.admin.is_green && self.oauth.is_green && self.webhook.is_green
    }

    /// Those of a connection without credentials.
    pub(super) fn disconnected(left: Option<&WebhookLeft>) -> Self {
        let light = Light::red("disconnected: connect again with a client id and its secret");
        let left = left.map(|left| Light::red(format!("disconnected, but {left}")));
        Self {
            admin: light.clone(),
            oauth: light.clone(),
            webhook: left.unwrap_or(light),
        }
    }

    pub(super) fn to_text(&self) -> Result<String, Error> {
        let corrupt = |error| Error::Corrupt(format!("lights: {error}"));
        serde_json::to_string(self).map_err(corrupt)
    }
}

impl Light {
    pub(super) fn green(message: impl Into<String>) -> Self {
        Self {
            is_green: true,
            message: message.into(),
        }
    }

    pub(super) fn red(message: impl Into<String>) -> Self {
        Self {
            is_green: false,
            message: message.into(),
        }
    }
}
