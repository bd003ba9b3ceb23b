//! `nightaudit connect`: credentials saved, and looked at at once.

use books::standing::{ConnectOrder, WebhookBaseOrder};
use guesty::Secret;

use super::{BooksDesk, lights, secret};
use crate::cli::ConnectArgs;
use crate::config::Config;
use crate::error::CommandError;

/// Connects.
pub(crate) async fn run(args: ConnectArgs) -> Result<(), CommandError> {
    let config = Config::of(args.place)?;
    let mut order = ConnectOrder {
        portfolio: args.portfolio,
        base_url: args.base_url,
        trust_network: args.trust_network,
        client_id: args.client_id,
        client_secret: Secret::new(""),
        webhook_base: match args.webhook_url.as_deref() {
            None => WebhookBaseOrder::AsItWas,
            Some("server") => WebhookBaseOrder::OfServer,
            Some(base) => WebhookBaseOrder::At(base.to_owned()),
        },
    };
    // What makes no sense is said before the secret is asked for.
    let address = order.address();
    address.map_err(|error| CommandError::usage(format!("--base-url: {error}")))?;
    let base = order.webhook_base.address();
    base.map_err(|error| CommandError::usage(format!("--webhook-url: {error}")))?;
    order.client_secret = secret::read("client secret")?;

    let standing = BooksDesk::find(&config).await?.connect(order).await?;
    lights::tell(&standing, args.format)?;
    lights::are_green([&standing])
}
