//! What payments are posted to, made through the API as any client makes it.

use anyhow::{Context, Result};
use bytes::Bytes;
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::server::Server;
use crate::client::Client;

/// The portfolio that `nightaudit sandbox seed --fixture guesty-docs` makes.
pub(super) const ACCOUNT: &str = "5213a2d206112710005d96ff";
const GUEST: &str = "64da2084867c12ee0c2ca47f";
const LISTING: &str = "64da223eb3de7a002a462fcc";
/// Connections that make reservations at the same time.
const MAKERS: usize = 32;

pub(super) struct World {
    token: String,
    method: String,
    method_id: String,
    reservations: Vec<String>,
}

impl World {
    /// Makes a stored method of this kind and so many reservations.
    pub(super) async fn make(server: &Server, method: &str, reservations: usize) -> Result<Self> {
        server.run(&["sandbox", "seed", "--fixture", "guesty-docs"])?;
        let credentials = server.run(&[
            "app",
            "create",
            "--name",
            "bench",
            "--account",
            ACCOUNT,
            "--format",
            "json",
        ])?;
        let token = token(server.address(), &credentials).await?;
        let mut client = Client::connect(server.address(), Some(&token)).await?;
        let method_id = store(&mut client, method, "pm_card_visa").await?;
        let mut makers = Vec::with_capacity(MAKERS);
        for maker in 0..MAKERS {
            let client = Client::connect(server.address(), Some(&token)).await?;
            let count = reservations / MAKERS + usize::from(maker < reservations % MAKERS);
            makers.push(tokio::spawn(make_reservations(client, count)));
        }
        let mut ids = Vec::with_capacity(reservations);
        for maker in makers {
            ids.extend(maker.await??);
        }
        Ok(Self {
            token,
            method: method.to_owned(),
            method_id,
            reservations: ids,
        })
    }

    /// Subscribes so often to the payments.
    pub(super) async fn subscribe(
        &self,
        server: &Server,
        receiver: &Receiver,
        count: usize,
    ) -> Result<()> {
        let mut client = Client::connect(server.address(), Some(&self.token)).await?;
        for number in 0..count {
            let url = format!("http://{}/{number}", receiver.address);
            let new = json!({"url": url, "events": ["payments.received"]});
            client.make("/v1/webhooks", &new).await?;
        }
        Ok(())
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The guide's immediate payment.
    pub(super) fn payment(&self) -> Value {
        json!({
            "paymentMethod": {
                "method": self.method,
                "saveForFutureUse": true,
                "id": self.method_id,
            },
            "amount": 500,
            "note": "Deposit",
        })
    }

    /// Stores a card of the sandbox, and names it as a payment does.
    pub(super) async fn stored(&self, client: &mut Client, card: &str) -> Result<Value> {
        let id = store(client, &self.method, card).await?;
        Ok(json!({ "method": self.method, "id": id }))
    }

    /// So many reservations that no payment was posted to yet.
    pub(super) fn take(&mut self, count: usize) -> Vec<String> {
        self.reservations.split_off(self.reservations.len() - count)
    }
}

async fn store(client: &mut Client, method: &str, card: &str) -> Result<String> {
    let field = match method {
        "STRIPE" => "stripeCardToken",
        _ => "_id",
    };
    let path = format!("/v1/guests/{GUEST}/payment-methods");
    id(&client.make(&path, &json!({ field: card })).await?)
}

/// Asks for a token as an application does.
pub(super) async fn token(address: &str, credentials: &Value) -> Result<String> {
    let text = |name: &str| {
        let text = credentials[name].as_str();
        text.with_context(|| format!("the new application has no {name}"))
    };
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        text("client_id")?,
        text("client_secret")?
    );
    let mut client = Client::connect(address, None).await?;
    let kind = "application/x-www-form-urlencoded";
    let (_, reply) = client
        .post("/oauth2/token", kind, Bytes::from(form))
        .await?;
    let reply: Value = serde_json::from_slice(&reply)?;
    let token = reply["access_token"].as_str();
    Ok(token
        .with_context(|| format!("no token: {reply}"))?
        .to_owned())
}

async fn make_reservations(mut client: Client, count: usize) -> Result<Vec<String>> {
    let new = json!({
        "listingId": LISTING,
        "guestId": GUEST,
        "checkInDateLocalized": "2024-01-10",
        "checkOutDateLocalized": "2024-01-15",
        "status": "confirmed",
        "money": { "fareAccommodation": 1700, "currency": "USD" },
    });
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        ids.push(id(&client.make("/v1/reservations", &new).await?)?);
    }
    Ok(ids)
}

fn id(made: &Value) -> Result<String> {
    let id = made["_id"].as_str();
    Ok(id.with_context(|| format!("no _id: {made}"))?.to_owned())
}
