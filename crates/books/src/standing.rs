//! Connecting, and where a connection stands: the same for people whether their command opened the
//! books itself or asks the server that has them.

use contract::Timestamp;
use contract::id::{AccountId, ConnectionId, PortfolioId};
use guesty::{BaseUrl, Credentials, InvalidBaseUrl, Secret};
use serde::{Deserialize, Serialize};

use crate::choice::ChoiceError;
use crate::connection::{Connection, InvalidWebhookBase, Light, Lights, WebhookBase};
use crate::inbox::InboxState;
use crate::mirror::{FlaggedCounts, count_flagged};
use crate::portfolio::Portfolio;
use crate::sync::RunRecord;
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
    /// Under which address the source reaches us.
    pub webhook_base: WebhookBaseOrder,
}

/// Under which address the source is to reach us.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookBaseOrder {
    /// As it was; of a new connection, the server's own.
    #[default]
    AsItWas,
    /// The server's own, whichever that is.
    OfServer,
    /// This one.
    At(String),
}

impl WebhookBaseOrder {
    /// The address, if one is given.
    pub fn address(&self) -> Result<Option<WebhookBase>, InvalidWebhookBase> {
        match self {
            Self::AsItWas | Self::OfServer => Ok(None),
            Self::At(text) => text.parse().map(Some),
        }
    }
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
    /// Whether it worked when somebody last looked.
    pub lights: Lights,
    /// The last run of reading over it.
    pub last_sync: Option<RunRecord>,
    /// What webhooks told of and was not read yet, or cannot be.
    pub inbox: InboxState,
    /// How much of each kind the books do not understand.
    pub flagged: FlaggedCounts,
    /// When somebody last looked.
    pub checked_at: Option<Timestamp>,
    /// Which connection.
    pub connection: ConnectionId,
    /// The name of its portfolio.
    pub portfolio: String,
    /// Where the API is.
    pub base_url: String,
    /// Which application of the account asks.
    pub client_id: String,
    /// Which account that is, once the source has told.
    pub account: Option<AccountId>,
    /// Whether it has credentials.
    pub connected: bool,
    /// Where the source sends what has changed, if it was told to.
    pub webhook_url: Option<String>,
}

/// What became of credentials that were to be saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connected {
    /// Where their connection stands now.
    #[serde(flatten)]
    pub standing: Standing,
    /// Which other connections were taken away, since they never worked.
    pub removed: Vec<String>,
}

/// What became of a connection that was to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Where it stands now.
    #[serde(flatten)]
    pub standing: Standing,
    /// What may be left of it at the source, and what to do about that.
    pub left: Option<String>,
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
    /// Saves credentials, and looks at once whether they work. If they do, connections at the same
    /// address that never did are taken away.
    pub async fn order_connect(&self, order: ConnectOrder) -> Result<Connected, Error> {
        let address = order.address()?;
        let webhook_base = order.webhook_base.address()?;
        let credentials = Credentials::new(&order.client_id, order.client_secret.reveal());
        let portfolio = self
            .portfolio_to_connect(order.portfolio.as_deref())
            .await?;
        let connection = self.connect(portfolio.id, &address, &credentials).await?;
        if order.webhook_base != WebhookBaseOrder::AsItWas {
            self.set_webhook_base(connection.id, webhook_base.as_ref())
                .await?;
        }
        let standing = self.order_refresh(connection.id).await?;
        let removed = if standing.lights.oauth.is_green && standing.account.is_some() {
            self.remove_refused(connection.id).await?
        } else {
            Vec::new()
        };
        let removed = removed.iter().map(|Connection { id, client_id, .. }| {
            format!(
                "removed the credentials of connection {id} (client id {client_id}), which never \
                 worked and are refused by the source"
            )
        });
        Ok(Connected {
            standing,
            removed: removed.collect(),
        })
    }

    /// Looks whether a connection works.
    pub async fn order_refresh(&self, id: ConnectionId) -> Result<Standing, Error> {
        self.refresh(id).await?;
        self.standing(id).await
    }

    /// Looks at the connections whose webhooks do not lead to this server's address, as after a start
    /// under another one.
    pub async fn look_where_moved(&self) -> Result<(), Error> {
        for id in self.led_elsewhere().await? {
            match self.refresh(id).await {
                Ok(lights) if lights.webhook.is_green => {
                    tracing::info!(connection = %id, "the webhook leads here now");
                }
                Ok(Lights { webhook: red, .. }) => {
                    tracing::warn!(connection = %id, "{}", red.message);
                }
                Err(error) => tracing::warn!(connection = %id, %error, "could not be looked at"),
            }
        }
        Ok(())
    }

    /// Connections whose webhooks should lead to this server and do not.
    async fn led_elsewhere(&self) -> Result<Vec<ConnectionId>, Error> {
        let mut elsewhere = Vec::new();
        let Some(base) = self.public_url() else {
            return Ok(elsewhere);
        };
        for portfolio in self.portfolios().await? {
            let ours = self.connections(portfolio.id).await?.into_iter();
            let ours = ours.filter(|one| one.is_connected && one.webhook_base.is_none());
            for Connection { id, .. } in ours {
                let webhook = self.status(id).await?.webhook;
                if webhook.is_none_or(|webhook| webhook.url != base.url_of(id)) {
                    elsewhere.push(id);
                }
            }
        }
        Ok(elsewhere)
    }

    /// Disconnects.
    pub async fn order_disconnect(&self, id: ConnectionId) -> Result<Ended, Error> {
        let left = self.disconnect(id).await?.left;
        Ok(Ended {
            standing: self.standing(id).await?,
            left: left.map(|left| left.to_string()),
        })
    }

    /// Where a connection stands, as far as the books know without asking anybody.
    pub async fn standing(&self, id: ConnectionId) -> Result<Standing, Error> {
        let status = self.status(id).await?;
        let connection = status.connection;
        let portfolios = self.portfolios().await?;
        let portfolio = portfolios
            .into_iter()
            .find(|portfolio| portfolio.id == connection.portfolio)
            .ok_or(Error::NoPortfolio(connection.portfolio))?;
        Ok(Standing {
            lights: status.lights.unwrap_or_else(not_looked_at),
            last_sync: status.last_sync,
            inbox: self.inbox_state(id).await?,
            flagged: self.store().read(move |c| count_flagged(c, id)).await?,
            checked_at: status.looked_at,
            connection: connection.id,
            portfolio: portfolio.name,
            base_url: connection.base_url.to_string(),
            client_id: connection.client_id,
            account: connection.account,
            connected: connection.is_connected,
            webhook_url: status.webhook.map(|webhook| webhook.url),
        })
    }

    /// Where all connections of all portfolios stand.
    pub async fn standings(&self) -> Result<Vec<Standing>, Error> {
        let mut all = Vec::new();
        for portfolio in self.portfolios().await? {
            for connection in self.connections(portfolio.id).await? {
                all.push(self.standing(connection.id).await?);
            }
        }
        Ok(all)
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

fn not_looked_at() -> Lights {
    let light = Light {
        is_green: false,
        message: "nobody has looked yet: refresh".to_owned(),
    };
    Lights {
        admin: light.clone(),
        oauth: light.clone(),
        webhook: light,
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
