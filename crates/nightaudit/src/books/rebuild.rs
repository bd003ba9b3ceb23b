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
    let config = Config::of(args.common.place)?;
    let desk = BooksDesk::find(&config).await?;
    let choice = args.which.into();
    let connections = desk.to_read(&config)?.choose_all(&choice).await?;
    let mut results = Vec::new();
    for connection in connections {
        let order = RebuildOrder {
            connection: connection.id,
        };
        let meter = Meter::new()?;
        let what = format!("records of {}", connection.id);
        let told = |at: Folded| meter.show(&what, at.done, Some(at.total));
        let result = match desk.rebuild(order, &told).await {
            Ok(rebuilt) => Ok(rebuilt),
            // The others' mirrors are rebuilt all the same.
            Err(CommandError::Broken(why)) => Err(why),
            Err(error) => return Err(error),
        };
        results.push((connection, result));
    }
    match args.common.format {
        Format::Json => output::json(&report(&results))?,
        Format::Table => results.iter().try_for_each(tell)?,
    }
    let broken = results.iter().filter(|(_, result)| result.is_err()).count();
    let (of, others) = (results.len(), results.len() - broken - equal(&results));
    match (broken, others) {
        (0, 0) => Ok(()),
        (0, _) => Err(CommandError::Broken(format!(
            "{others} of {of} mirrors were other than their evidence says; the rebuilt ones are in place"
        ))),
        _ => Err(CommandError::Broken(format!(
            "the evidence of {broken} of {of} connections is not as it was appended: there the old \
             mirror is kept{}",
            match others {
                0 => String::new(),
                _ => format!(
                    "; {others} other mirrors were other than their evidence says, and the rebuilt ones \
                     are in place"
                ),
            }
        ))),
    }
}

/// What became of a mirror; or why nothing is made from its evidence.
type Outcome = Result<Rebuilt, String>;

fn equal(results: &[(Connection, Outcome)]) -> usize {
    results
        .iter()
        .filter(|(_, result)| is_equal(result))
        .count()
}

fn is_equal(result: &Outcome) -> bool {
    result.as_ref().is_ok_and(Rebuilt::is_equal)
}

fn report(results: &[(Connection, Outcome)]) -> Value {
    let connections = results.iter().map(|(connection, result)| match result {
        Ok(rebuilt) => json!({
            "connection": connection.id,
            "equal": rebuilt.is_equal(),
            "records": rebuilt.records,
            "before": rebuilt.before,
            "after": rebuilt.after,
            "differences": rebuilt.differences,
        }),
        Err(why) => json!({"connection": connection.id, "equal": false, "broken": why}),
    });
    let is_equal = equal(results) == results.len();
    json!({"equal": is_equal, "connections": connections.collect::<Vec<_>>()})
}

fn tell((connection, result): &(Connection, Outcome)) -> Result<(), CommandError> {
    let address = connection.base_url.to_string();
    let rebuilt = match result {
        Ok(rebuilt) => rebuilt,
        Err(why) => {
            return Ok(output::table(&[
                ("connection", connection.id.as_str()),
                ("address", &address),
                ("broken", why),
            ])?);
        }
    };
    let mirror = match &rebuilt.before {
        None => "folded; there was none before".to_owned(),
        Some(_) if rebuilt.is_equal() => "equal to the one before, byte for byte".to_owned(),
        Some(_) => "other than the one before".to_owned(),
    };
    output::table(&[
        ("connection", connection.id.as_str()),
        ("address", &address),
        ("records", &rebuilt.records.to_string()),
        ("mirror", &mirror),
        ("fingerprint", &rebuilt.after),
    ])?;
    Ok(rebuilt.differences.iter().try_for_each(output::line)?)
}
