//! `nightaudit sync`: the mirror brought up to date, and what that came to.

use std::pin::pin;

use anyhow::anyhow;
use books::connection::Connection;
use books::mirror::Counts;
use books::sync::{Part, Progress, Span, Summary};
use books::{Pace, SyncOrder};
use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value, json};
use store::{Clock, SystemClock};
use tokio_util::sync::CancellationToken;

use super::{BooksDesk, Meter, stop};
use crate::cli::{Format, SyncArgs};
use crate::config::Config;
use crate::error::CommandError;
use crate::output;
use crate::signals::StopSignals;

/// Syncs the connections that are meant.
pub(crate) async fn run(args: SyncArgs) -> Result<(), CommandError> {
    if args.stop {
        return stop::run(args).await;
    }
    let pace = match (args.no_limits, args.full_speed) {
        (true, _) => Pace::Unlimited,
        (false, true) => Pace::Full,
        (false, false) => Pace::Half,
    };
    let parts = match args.parts {
        parts if parts.is_empty() => Part::ALL.to_vec(),
        parts => parts,
    };
    let span = match (args.from, args.to) {
        (Some(from), Some(to)) => Some(span(from, to, &parts)?),
        _ => None,
    };
    let config = Config::of(args.common.place)?;
    let mut signals = StopSignals::listen()?;
    let desk = BooksDesk::find(&config).await?;
    let choice = args.which.into();
    let connections = desk.to_read(&config)?.choose_in_use(&choice).await?;
    let mut runs = Vec::new();
    for connection in connections {
        let order = SyncOrder {
            connection: connection.id,
            parts: parts.clone(),
            span,
            pace,
        };
        let summary = one(&desk, &order, &mut signals).await?;
        let is_stopped = summary.is_stopped;
        runs.push(Run {
            connection,
            summary,
        });
        if is_stopped {
            break;
        }
    }
    match args.common.format {
        Format::Json => output::json(&report(&runs))?,
        Format::Table => runs.iter().try_for_each(tell)?,
    }
    if runs.iter().any(|run| run.summary.is_stopped) {
        return Err(CommandError::NotWell(
            "stopped; what was read is in, and the same command goes on from there".to_owned(),
        ));
    }
    if !runs.iter().all(|run| run.summary.is_complete()) {
        return Err(CommandError::NotWell(
            "not all could be read; what could is in. Do what is said with each problem, then sync again"
                .to_owned(),
        ));
    }
    if !runs.iter().all(|run| run.summary.is_understood()) {
        return Err(CommandError::NotUnderstood(
            "all was read and is in, but some of it is not understood: see what is said of each, and \
             do not compute with it unseen"
                .to_owned(),
        ));
    }
    Ok(())
}

/// Dates on which there may be something of the parts.
fn span(from: NaiveDate, to: NaiveDate, parts: &[Part]) -> Result<Span, CommandError> {
    let span = Span::new(from, to).map_err(|error| CommandError::usage(error.to_string()))?;
    span.check(parts, SystemClock.now().date())
        .map_err(|error| CommandError::usage(error.to_string()))?;
    Ok(span)
}

/// Syncs one connection and shows how far it is, until it is done or somebody wants it to stop.
pub(crate) async fn one(
    desk: &BooksDesk,
    order: &SyncOrder,
    signals: &mut StopSignals,
) -> Result<Summary, CommandError> {
    let meter = Meter::new()?;
    let told = |at: Progress| {
        let what = format!("{}: {}", at.part, at.list);
        meter.show(&what, at.done, at.total);
    };
    let stop = CancellationToken::new();
    let done = {
        let mut run = pin!(desk.sync(order, stop.clone(), &told));
        tokio::select! {
            done = &mut run => Some(done),
            () = signals.next() => match desk {
                BooksDesk::Server(_) => None,
                // It ends in good order, unless somebody does not want to wait for that either.
                BooksDesk::Here { .. } => {
                    stop.cancel();
                    tokio::select! {
                        done = &mut run => Some(done),
                        () = signals.next() => None,
                    }
                }
            },
        }
    };
    drop(meter);
    if let (BooksDesk::Here { books, .. }, None | Some(Err(_))) = (desk, &done) {
        books.sync_cut_short(order.connection).await;
    }
    done.unwrap_or_else(|| Err(stopped(desk)))
}

