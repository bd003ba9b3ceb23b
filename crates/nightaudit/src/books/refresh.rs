//! `nightaudit refresh`: another look at the lights.

use super::{BooksDesk, lights};
use crate::cli::RefreshArgs;
use crate::config::Config;
use crate::error::CommandError;

/// Looks.
pub(crate) async fn run(args: RefreshArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let desk = BooksDesk::find(&config).await?;
    let choice = args.which.into();
    let connection = desk.to_read(&config)?.choose(&choice).await?.id;
    let standing = desk.refresh(connection).await?;
    lights::tell(&standing, args.common.format)?;
    lights::are_green([&standing])
}
