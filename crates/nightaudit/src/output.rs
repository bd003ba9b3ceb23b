//! What people and scripts get to read: results on stdout, everything else on stderr.
//!
//! Much of it comes from outside: names of guests, what a source answers. All of it goes through here,
//! so that none of it does anything to a terminal but stand there.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use owo_colors::{OwoColorize, Stream};
use serde::Serialize;

use crate::error::CommandError;

/// Prints a line of the result.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    print(readable(&text.to_string()))
}

/// Prints a line that begins with a word in color.
pub(crate) fn colored_line(colored: impl Display, text: &str) -> io::Result<()> {
    print(format_args!("{colored}{}", readable(text)))
}

/// Prints lines that are ours alone.
pub(crate) fn print(text: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Prints a result for programs: one JSON value on one line.
pub(crate) fn json(result: &impl Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string(result).map_err(anyhow::Error::from)?;
    // They can only stand inside of texts, where JSON has another way to write them.
    let plain = written(&text, does_something, |c| {
        format!("\\u{:04x}", u32::from(c))
    });
    Ok(print(plain)?)
}

/// A text in which what would do something to a terminal is written out.
pub(crate) fn readable(text: &str) -> Cow<'_, str> {
    written(text, does_something, |c| c.escape_default().to_string())
}

/// Control characters; what breaks lines; what turns the direction of writing for what comes after it.
fn does_something(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn written(
    text: &str,
    is_meant: impl Fn(char) -> bool,
    write: impl Fn(char) -> String,
) -> Cow<'_, str> {
    if !text.contains(&is_meant) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if is_meant(c) {
            plain.push_str(&write(c));
        } else {
            plain.push(c);
        }
    }
    Cow::Owned(plain)
}

/// Prints rows of a name and a value.
pub(crate) fn table(rows: &[(&str, &str)]) -> io::Result<()> {
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled);
    for (name, value) in rows {
        table.add_row([readable(name), readable(value)]);
    }
    print(table)
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
        table.add_row(row.iter().map(|text| readable(text)));
    }
    for (place, column) in table.column_iter_mut().enumerate() {
        let mut texts = rows.iter().filter_map(|row| row.get(place));
        if texts.all(is_number) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    print(table)
}

/// Says something beside the result. When nobody can read it, it is left unsaid.
pub(crate) fn note(text: impl Display) {
    say("", &text.to_string());
}

/// Says why a command was not carried out.
pub(crate) fn error(error: &CommandError) {
    let label = "error:".if_supports_color(Stream::Stderr, |label| label.red());
    say(&format!("{label} "), &error.to_string());
}

/// Engines and systems tell of some things in several lines.
fn say(label: &str, text: &str) {
    let is_odd = |c| does_something(c) && !matches!(c, '\n' | '\t');
    let plain = written(text, is_odd, |c| c.escape_default().to_string());
    let _ = writeln!(io::stderr(), "{label}{plain}");
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn what_does_something_to_a_terminal_is_written_out() {
        for (text, shown) in [
            ("Zoë O'Néill 🙂 \\u", "Zoë O'Néill 🙂 \\u"),
            ("Lu\u{1b}[31mEvil\u{7}", "Lu\\u{1b}[31mEvil\\u{7}"),
            ("a\r\nb\tc\u{7f}", "a\\r\\nb\\tc\\u{7f}"),
            (
                "\u{9b}2J\u{2028}\u{202e}x\u{2066}",
                "\\u{9b}2J\\u{2028}\\u{202e}x\\u{2066}",
            ),
        ] {
            assert_eq!(readable(text), shown);
        }
    }
}
