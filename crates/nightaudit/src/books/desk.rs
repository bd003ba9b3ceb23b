//! Who carries out a command of the books that writes: the server that runs on the data directory,
//! else this process. Commands that only read open the books themselves, whoever has them
//! ([`books_to_read`](crate::open::books_to_read)).

use books::mirror::Rebuilt;
use books::standing::{ConnectOrder, Connected, Ended, PortfolioView, Standing};
use books::sync::{Progress, Summary};
use books::{Books, Folded, RebuildOrder, SyncOrder};
use contract::id::ConnectionId;
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
                books: open::books(config).await?,
                _directory: directory,
            },
        })
    }

    /// Saves credentials, and looks whether they work.
    pub(crate) async fn connect(&self, order: ConnectOrder) -> Result<Connected, CommandError> {
        match self {
            Self::Server(server) => server.post("books/connect", &order).await,
            Self::Here { books, .. } => Ok(books.order_connect(order).await?),
        }
    }

    /// The books, to read what does not need the server.
    pub(crate) fn to_read(&self, config: &Config) -> Result<Books, CommandError> {
        match self {
            Self::Server(_) => open::books_to_read(config),
            Self::Here { books, .. } => Ok(books.clone()),
        }
    }

    /// Looks whether a connection works.
    pub(crate) async fn refresh(&self, id: ConnectionId) -> Result<Standing, CommandError> {
        match self {
            Self::Server(server) => {
                let path = format!("books/connections/{id}/refresh");
                server.post(&path, &()).await
            }
            Self::Here { books, .. } => Ok(books.order_refresh(id).await?),
        }
    }

    /// Disconnects.
    pub(crate) async fn disconnect(&self, id: ConnectionId) -> Result<Ended, CommandError> {
        match self {
            Self::Server(server) => {
                let path = format!("books/connections/{id}/disconnect");
                server.post(&path, &()).await
            }
            Self::Here { books, .. } => Ok(books.order_disconnect(id).await?),
        }
    }

    /// Brings a mirror up to date.
    pub(crate) async fn sync(
        &self,
        order: &SyncOrder,
        told: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Summary, CommandError> {
        match self {
            Self::Server(server) => server.hear("books/sync", order, told).await,
            Self::Here { books, .. } => Ok(books.sync(order, told).await?),
        }
    }

    /// Folds the evidence into a new mirror.
    pub(crate) async fn rebuild(
        &self,
        order: RebuildOrder,
        told: &(dyn Fn(Folded) + Send + Sync),
    ) -> Result<Rebuilt, CommandError> {
        match self {
            Self::Server(server) => server.hear("books/rebuild", &order, told).await,
            Self::Here { books, .. } => Ok(books.rebuild(order, told).await?),
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
