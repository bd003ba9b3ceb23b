//! Where a connection stands, for people and for programs.

use std::collections::BTreeSet;

use books::connection::Light;
use books::inbox::{InboxState, Unreadable};
use books::mirror::FlaggedCounts;
use books::standing::Standing;
use books::sync::RunRecord;
use owo_colors::{OwoColorize, Stream};

use crate::cli::Format;
use crate::error::CommandError;
use crate::output;

/// Prints it.
pub(crate) fn tell(standing: &Standing, format: Format) -> Result<(), CommandError> {
    if format == Format::Json {
        return output::json(standing);
    }
    let account = standing.account.map(|id| id.to_string());
    let checked = standing.checked_at.map(|at| at.to_string());
    let state = if standing.connected {
        ""
    } else {
        " (disconnected)"
    };
    output::table(&[
        ("portfolio", &standing.portfolio),
        ("connection", &format!("{}{state}", standing.connection)),
        ("address", &standing.base_url),
        ("client id", &standing.client_id),
        ("account", account.as_deref().unwrap_or("not known yet")),
        ("webhook", standing.webhook_url.as_deref().unwrap_or("none")),
        ("last look", checked.as_deref().unwrap_or("never")),
        ("last sync", &in_words(standing.last_sync.as_ref())),
        ("inbox", &waiting(&standing.inbox)),
        ("flagged", &flagged(&standing.flagged)),
    ])?;
    for (name, light) in named(standing) {
        output::colored_line(format_args!("{name:8}{}  ", color(light)), &light.message)?;
    }
    for Unreadable { kind, id, reason } in &standing.inbox.unreadable {
        output::line(format_args!("cannot be read: {kind} {id}: {reason}"))?;
    }
    Ok(())
}

fn waiting(inbox: &InboxState) -> String {
    let mut words = match inbox.waiting_since {
        Some(since) => format!("{} to read since {since}", inbox.waiting),
        None => "nothing to read".to_owned(),
    };
    if inbox.unknown > 0 {
        words = format!("{words}, {} messages not understood", inbox.unknown);
    }
    words
}

fn flagged(counts: &FlaggedCounts) -> String {
    let how_many = super::flagged::in_words(counts);
    if counts.is_empty() {
        return how_many;
    }
    format!("{how_many}: nightaudit flagged lists them")
}

fn in_words(run: Option<&RunRecord>) -> String {
    let Some(run) = run else {
        return "never".to_owned();
    };
    match (run.ended_at, &run.summary) {
        (None, _) if run.stop_asked_at.is_some() => {
            format!("under way since {}, and asked to end", run.began_at)
        }
        (None, _) => format!("under way since {}", run.began_at),
        (Some(at), None) => format!("interrupted at {at}: the next one goes on there"),
        (Some(at), Some(summary)) if summary.is_stopped => {
            format!("stopped at {at}: the next one goes on there")
        }
        (Some(at), Some(summary)) if summary.is_complete() => format!("{at}, complete"),
        (Some(at), Some(_)) => format!("{at}, but not all could be read"),
    }
}

/// As wide as the other, whatever the terminal makes of the color.
pub(crate) fn color(light: &Light) -> String {
    if light.is_green {
        let green = "green".if_supports_color(Stream::Stdout, |word| word.green());
        green.to_string()
    } else {
        let red = "red".if_supports_color(Stream::Stdout, |word| word.red());
        format!("{red}  ")
    }
}

/// The lights with their names.
pub(crate) fn named(standing: &Standing) -> [(&'static str, &Light); 3] {
    let lights = &standing.lights;
    [
        ("Admin", &lights.admin),
        ("OAuth", &lights.oauth),
        ("Webhook", &lights.webhook),
    ]
}

/// Whether all is well; else the command ends with an exit code of its own.
pub(crate) fn are_green<'a>(
    standings: impl IntoIterator<Item = &'a Standing>,
) -> Result<(), CommandError> {
    let standings: Vec<_> = standings.into_iter().collect();
    let lights = standings.iter().copied().flat_map(named);
    let red = lights.filter(|(_, light)| !light.is_green);
    let red: BTreeSet<_> = red.map(|(name, _)| name).collect();
    if red.is_empty() {
        return Ok(());
    }
    if standings.iter().all(|standing| !standing.connected) {
        return Err(CommandError::NotWell(
            "disconnected: nightaudit connect, with a client id and its secret, connects again"
                .to_owned(),
        ));
    }
    Err(CommandError::NotWell(format!(
        "red: {}. Do what is said there, then: nightaudit refresh",
        red.into_iter().collect::<Vec<_>>().join(", ")
    )))
}
