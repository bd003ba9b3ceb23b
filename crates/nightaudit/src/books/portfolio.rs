//! `nightaudit portfolio`: sets of books.

use std::io;

use books::standing::PortfolioView;

use super::BooksDesk;
use crate::cli::{Format, PortfolioAddArgs, PortfolioListArgs};
use crate::config::Config;
use crate::error::CommandError;
use crate::{open, output};

/// Lists them.
pub(crate) async fn list(args: PortfolioListArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let portfolios = open::books_to_read(&config)?.portfolio_views().await?;
    match args.common.format {
        Format::Json => output::json(&portfolios),
        Format::Table if portfolios.is_empty() => {
            output::note("There is no portfolio yet: nightaudit connect makes one.");
            Ok(())
        }
        Format::Table => Ok(portfolios.iter().try_for_each(tell)?),
    }
}

fn tell(portfolio: &PortfolioView) -> io::Result<()> {
    output::line(format_args!("{}  {}", portfolio.id, portfolio.name))?;
    let mut connections = portfolio.connections.iter();
    connections.try_for_each(|id| output::line(format_args!("  connection {id}")))
}

/// Makes one.
pub(crate) async fn add(args: PortfolioAddArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let desk = BooksDesk::find(&config).await?;
    let made = desk.add_portfolio(&args.name).await?;
    match args.common.format {
        Format::Json => output::json(&made),
        Format::Table => Ok(output::table(&[
            ("portfolio", made.id.as_str()),
            ("name", &made.name),
        ])?),
    }
}
