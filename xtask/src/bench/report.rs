//! The figures, for people or for programs.
#![expect(clippy::print_stdout, reason = "the figures are what the task is for")]

use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Result;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use serde_json::json;

use super::Format;
use super::backlog;
use super::ladder::Rung;
use super::load::Figures;
use super::reports;

/// One measurement of the load.
pub(super) struct Row {
    pub(super) engine: String,
    pub(super) method: String,
    pub(super) connections: usize,
    pub(super) figures: Figures,
    /// How much the databases have grown for each payment of this method.
    pub(super) bytes: u64,
}

pub(super) fn print(format: Format, rows: &[Row], rungs: &[Rung]) -> Result<()> {
    let cores = available_parallelism()?.get();
    match format {
        Format::Table => {
            println!("\nOver HTTP on loopback, the load included, on {cores} cores:\n");
            println!("{}", load_table(rows));
            if !rungs.is_empty() {
                println!("\nIn process, step by step:\n\n{}", ladder_table(rungs));
            }
        }
        Format::Json => {
            let rows: Vec<_> = rows.iter().map(as_json).collect();
            let report = json!({ "cores": cores, "load": rows, "ladder": rungs });
            println!("{report:#}");
        }
    }
    Ok(())
}

/// What was measured of the reports.
pub(super) fn print_pages(format: Format, connections: usize, rows: &[reports::Row]) -> Result<()> {
    let cores = available_parallelism()?.get();
    match format {
        Format::Table => {
            println!(
                "\nPages of 25 over HTTP on loopback at {connections} connections, the load \
                 included, on {cores} cores:\n\n{}",
                pages_table(rows)
            );
        }
        Format::Json => {
            let rows: Vec<_> = rows.iter().map(page_as_json).collect();
            let report = json!({ "cores": cores, "connections": connections, "pages": rows });
            println!("{report:#}");
        }
    }
    Ok(())
}

/// What was measured of backlogs.
pub(super) fn print_backlog(format: Format, rows: &[backlog::Row]) -> Result<()> {
    let cores = available_parallelism()?.get();
    match format {
        Format::Table => {
            println!(
                "\nPayments that fell due while no server ran, the clients included, on {cores} \
                 cores:\n\n{}\n\nWhat a client waits for its answer, and without a backlog:\n\n{}",
                backlog_table(rows),
                waits_table(rows)
            );
        }
        Format::Json => {
            let rows: Vec<_> = rows.iter().map(backlog_as_json).collect();
            let report = json!({ "cores": cores, "backlog": rows });
            println!("{report:#}");
        }
    }
    Ok(())
}

fn backlog_table(rows: &[backlog::Row]) -> Table {
    let header = [
        "engine",
        "servers",
        "payments",
        "seconds",
        "payments/s",
        "places out of turn",
    ];
    let mut table = table(&header);
    for row in rows {
        table.add_row([
            row.engine.clone(),
            row.servers.to_string(),
            row.payments.to_string(),
            seconds(row.took),
            row.per_second().to_string(),
            row.displaced.to_string(),
        ]);
    }
    numbers_to_the_right(&mut table, 1);
    table
}

fn waits_table(rows: &[backlog::Row]) -> Table {
    let header = [
        "engine",
        "request",
        "requests",
        "p50 ms",
        "p99 ms",
        "p50 without",
        "p99 without",
    ];
    let mut table = table(&header);
    for row in rows {
        let (meanwhile, afterwards) = (&row.meanwhile, &row.afterwards);
        for (request, meanwhile, afterwards) in [
            ("GET a reservation", &meanwhile.gets, &afterwards.gets),
            ("POST a payment", &meanwhile.posts, &afterwards.posts),
        ] {
            table.add_row([
                row.engine.clone(),
                request.to_owned(),
                meanwhile.len().to_string(),
                millis(meanwhile.value_at_quantile(0.5)),
                millis(meanwhile.value_at_quantile(0.99)),
                millis(afterwards.value_at_quantile(0.5)),
                millis(afterwards.value_at_quantile(0.99)),
            ]);
        }
    }
    numbers_to_the_right(&mut table, 2);
    table
}

