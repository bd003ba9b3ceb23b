//! `nightaudit connect`: credentials saved and looked at at once, and the properties read.

use books::standing::{ConnectOrder, Connected, WebhookBaseOrder};
use books::sync::{Part, Summary};
use books::{Pace, SyncOrder};
use contract::id::ConnectionId;
use guesty::{InvalidBaseUrl, Secret};

use super::{BooksDesk, lights, secret, sync};
use crate::cli::ConnectArgs;
use crate::config::Config;
use crate::error::CommandError;
use crate::output;
use crate::signals::StopSignals;

/// Connects.
pub(crate) async fn run(args: ConnectArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
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
    address.map_err(|error| {
        let how = match error {
            InvalidBaseUrl::InTheClear(_) => " with --trust-network",
            _ => "",
        };
        CommandError::usage(format!("--base-url: {error}{how}"))
    })?;
    let base = order.webhook_base.address();
    base.map_err(|error| CommandError::usage(format!("--webhook-url: {error}")))?;
    order.client_secret = secret::read("client secret")?;

    let mut signals = StopSignals::listen()?;
    let desk = BooksDesk::find(&config).await?;
    let Connected { standing, removed } = desk.connect(order).await?;
    removed.iter().for_each(output::note);
    let lights = &standing.lights;
    if args.no_sync || !lights.oauth.is_green || !lights.admin.is_green {
        lights::tell(&standing, args.common.format)?;
        return lights::are_green([&standing]);
    }
    let read = first_sync(&desk, standing.connection, &mut signals).await;
    let standing = desk.to_read(&config)?.standing(standing.connection).await?;
    lights::tell(&standing, args.common.format)?;
    let summary = read.map_err(|error| {
        CommandError::NotWell(format!(
            "connected, but not all properties and taxes were read ({error}): nightaudit sync goes on \
             with it"
        ))
    })?;
    lights::are_green([&standing])?;
    if summary.is_understood() {
        return Ok(());
    }
    Err(CommandError::NotUnderstood(
        "connected, and the properties and taxes are in, but some of them are not understood: \
         nightaudit flagged lists these"
            .to_owned(),
    ))
}

/// Reads what everything else is about, so that people see at once what they connected.
async fn first_sync(
    desk: &BooksDesk,
    connection: ConnectionId,
    signals: &mut StopSignals,
) -> Result<Summary, CommandError> {
    let order = SyncOrder {
        connection,
        parts: vec![Part::Properties, Part::Taxes],
        span: None,
        pace: Pace::default(),
    };
    let summary = sync::one(desk, &order, signals).await?;
    match summary.problems.first() {
        None if summary.is_stopped => Err(CommandError::NotWell("it was stopped".to_owned())),
        None => Ok(summary),
        Some(problem) => Err(CommandError::NotWell(problem.to_string())),
    }
}
