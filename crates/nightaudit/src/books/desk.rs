//! Who carries out a command of the books that writes: the server that runs on the data directory,
//! else this process. Commands that only read open the books themselves, whoever has them
//! ([`books_to_read`](crate::open::books_to_read)).

use books::Books;
use books::standing::{ConnectOrder, PortfolioView, Standing};
use serde_json::json;
use store::DataDir;

use crate::cli::System;
use crate::config::Config;
use crate::desk::Server;
use crate::error::CommandError;
use crate::open::{self, Claim, claim};

/// Who carries out commands.
pub(crate) enum BooksDesk {
    /// The running server.
    Server(Server),
    /// We do.
    Here {
        books: Books,
        /// Let go last, when the database is closed.
        _directory: DataDir,
    },
}

impl BooksDesk {
    /// Finds out who it is.
    pub(crate) async fn find(config: &Config) -> Result<Self, CommandError> {
        Ok(match claim(&config.data).await? {
            Claim::Server(control) => Self::Server(Server::of(control, System::Books)?),
            Claim::Ours(directory) => Self::Here {
                books: open::books(config)?,
                _directory: directory,
            },
        })
    }

    /// Saves credentials, and looks whether they work.
    pub(crate) async fn connect(&self, order: ConnectOrder) -> Result<Standing, CommandError> {
        match self {
            Self::Server(server) => server.post("books/connect", &order).await,
            Self::Here { books, .. } => Ok(books.order_connect(order).await?),
        }
    }

    /// Makes a portfolio.
    pub(crate) async fn add_portfolio(&self, name: &str) -> Result<PortfolioView, CommandError> {
        match self {
            Self::Server(server) => {
                let order = json!({"name": name});
                server.post("books/portfolios", &order).await
            }
            Self::Here { books, .. } => Ok(books.order_portfolio(name).await?),
        }
    }
}