fn pages_table(rows: &[reports::Row]) -> Table {
    let mut table = table(&[
        "engine",
        "report",
        "pages",
        "rows",
        "pages/s",
        "p50 ms",
        "p99 ms",
        "errors",
        "of the first",
    ]);
    for row in rows {
        table.add_row([
            row.engine.clone(),
            row.report.to_owned(),
            row.place.to_owned(),
            row.rows.to_string(),
            row.figures.per_second().to_string(),
            millis(row.figures.micros.value_at_quantile(0.5)),
            millis(row.figures.micros.value_at_quantile(0.99)),
            row.figures.errors.to_string(),
            format!("{} %", row.of_first),
        ]);
    }
    numbers_to_the_right(&mut table, 3);
    table
}

fn load_table(rows: &[Row]) -> Table {
    let mut table = table(&[
        "engine",
        "method",
        "connections",
        "payments/s",
        "p50 ms",
        "p99 ms",
        "errors",
        "bytes each",
    ]);
    for row in rows {
        table.add_row([
            row.engine.clone(),
            row.method.clone(),
            row.connections.to_string(),
            row.figures.per_second().to_string(),
            millis(row.figures.micros.value_at_quantile(0.5)),
            millis(row.figures.micros.value_at_quantile(0.99)),
            row.figures.errors.to_string(),
            row.bytes.to_string(),
        ]);
    }
    numbers_to_the_right(&mut table, 2);
    table
}

fn ladder_table(rungs: &[Rung]) -> Table {
    let mut table = table(&[
        "engine",
        "step",
        "at once",
        "payments/s",
        "rows each",
        "bytes each",
    ]);
    for rung in rungs {
        table.add_row([
            rung.engine.clone(),
            rung.step.clone(),
            rung.connections.to_string(),
            rung.per_second.to_string(),
            rung.rows.to_string(),
            rung.bytes.to_string(),
        ]);
    }
    numbers_to_the_right(&mut table, 2);
    table
}

pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header);
    table
}

pub(super) fn numbers_to_the_right(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

pub(super) fn seconds(took: Duration) -> String {
    format!("{}.{}", took.as_secs(), took.subsec_millis() / 100)
}

fn millis(micros: u64) -> String {
    format!("{}.{}", micros / 1000, micros % 1000 / 100)
}

fn as_json(row: &Row) -> serde_json::Value {
    json!({
        "engine": row.engine,
        "method": row.method,
        "connections": row.connections,
        "payments": row.figures.answered(),
        "perSecond": row.figures.per_second(),
        "p50Micros": row.figures.micros.value_at_quantile(0.5),
        "p99Micros": row.figures.micros.value_at_quantile(0.99),
        "errors": row.figures.errors,
        "bytesEach": row.bytes,
    })
}

fn page_as_json(row: &reports::Row) -> serde_json::Value {
    json!({
        "engine": row.engine,
        "report": row.report,
        "place": row.place,
        "rows": row.rows,
        "pages": row.figures.answered(),
        "perSecond": row.figures.per_second(),
        "p50Micros": row.figures.micros.value_at_quantile(0.5),
        "p99Micros": row.figures.micros.value_at_quantile(0.99),
        "errors": row.figures.errors,
        "percentOfFirst": row.of_first,
    })
}

fn backlog_as_json(row: &backlog::Row) -> serde_json::Value {
    let waits = |waits: &backlog::Waits| {
        let micros = |waits: &hdrhistogram::Histogram<u64>| {
            json!({
                "requests": waits.len(),
                "p50Micros": waits.value_at_quantile(0.5),
                "p99Micros": waits.value_at_quantile(0.99),
            })
        };
        json!({ "get": micros(&waits.gets), "post": micros(&waits.posts) })
    };
    json!({
        "engine": row.engine,
        "servers": row.servers,
        "payments": row.payments,
        "millis": u64::try_from(row.took.as_millis()).unwrap_or(u64::MAX),
        "perSecond": row.per_second(),
        "placesOutOfTurn": row.displaced,
        "meanwhile": waits(&row.meanwhile),
        "afterwards": waits(&row.afterwards),
    })
}
