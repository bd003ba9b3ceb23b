//! Who carries out a command of the books that writes: the server that runs on the data directory,
//! else this process. Commands that only read open the books themselves, whoever has them
//! ([`books_to_read`](crate::open::books_to_read)).

use books::choice::Choice;
use books::connection::Connection;
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

    /// The connection that is meant.
    pub(crate) async fn choose(
        &self,
        config: &Config,
        choice: &Choice,
    ) -> Result<ConnectionId, CommandError> {
        Ok(match self {
            Self::Server(_) => open::books_to_read(config)?.choose(choice).await?.id,
            Self::Here { books, .. } => books.choose(choice).await?.id,
        })
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

    /// Where a connection stands.
    pub(crate) async fn standing(
        &self,
        config: &Config,
        id: ConnectionId,
    ) -> Result<Standing, CommandError> {
        Ok(match self {
            Self::Server(_) => open::books_to_read(config)?.standing(id).await?,
            Self::Here { books, .. } => books.standing(id).await?,
        })
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

    /// The connections that are meant.
    pub(crate) async fn choose_all(
        &self,
        config: &Config,
        choice: &Choice,
    ) -> Result<Vec<Connection>, CommandError> {
        Ok(match self {
            Self::Server(_) => open::books_to_read(config)?.choose_all(choice).await?,
            Self::Here { books, .. } => books.choose_all(choice).await?,
        })
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
