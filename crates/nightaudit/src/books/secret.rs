//! A secret from stdin, where no list of processes and no history of a shell has it.

use std::io::{self, IsTerminal, Read};

use console::Term;
use guesty::Secret;
use zeroize::Zeroizing;

use crate::error::CommandError;

/// More than any secret has.
const BYTES_MAX: u64 = 8 * 1024;

/// Reads all of stdin; on a terminal, asks for a line, which is not shown.
pub(crate) fn read(what: &str) -> Result<Secret, CommandError> {
    let stdin = io::stdin();
    let text = if stdin.is_terminal() {
        let term = Term::stderr();
        term.write_str(&format!("{what}: "))?;
        let line = term.read_secure_line()?;
        Zeroizing::new(line)
    } else {
        let mut text = Zeroizing::new(String::new());
        let mut input = stdin.lock().take(BYTES_MAX);
        input
            .read_to_string(&mut text)
            .map_err(|error| CommandError::usage(format!("the {what} on stdin: {error}")))?;
        text
    };
    match text.trim() {
        "" => Err(CommandError::usage(format!(
            "there was no {what} on stdin: give it there, as in … < FILE"
        ))),
        secret => Ok(Secret::new(secret)),
    }
}
