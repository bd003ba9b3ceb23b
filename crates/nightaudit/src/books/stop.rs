//! `nightaudit sync --stop`: runs that are under way end before their time, whichever process they
//! are in.

use books::connection::Connection;
use books::sync::RunRecord;
use serde_json::{Value, json};

use super::BooksDesk;
use crate::cli::{Format, SyncArgs};
use crate::config::Config;
use crate::error::CommandError;
use crate::output;

/// Asks the runs over the connections that are meant to end, and waits for that.
pub(crate) async fn run(args: SyncArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let desk = BooksDesk::beside_others(&config).await?;
    let mut asked = Vec::new();
    for connection in desk
        .to_read(&config)?
        .choose_all(&args.which.into())
        .await?
    {
        let run = desk.stop_sync(connection.id).await?;
        asked.push((connection, run));
    }
    let mut ended = Vec::new();
    for (connection, run) in asked {
        let run = match run {
            Some(run) => Some(desk.sync_ended(&config, run).await?),
            None => None,
        };
        ended.push((connection, run));
    }
    match args.common.format {
        Format::Json => {
            let connections: Vec<Value> = ended.iter().map(report).collect();
            output::json(&json!({"connections": connections}))?;
        }
        Format::Table => {
            for (connection, run) in &ended {
                let id = connection.id;
                output::line(format_args!("connection {id}: {}", in_words(run.as_ref())))?;
            }
        }
    }
    let runs = ended.iter().filter_map(|(_, run)| run.as_ref());
    if runs.into_iter().any(|run| run.ended_at.is_none()) {
        return Err(CommandError::NotWell(
            "asked to end, but still under way: it ends after what it is taking in, and nightaudit \
             status says when it has"
                .to_owned(),
        ));
    }
    Ok(())
}

fn report((connection, run): &(Connection, Option<RunRecord>)) -> Value {
    json!({
        "connection": connection.id,
        "base_url": connection.base_url.to_string(),
        "stopped": run.as_ref().is_some_and(is_stopped),
        "run": run,
    })
}

fn is_stopped(run: &RunRecord) -> bool {
    run.summary
        .as_ref()
        .is_some_and(|summary| summary.is_stopped)
}

fn in_words(run: Option<&RunRecord>) -> String {
    let Some(run) = run else {
        return "no sync is under way, so there is nothing to stop".to_owned();
    };
    match run.ended_at {
        None => format!("asked to end, and under way since {}", run.began_at),
        Some(at) if is_stopped(run) => {
            format!("stopped at {at}; what was read is in, and the next sync goes on there")
        }
        Some(at) if run.summary.is_some() => {
            format!("came to its end at {at} before it was stopped")
        }
        Some(at) => format!("was cut short at {at}; the next sync goes on there"),
    }
}