/// What there is to say of a run that was not waited for.
fn stopped(desk: &BooksDesk) -> CommandError {
    CommandError::Failed(match desk {
        BooksDesk::Server(_) => anyhow!(
            "not waited for: the server goes on with it, nightaudit status says when it is done, and \
             nightaudit sync --stop ends it before"
        ),
        BooksDesk::Here { .. } => {
            anyhow!("stopped; what was read is kept, and the same command goes on from there")
        }
    })
}

/// A connection and what its run came to.
struct Run {
    connection: Connection,
    summary: Summary,
}

#[derive(Serialize)]
struct Told {
    read: u64,
    #[serde(flatten)]
    counts: Counts,
}

fn report(runs: &[Run]) -> Value {
    let connections: Vec<Value> = runs.iter().map(report_of).collect();
    let is_complete = runs.iter().all(|run| run.summary.is_complete());
    let is_understood = runs.iter().all(|run| run.summary.is_understood());
    json!({"complete": is_complete, "understood": is_understood, "connections": connections})
}

fn report_of(run: &Run) -> Value {
    let summary = &run.summary;
    let parts = summary.parts.iter().map(|(part, counts)| {
        let told = Told {
            read: read(*counts),
            counts: *counts,
        };
        (part.to_string(), json!(told))
    });
    json!({
        "connection": run.connection.id,
        "base_url": run.connection.base_url.to_string(),
        "complete": summary.is_complete(),
        "understood": summary.is_understood(),
        "stopped": summary.is_stopped,
        "parts": parts.collect::<Map<_, _>>(),
        "windows": {"read": summary.windows_read, "mature": summary.windows_mature},
        "resumed": summary.resumed.iter().map(|(list, done)| json!({"list": list, "done": done})).collect::<Vec<_>>(),
        "problems": summary.problems,
        "more_problems": summary.problems_beyond,
        "flagged": summary.flagged,
        "more_flagged": summary.flagged_beyond(),
    })
}

fn tell(run: &Run) -> Result<(), CommandError> {
    let summary = &run.summary;
    output::line(format_args!(
        "connection {} ({})",
        run.connection.id, run.connection.base_url
    ))?;
    let head = [
        "",
        "read",
        "new",
        "changed",
        "unchanged",
        "removed",
        "flagged",
    ];
    let row = |name: String, counts: Counts| {
        let numbers = [
            read(counts),
            counts.new,
            counts.changed,
            counts.unchanged,
            counts.removed,
            counts.flagged,
        ];
        let numbers = numbers.iter().map(ToString::to_string);
        std::iter::once(name).chain(numbers).collect::<Vec<_>>()
    };
    let parts = summary.parts.iter();
    let mut rows: Vec<_> = parts
        .map(|(part, counts)| row(part.to_string(), *counts))
        .collect();
    if rows.len() > 1 {
        rows.push(row("all".to_owned(), summary.total()));
    }
    output::grid(&head, &rows)?;
    if summary.windows_read + summary.windows_mature > 0 {
        output::line(format_args!(
            "months of reports: {} read, {} mature and not read again",
            summary.windows_read, summary.windows_mature
        ))?;
    }
    for (list, done) in &summary.resumed {
        output::line(format_args!("went on with {list}, of which {done} were in"))?;
    }
    if summary.is_stopped {
        output::line("stopped before all was read")?;
    }
    for problem in &summary.problems {
        output::line(format_args!("could not be read: {problem}"))?;
    }
    if summary.problems_beyond > 0 {
        let more = summary.problems_beyond;
        output::line(format_args!(
            "… and {more} more that could not be read: the log has them"
        ))?;
    }
    for flagged in &summary.flagged {
        output::line(format_args!("not understood: {flagged}"))?;
    }
    if summary.flagged_beyond() > 0 {
        let more = summary.flagged_beyond();
        output::line(format_args!("… and {more} more that are not understood"))?;
    }
    Ok(())
}

/// How many objects the source showed.
fn read(counts: Counts) -> u64 {
    counts.new + counts.changed + counts.unchanged
}
