//! `nightaudit disconnect`: the way to the account is removed, what is known of it stays.

use std::io::{self, IsTerminal};

use console::Term;
use contract::id::ConnectionId;

use super::BooksDesk;
use crate::cli::{DisconnectArgs, Format};
use crate::config::Config;
use crate::error::CommandError;
use crate::output;

/// Disconnects.
pub(crate) async fn run(args: DisconnectArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let desk = BooksDesk::find(&config).await?;
    let choice = args.which.into();
    let connection = desk.to_read(&config)?.choose(&choice).await?.id;
    if !args.yes {
        is_meant(connection)?;
    }
    let ended = desk.disconnect(connection).await?;
    let removed = match ended.left {
        None => "its client secret, its token and its webhook",
        Some(_) => "its client secret and its token here; not its webhook at the source",
    };
    match args.common.format {
        Format::Json => output::json(&ended)?,
        Format::Table => {
            output::line(format_args!(
                "connection {connection} ({} at {}) is disconnected",
                ended.standing.client_id, ended.standing.base_url
            ))?;
            output::line(format_args!("removed: {removed}"))?;
            output::line(
                "kept: its evidence and its mirror; connecting the same account again goes on with them",
            )?;
        }
    }
    match ended.left {
        None => Ok(()),
        Some(left) => Err(CommandError::NotWell(left)),
    }
}

fn is_meant(connection: ConnectionId) -> Result<(), CommandError> {
    if !io::stdin().is_terminal() {
        return Err(CommandError::usage(
            "disconnecting removes the credentials: say --yes if that is meant",
        ));
    }
    let term = Term::stderr();
    term.write_str(&format!(
        "Remove the credentials and the webhook of connection {connection}? [y/N] "
    ))?;
    match term.read_line()?.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(CommandError::refused("nothing was changed")),
    }
}
