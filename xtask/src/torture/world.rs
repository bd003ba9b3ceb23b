//! What a round's load works in: an account with a token, and a subscription to all that happens.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Value, json};

use super::line::{Addresses, Line, Token};
use super::nodes::Nodes;
use super::receiver::Receiver;
use crate::client::Client;

/// The portfolio that `nightaudit sandbox seed --fixture guesty-docs` makes.
const ACCOUNT: &str = "5213a2d206112710005d96ff";
pub(super) const GUEST: &str = "64da2084867c12ee0c2ca47f";
pub(super) const LISTING: &str = "64da223eb3de7a002a462fcc";

/// What is told, and compared with what happened.
const EVENTS: [&str; 8] = [
    "reservation.new",
    "reservation.created.v2",
    "payments.received",
    "payments.failed",
    "payments.refunded",
    "payments.authorizationHoldFailed",
    "payments.method.received",
    "guest-folio.created",
];

#[derive(Clone)]
pub(super) struct World {
    addresses: Addresses,
    token: Token,
    /// The form that tokens are asked for with.
    form: Rc<str>,
}

impl World {
    /// Makes the account, and starts all servers on it.
    pub(super) async fn make(nodes: &mut Nodes) -> Result<Self> {
        nodes
            .run(&["sandbox", "seed", "--fixture", "guesty-docs"])
            .await?;
        let name = ["--name", "torture", "--account", ACCOUNT];
        let verb = [&["app", "create"], &name[..], &["--format", "json"]].concat();
        let made = nodes.run(&verb).await?;
        let text = |name: &str| {
            let text = made[name].as_str();
            text.with_context(|| format!("the new application has no {name}"))
        };
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            text("client_id")?,
            text("client_secret")?
        );
        nodes.start_all().await?;
        let world = Self {
            addresses: Rc::clone(nodes.addresses()),
            token: Rc::new(RefCell::new(String::new())),
            form: form.into(),
        };
        world.renew_token().await?;
        Ok(world)
    }

    /// A line of its own to the servers, of which it asks this one first.
    pub(super) fn line(&self, number: usize) -> Line {
        Line::new(&self.addresses, &self.token, number)
    }

    /// Asks for a token, which all lines use from now on.
    pub(super) async fn renew_token(&self) -> Result<()> {
        let alive = self.addresses.borrow().iter().flatten().next().cloned();
        let mut client = Client::connect(&alive.context("no server lives")?, None).await?;
        let kind = "application/x-www-form-urlencoded";
        let form = Bytes::copy_from_slice(self.form.as_bytes());
        let (status, reply) = client.post("/oauth2/token", kind, form).await?;
        let reply: Value = serde_json::from_slice(&reply)?;
        let Some(token) = reply["access_token"]
            .as_str()
            .filter(|_| status == StatusCode::OK)
        else {
            bail!("no token: {status} {reply}");
        };
        token.clone_into(&mut self.token.borrow_mut());
        Ok(())
    }

    /// Has all that happens told to a receiver, which learns the secret.
    pub(super) async fn subscribe(&self, receiver: &Receiver) -> Result<()> {
        let mut line = self.line(0);
        let url = receiver.url();
        let new = json!({ "url": url, "events": EVENTS });
        line.make("/v1/webhooks", &new).await?;
        let path = format!("/v1/webhooks-v2/secret?url={url}");
        let secret = line.read(&path).await?;
        let key = secret["key"].as_str().context("a webhook without secret")?;
        receiver.trust(key)
    }
}
