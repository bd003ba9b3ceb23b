//! `nightaudit webhooks`: who subscribes, what was sent to them, and sending it again.

use contract::webhook::{Webhook, WebhookAttempt};

use crate::cli::{Format, WebhookAttemptsArgs, WebhookListArgs, WebhookReplayArgs};
use crate::config::Config;
use crate::desk::Desk;
use crate::error::CommandError;
use crate::output;

/// Lists webhooks.
pub(crate) async fn list(args: WebhookListArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let webhooks = Desk::find(&config).await?.webhooks(args.account).await?;
    match args.common.format {
        Format::Json => output::json(&webhooks),
        Format::Table if webhooks.is_empty() => {
            output::note("Nobody subscribes: POST /v1/webhooks does.");
            Ok(())
        }
        Format::Table => lines(webhooks.iter().flat_map(webhook)),
    }
}

fn webhook(webhook: &Webhook) -> [String; 3] {
    let state = match (webhook.disabled_at, webhook.failing_since) {
        (Some(at), _) => format!("disabled at {at}"),
        (None, Some(since)) => format!("failing since {since}"),
        (None, None) => "enabled".to_owned(),
    };
    [
        format!("{}  account {}  {state}", webhook.id, webhook.account_id),
        format!("  {}", webhook.url),
        format!("  {}", webhook.events.join(" ")),
    ]
}

/// Lists what was sent to a webhook.
pub(crate) async fn attempts(args: WebhookAttemptsArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let desk = Desk::find(&config).await?;
    let attempts = desk.webhook_attempts(args.webhook, args.limit).await?;
    match args.common.format {
        Format::Json => output::json(&attempts),
        Format::Table if attempts.is_empty() => {
            output::note("Nothing was sent to it yet.");
            Ok(())
        }
        Format::Table => lines(attempts.iter().map(attempt)),
    }
}

fn attempt(attempt: &WebhookAttempt) -> String {
    let status = attempt.status_code;
    let status = status.map_or_else(|| "---".to_owned(), |status| status.to_string());
    let error = attempt.error.as_ref().map(|error| format!("  {error}"));
    let next = attempt.next_attempt_at.map(|at| format!("  again at {at}"));
    format!(
        "{}  {}  {status}  {:>5} ms  {}  {}{}{}",
        attempt.id,
        attempt.attempted_at,
        attempt.latency_ms,
        attempt.event,
        attempt.message_id,
        error.unwrap_or_default(),
        next.unwrap_or_default(),
    )
}

/// Has a message sent again.
pub(crate) async fn replay(args: WebhookReplayArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let replay = Desk::find(&config).await?.replay(args.attempt).await?;
    match args.common.format {
        Format::Json => output::json(&replay),
        Format::Table => Ok(output::line(format_args!(
            "{} ({}) is sent to webhook {} again",
            replay.message_id, replay.event, replay.webhook_id
        ))?),
    }
}

fn lines(mut lines: impl Iterator<Item = String>) -> Result<(), CommandError> {
    Ok(lines.try_for_each(output::line)?)
}
