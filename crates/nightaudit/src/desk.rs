//! Who carries out a command of the platform: the server that runs on the data directory, else this
//! process, which opens the databases for it.

use anyhow::{Context, anyhow};
use books::Heard;
use contract::id::{AccountId, WebhookAttemptId, WebhookId};
use contract::webhook::{Webhook, WebhookAttempt, WebhookReplay};
use payments::fixtures::{Fixture, PortfolioMade, PortfolioOrder, Progress, Seeded};
use payments::{
    AdvanceOrder, Advanced, ApplicationMade, ApplicationOrder, Owner, Reset, ResetOrder,
    TriggerOrder, Triggered,
};
use reqwest::{Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use store::{Control, DataDir};

use crate::cli::System;
use crate::config::Config;
use crate::error::CommandError;
use crate::open::{Claim, Payments, claim};

/// Who carries out commands.
pub(crate) enum Desk {
    /// The running server.
    Server(Server),
    /// We do.
    Here {
        payments: Payments,
        /// Let go last, when all databases are closed.
        _directory: DataDir,
    },
}

impl Desk {
    /// Finds out who it is.
    pub(crate) async fn find(config: &Config) -> Result<Self, CommandError> {
        Ok(match claim(&config.data).await? {
            Claim::Server(control) => Self::Server(Server::of(control, System::Payments)?),
            Claim::Ours(directory) => Self::Here {
                payments: Payments::open(config).await?,
                _directory: directory,
            },
        })
    }

    /// Makes an application.
    pub(crate) async fn order_application(
        &self,
        order: ApplicationOrder,
    ) -> Result<ApplicationMade, CommandError> {
        match self {
            Self::Server(server) => server.post("applications", &order).await,
            Self::Here { payments, .. } => {
                let made = payments
                    .platform
                    .order_application(&payments.sandbox, order);
                Ok(made.await?)
            }
        }
    }

    /// Makes a fixture.
    pub(crate) async fn seed(&self, fixture: Fixture) -> Result<Seeded, CommandError> {
        match self {
            Self::Server(server) => {
                let path = format!("fixtures/{}", fixture.name());
                server.post(&path, &()).await
            }
            Self::Here { payments, .. } => {
                Ok(payments.platform.seed(&payments.sandbox, fixture).await?)
            }
        }
    }

    /// Makes a portfolio with life. A server does not say how far it has come.
    pub(crate) async fn portfolio(
        &self,
        order: PortfolioOrder,
        told: impl Fn(Progress) + Send + Sync,
    ) -> Result<PortfolioMade, CommandError> {
        match self {
            Self::Server(server) => server.post("portfolios", &order).await,
            Self::Here { payments, .. } => {
                let made = payments
                    .platform
                    .order_portfolio(&payments.sandbox, order, told);
                Ok(made.await?)
            }
        }
    }

    /// Lets business time pass.
    pub(crate) async fn advance(&self, order: AdvanceOrder) -> Result<Advanced, CommandError> {
        match self {
            Self::Server(server) => server.post("advance", &order).await,
            Self::Here { payments, .. } => Ok(payments.platform.order_advance(order).await?),
        }
    }

    /// Empties an account.
    pub(crate) async fn reset(&self, order: ResetOrder) -> Result<Reset, CommandError> {
        match self {
            Self::Server(server) => server.post("reset", &order).await,
            Self::Here { payments, .. } => Ok(payments.platform.order_reset(order).await?),
        }
    }

    /// Lets something happen.
    pub(crate) async fn trigger(&self, order: TriggerOrder) -> Result<Triggered, CommandError> {
        match self {
            Self::Server(server) => server.post("trigger", &order).await,
            Self::Here { payments, .. } => Ok(payments.platform.order_trigger(order).await?),
        }
    }

    /// Lists webhooks.
    pub(crate) async fn webhooks(
        &self,
        account: Option<AccountId>,
    ) -> Result<Vec<Webhook>, CommandError> {
        let owner = account.map_or(Owner::Any, Owner::Account);
        match self {
            Self::Server(server) => server.post("webhooks", &json!({"account": account})).await,
            Self::Here { payments, .. } => Ok(payments.platform.webhooks_of(owner).await?),
        }
    }

    /// Lists what was sent to a webhook.
    pub(crate) async fn webhook_attempts(
        &self,
        webhook: WebhookId,
        limit: i64,
    ) -> Result<Vec<WebhookAttempt>, CommandError> {
        match self {
            Self::Server(server) => {
                let path = format!("webhooks/{webhook}/attempts");
                server.post(&path, &json!({"limit": limit})).await
            }
            Self::Here { payments, .. } => {
                let platform = &payments.platform;
                let found = platform.webhook_attempts(Owner::Any, webhook, limit, 0);
                Ok(found.await?.0)
            }
        }
    }

    /// Has a message sent again.
    pub(crate) async fn replay(
        &self,
        attempt: WebhookAttemptId,
    ) -> Result<WebhookReplay, CommandError> {
        match self {
            Self::Server(server) => {
                let path = format!("webhook-attempts/{attempt}/replay");
                server.post(&path, &json!({})).await
            }
            Self::Here { payments, .. } => {
                Ok(payments.platform.replay(Owner::Any, None, attempt).await?)
            }
        }
    }
}

/// The control routes of a running server.
pub(crate) struct Server {
    http: reqwest::Client,
    control: Control,
}

impl Server {
    /// Those of a system that the server serves.
    pub(crate) fn of(control: Control, system: System) -> Result<Self, CommandError> {
        if let Some(only) = control
            .only
            .as_deref()
            .filter(|only| *only != system.name())
        {
            return Err(CommandError::refused(format!(
                "the server at http://{} has the data directory and serves {only} only: start it \
                 without --only, or keep {} in a data directory of their own (--data)",
                control.address,
                system.name()
            )));
        }
        // The way to this machine leads through nobody's proxy, and needs no certificates.
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]);
        let http = http.build();
        let http = http.context("no HTTP client can be made")?;
        Ok(Self { http, control })
    }

    /// Asks for something.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CommandError> {
        let answer = self.ask(path, body).await?.json().await;
        Ok(answer.context("the running server's answer cannot be read")?)
    }

    /// Asks for something that takes long, and tells what is heard of it meanwhile.
    pub(crate) async fn hear<P: DeserializeOwned, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        told: impl Fn(P),
    ) -> Result<T, CommandError> {
        let broken = "the running server's answer broke off (its log may say more)";
        let mut response = self.ask(path, body).await?;
        let mut waiting = Vec::new();
        loop {
            while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                let heard = serde_json::from_slice(&line);
                match heard.context("the running server's answer cannot be read")? {
                    Heard::Progress(at) => told(at),
                    Heard::Done(done) => return Ok(done),
                    Heard::Refused(why) => return Err(CommandError::refused(why)),
                    Heard::Broken(why) => return Err(CommandError::Broken(why)),
                    Heard::Failed(why) => return Err(CommandError::Failed(anyhow!(why))),
                }
            }
            let bytes = response.chunk().await.context(broken)?;
            waiting.extend_from_slice(&bytes.ok_or_else(|| anyhow!(broken))?);
        }
    }

    async fn ask(&self, path: &str, body: &impl Serialize) -> Result<Response, CommandError> {
        let address = self.control.address;
        let response = self
            .http
            .post(format!("http://{address}/control/{path}"))
            .bearer_auth(&self.control.admin_token)
            .json(body)
            .send()
            .await
            .with_context(|| format!("the running server at http://{address} does not answer"))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        Err(self.not_done(status, response).await)
    }

    async fn not_done(&self, status: StatusCode, response: Response) -> CommandError {
        let body = response.text().await.unwrap_or_default();
        // What is wrong with a request, the server says in a JSON text.
        let said = serde_json::from_str::<String>(&body).unwrap_or(body);
        if matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND) {
            return CommandError::refused(said);
        }
        let address = self.control.address;
        CommandError::Failed(anyhow!(
            "the running server at http://{address} answered {status}: {said} (its log may say more)"
        ))
    }
}
