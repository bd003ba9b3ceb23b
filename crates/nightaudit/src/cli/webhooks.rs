//! `nightaudit webhooks`.

use clap::{Args, Subcommand};
use contract::id::{AccountId, WebhookAttemptId, WebhookId};

use super::Common;

#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Lists the webhooks of all accounts. Works while a server runs.
    List(WebhookListArgs),
    /// Lists what was sent to a webhook and what came of it, the newest first. Works while a server
    /// runs.
    Attempts(WebhookAttemptsArgs),
    /// Has the message of an attempt sent again, under the same id, by the server that runs or the
    /// next that does.
    Replay(WebhookReplayArgs),
}

#[derive(Debug, Args)]
pub(crate) struct WebhookListArgs {
    /// The account whose they are [default: all].
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct WebhookAttemptsArgs {
    /// The webhook.
    #[arg(value_name = "ID")]
    pub(crate) webhook: WebhookId,

    /// How many, at most.
    #[arg(long, value_name = "COUNT", default_value_t = 25,
          value_parser = clap::value_parser!(i64).range(1..=1000))]
    pub(crate) limit: i64,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct WebhookReplayArgs {
    /// The attempt.
    #[arg(value_name = "ID")]
    pub(crate) attempt: WebhookAttemptId,

    #[command(flatten)]
    pub(crate) common: Common,
}
