//! `nightaudit rebuild`: the evidence folded into a new mirror, and compared with the old one.

use books::connection::Connection;
use books::mirror::Rebuilt;
use books::{Folded, RebuildOrder};
use serde_json::{Value, json};

use super::{BooksDesk, Meter};
use crate::cli::{Format, RebuildArgs};
use crate::config::Config;
use crate::error::CommandError;
use crate::output;

/// Rebuilds the mirrors that are meant.
pub(crate) async fn run(args: RebuildArgs) -> Result<(), CommandError> {
    let config = Config::of(args.place)?;
    let desk = BooksDesk::find(&config).await?;
    let mut rebuilt = Vec::new();
    for connection in desk.choose_all(&config, &args.which.into()).await? {
        let order = RebuildOrder {
            connection: connection.id,
        };
        let meter = Meter::new()?;
        let what = format!("records of {}", connection.id);
        let told = |at: Folded| meter.show(&what, at.done, Some(at.total));
        rebuilt.push((connection, desk.rebuild(order, &told).await?));
    }
    match args.format {
        Format::Json => output::json(&report(&rebuilt))?,
        Format::Table => rebuilt.iter().try_for_each(tell)?,
    }
    let others = rebuilt.iter().filter(|(_, rebuilt)| !rebuilt.is_equal());
    match others.count() {
        0 => Ok(()),
        count => Err(CommandError::Broken(format!(
            "{count} of {} mirrors were other than their evidence says; the rebuilt ones are in place",
            rebuilt.len()
        ))),
    }
}

fn report(rebuilt: &[(Connection, Rebuilt)]) -> Value {
    let connections = rebuilt.iter().map(|(connection, rebuilt)| {
        json!({
            "connection": connection.id,
            "equal": rebuilt.is_equal(),
            "records": rebuilt.records,
            "before": rebuilt.before,
            "after": rebuilt.after,
            "differences": rebuilt.differences,
        })
    });
    let is_equal = rebuilt.iter().all(|(_, rebuilt)| rebuilt.is_equal());
    json!({"equal": is_equal, "connections": connections.collect::<Vec<_>>()})
}

fn tell((connection, rebuilt): &(Connection, Rebuilt)) -> Result<(), CommandError> {
    let mirror = match &rebuilt.before {
        None => "folded; there was none before".to_owned(),
        Some(_) if rebuilt.is_equal() => "equal to the one before, byte for byte".to_owned(),
        Some(_) => "other than the one before".to_owned(),
    };
    output::table(&[
        ("connection", connection.id.as_str()),
        ("address", &connection.base_url.to_string()),
        ("records", &rebuilt.records.to_string()),
        ("mirror", &mirror),
        ("fingerprint", &rebuilt.after),
    ])?;
    Ok(rebuilt.differences.iter().try_for_each(output::line)?)
}
