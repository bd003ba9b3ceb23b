//! Connecting, and where a connection stands: the same for people whether their command opened the
//! books itself or asks the server that has them.

use contract::Timestamp;
use contract::id::{ConnectionId, PortfolioId};
use guesty::{BaseUrl, Credentials, InvalidBaseUrl, Secret};
use serde::{Deserialize, Serialize};

use crate::choice::ChoiceError;
use crate::connection::{Connection, Light, Lights};
use crate::portfolio::Portfolio;
use crate::{Books, Error};

/// The portfolio that is made where there is none and no name was given.
const FIRST_PORTFOLIO: &str = "main";

/// Credentials to save.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectOrder {
    /// The name of the portfolio; without one, the only one, or a first one that is made.
    pub portfolio: Option<String>,
    /// Where the API is; without it, the real one.
    pub base_url: Option<String>,
    /// Whether the secret may be sent to other machines over plain HTTP.
    pub trust_network: bool,
    /// Which application of the account asks.
    pub client_id: String,
    /// Its secret.
    #[serde(with = "revealed")]
    pub client_secret: Secret,
}

impl ConnectOrder {
    /// Where the API is.
    pub fn address(&self) -> Result<BaseUrl, InvalidBaseUrl> {
        match &self.base_url {
            None => Ok(BaseUrl::default()),
            Some(text) if self.trust_network => BaseUrl::on_trusted_network(text),
            Some(text) => text.parse(),
        }
    }
}

/// Where a connection stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether it works.
    pub lights: LightsView,
    /// Which connection.
    pub connection: ConnectionId,
    /// The name of its portfolio.
    pub portfolio: String,
    /// Where the API is.
    pub base_url: String,
    /// Which application of the account asks.
    pub client_id: String,
    /// Whether it has credentials.
    pub connected: bool,
}

/// The lights, as they are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LightsView {
    /// Whether the account can be read.
    pub admin: LightView,
    /// Whether there is a token.
    pub oauth: LightView,
}

/// A light, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LightView {
    /// Whether it is green.
    pub ok: bool,
    /// What is well, or what failed and what to do.
    pub message: String,
}

/// A portfolio with its connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioView {
    /// Its id.
    pub id: PortfolioId,
    /// What people call it.
    pub name: String,
    /// Since when there is one.
    pub made_at: Timestamp,
    /// Its connections.
    pub connections: Vec<ConnectionId>,
}

impl Books {
    /// Saves credentials, and looks at once whether they work.
    pub async fn order_connect(&self, order: ConnectOrder) -> Result<Standing, Error> {
        let address = order.address()?;
        let credentials = Credentials::new(&order.client_id, order.client_secret.reveal());
        let portfolio = self
            .portfolio_to_connect(order.portfolio.as_deref())
            .await?;
        let connection = self.connect(portfolio.id, &address, &credentials).await?;
        let lights = self.refresh(connection.id).await?;
        Ok(standing(connection, portfolio, lights))
    }

    /// The portfolio that is meant; a first one, where there is none.
    async fn portfolio_to_connect(&self, name: Option<&str>) -> Result<Portfolio, Error> {
        match self.choose_portfolio(name).await {
            Err(Error::Choice(ChoiceError::NoPortfolios)) => {
                self.add_portfolio(name.unwrap_or(FIRST_PORTFOLIO)).await
            }
            found => found,
        }
    }

    /// Makes a portfolio.
    pub async fn order_portfolio(&self, name: &str) -> Result<PortfolioView, Error> {
        let made = self.add_portfolio(name).await?;
        Ok(view(made, &[]))
    }

    /// All portfolios with their connections, by name.
    pub async fn portfolio_views(&self) -> Result<Vec<PortfolioView>, Error> {
        let mut views = Vec::new();
        for portfolio in self.portfolios().await? {
            let connections = self.connections(portfolio.id).await?;
            views.push(view(portfolio, &connections));
        }
        Ok(views)
    }
}

fn standing(connection: Connection, portfolio: Portfolio, lights: Lights) -> Standing {
    Standing {
        lights: LightsView {
            admin: lights.admin.into(),
            oauth: lights.oauth.into(),
        },
        connection: connection.id,
        portfolio: portfolio.name,
        base_url: connection.base_url.to_string(),
        client_id: connection.client_id,
        connected: connection.is_connected,
    }
}

fn view(portfolio: Portfolio, connections: &[Connection]) -> PortfolioView {
    PortfolioView {
        id: portfolio.id,
        name: portfolio.name,
        made_at: portfolio.made_at,
        connections: connections.iter().map(|one| one.id).collect(),
    }
}

impl From<Light> for LightView {
    fn from(light: Light) -> Self {
        Self {
            ok: light.is_green,
            message: light.message,
        }
    }
}

/// On its way between two processes of one machine, a secret is a text.
mod revealed {
    use guesty::Secret;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        secret: &Secret,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}
