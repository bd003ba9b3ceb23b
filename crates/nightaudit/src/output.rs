//! What people and scripts get to read: results on stdout, everything else on stderr.

use std::io::{self, Write};

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use owo_colors::{OwoColorize, Stream};
use serde::Serialize;

use crate::error::CommandError;

/// Prints a line of the result.
pub(crate) fn line(text: impl std::fmt::Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints a result for programs: one JSON value on one line.
pub(crate) fn json(result: &impl Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string(result).map_err(anyhow::Error::from)?;
    Ok(line(text)?)
}

/// Prints rows of a name and a value.
pub(crate) fn table(rows: &[(&str, &str)]) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled);
    for (name, value) in rows {
        table.add_row([name, value]);
    }
    line(table)
}

/// Prints rows below a head. Columns of numbers stand to the right.
pub(crate) fn grid(head: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let is_number = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(head);
    for row in rows {
        table.add_row(row);
    }
    for (place, column) in table.column_iter_mut().enumerate() {
        let mut texts = rows.iter().filter_map(|row| row.get(place));
        if texts.all(is_number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    line(table)
}

/// Says something beside the result. When nobody can read it, it is left unsaid.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says why a command was not carried out.
pub(crate) fn error(error: &CommandError) {
    let label = "error:".if_supports_color(Stream::Stderr, |label| label.red());
    note(format_args!("{label} {error}"));
}
