//! Which connection somebody means who did not name all of it.

use contract::id::ConnectionId;
use serde::{Deserialize, Serialize};

use crate::connection::Connection;
use crate::portfolio::Portfolio;
use crate::{Books, Error};

/// What was said of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The name of its portfolio; without one, the only one is meant.
    pub portfolio: Option<String>,
    /// Its id; without one, the only one of the portfolio is meant, or the only one that is
    /// connected.
    pub connection: Option<ConnectionId>,
}

/// A choice that fits none, or more than one.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// Nothing is there yet.
    #[error("the books have no portfolio yet: nightaudit connect makes one")]
    NoPortfolios,
    /// A name that no portfolio has.
    #[error("there is no portfolio called \"{name}\": there are {known}")]
    UnknownPortfolio {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// No name, and several portfolios.
    #[error("say which portfolio (--portfolio NAME): there are {known}")]
    WhichPortfolio {
        /// The names that there are.
        known: String,
    },
    /// A portfolio without a connection.
    #[error("portfolio \"{0}\" has no connection yet: nightaudit connect makes one")]
    NoConnections(String),
    /// A connection of another portfolio.
    #[error("connection {id} does not belong to portfolio \"{portfolio}\"")]
    Elsewhere {
        /// The connection.
        id: ConnectionId,
        /// The portfolio.
        portfolio: String,
    },
    /// No id, and several connections.
    #[error("say which connection (--connection ID): portfolio \"{portfolio}\" has{known}")]
    WhichConnection {
        /// The portfolio.
        portfolio: String,
        /// The connections that there are, a line for each.
        known: String,
    },
}

impl Books {
    /// The connection that is meant.
    pub async fn choose(&self, choice: &Choice) -> Result<Connection, Error> {
        if let (None, Some(id)) = (&choice.portfolio, choice.connection) {
            return self.connection(id).await;
        }
        let portfolio = self.choose_portfolio(choice.portfolio.as_deref()).await?;
        let all = self.connections(portfolio.id).await?;
        let found = match choice.connection {
            Some(id) => named(all, id, portfolio.name),
            None => only(&all, portfolio.name),
        };
        Ok(found?)
    }

    /// All connections that are meant: the one, or without an id those of the portfolio.
    pub async fn choose_all(&self, choice: &Choice) -> Result<Vec<Connection>, Error> {
        if choice.connection.is_some() {
            return Ok(vec![self.choose(choice).await?]);
        }
        let portfolio = self.choose_portfolio(choice.portfolio.as_deref()).await?;
        let all = self.connections(portfolio.id).await?;
        if all.is_empty() {
            return Err(ChoiceError::NoConnections(portfolio.name).into());
        }
        Ok(all)
    }

    /// The same without those that are disconnected, unless all are.
    pub async fn choose_in_use(&self, choice: &Choice) -> Result<Vec<Connection>, Error> {
        let all = self.choose_all(choice).await?;
        Ok(in_use(&all).into_iter().cloned().collect())
    }

    /// The portfolio of this name; without one, the only one.
    pub async fn choose_portfolio(&self, name: Option<&str>) -> Result<Portfolio, Error> {
        let mut all = self.portfolios().await?;
        let at = match name.map(str::trim) {
            Some(name) => all.iter().position(|portfolio| portfolio.name == name),
            None if all.len() == 1 => Some(0),
            None => None,
        };
        if let Some(at) = at {
            return Ok(all.swap_remove(at));
        }
        let known: Vec<_> = all.iter().map(|one| format!("\"{}\"", one.name)).collect();
        let known = known.join(", ");
        Err(match name {
            _ if all.is_empty() => ChoiceError::NoPortfolios,
            Some(name) => ChoiceError::UnknownPortfolio {
                name: name.to_owned(),
                known,
            },
            None => ChoiceError::WhichPortfolio { known },
        }
        .into())
    }
}

fn named(
    all: Vec<Connection>,
    id: ConnectionId,
    portfolio: String,
) -> Result<Connection, ChoiceError> {
    let mut named = all.into_iter().filter(|connection| connection.id == id);
    named.next().ok_or(ChoiceError::Elsewhere { id, portfolio })
}

/// Those that are connected: what is disconnected stands in nobody's way. Where there is nothing else,
/// it is meant.
fn in_use(all: &[Connection]) -> Vec<&Connection> {
    let connected = all.iter().filter(|connection| connection.is_connected);
    let connected: Vec<_> = connected.collect();
    if connected.is_empty() {
        all.iter().collect()
    } else {
        connected
    }
}

fn only(all: &[Connection], portfolio: String) -> Result<Connection, ChoiceError> {
    match in_use(all).as_slice() {
        [] => Err(ChoiceError::NoConnections(portfolio)),
        [only] => Ok((*only).clone()),
        _ => Err(ChoiceError::WhichConnection {
            portfolio,
            known: all.iter().map(line).collect(),
        }),
    }
}

fn line(connection: &Connection) -> String {
    let state = if connection.is_connected {
        ""
    } else {
        " (disconnected)"
    };
    let (id, client_id, base_url) = (connection.id, &connection.client_id, &connection.base_url);
    format!("\n  {id}  {client_id} at {base_url}{state}")
}
