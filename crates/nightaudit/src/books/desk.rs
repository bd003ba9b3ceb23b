//! Who carries out a command of the books that writes: the server that runs on the data directory,
//! else this process. Commands that only read open the books themselves, whoever has them
//! ([`books_to_read`](crate::open::books_to_read)).

use books::mirror::Rebuilt;
use books::standing::{ConnectOrder, Connected, Ended, PortfolioView, Standing};
use books::sync::{Progress, RunRecord, Summary};
use books::{Books, Folded, RebuildOrder, SyncOrder};
use contract::id::ConnectionId;
use serde_json::json;
use store::DataDir;
use tokio_util::sync::CancellationToken;

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
        /// Let go last, when the database is closed; none: whoever has it was left alone.
        _directory: Option<DataDir>,
    },
}

impl BooksDesk {
    /// Finds out who it is.
    pub(crate) async fn find(config: &Config) -> Result<Self, CommandError> {
        Ok(match claim(&config.data).await? {
            Claim::Server(control) => Self::Server(Server::of(control, System::Books)?),
            Claim::Ours(directory) => Self::Here {
                books: open::books(config).await?,
                _directory: Some(directory),
            },
        })
    }

    /// The same, without waiting for another command that has the data directory: for what can be
    /// written beside its work.
    pub(crate) async fn beside_others(config: &Config) -> Result<Self, CommandError> {
        Ok(match DataDir::control(&config.data) {
            Some(control) => Self::Server(Server::of(control, System::Books)?),
            None => Self::Here {
                books: open::books_that_are(config).await?,
                _directory: None,
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

    /// Brings a mirror up to date. Here, it ends early once the token is cancelled; what a server
    /// does, goes on.
    pub(crate) async fn sync(
        &self,
        order: &SyncOrder,
        stop: CancellationToken,
        told: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Summary, CommandError> {
        match self {
            Self::Server(server) => server.hear("books/sync", order, told).await,
            Self::Here { books, .. } => Ok(books.sync_until(order, stop, told).await?),
        }
    }

    /// Asks the run that is under way over a connection to end, if there is one.
    pub(crate) async fn stop_sync(
        &self,
        id: ConnectionId,
    ) -> Result<Option<RunRecord>, CommandError> {
        match self {
            Self::Server(server) => {
                let path = format!("books/connections/{id}/sync/stop");
                server.post(&path, &()).await
            }
            Self::Here { books, .. } => Ok(books.stop_sync(id).await?),
        }
    }

    /// A run that was asked to end, once it has.
    pub(crate) async fn sync_ended(
        &self,
        config: &Config,
        run: RunRecord,
    ) -> Result<RunRecord, CommandError> {
        Ok(match self {
            Self::Server(_) => open::books_to_read(config)?.sync_ended(run).await?,
            Self::Here { books, .. } => books.sync_ended(run).await?,
        })
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
