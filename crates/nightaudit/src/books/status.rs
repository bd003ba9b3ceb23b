//! `nightaudit status`: where connections stand. It asks nobody and changes nothing.

use super::lights;
use crate::cli::{Format, StatusArgs};
use crate::config::Config;
use crate::error::CommandError;
use crate::{open, output};

/// Shows it.
pub(crate) async fn run(args: StatusArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let books = open::books_to_read(&config)?;
    if !args.all {
        let connection = books.choose(&args.which.into()).await?;
        let standing = books.standing(connection.id).await?;
        lights::tell(&standing, args.common.format)?;
        return lights::are_green([&standing]);
    }
    let all = books.standings().await?;
    match args.common.format {
        Format::Json => output::json(&all)?,
        Format::Table if all.is_empty() => {
            output::note("There is no connection yet: nightaudit connect makes one.");
        }
        Format::Table => {
            for standing in &all {
                lights::tell(standing, args.common.format)?;
            }
        }
    }
    // What is disconnected is meant to be.
    lights::are_green(all.iter().filter(|standing| standing.connected))
}
