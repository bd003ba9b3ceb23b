//! A receiver of webhooks, as an integrator writes one: it checks signatures and remembers ids.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// How long a message may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A receiver that listens.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    arrivals: UnboundedReceiver<Arrival>,
    seen: HashSet<String>,
}

/// What arrived.
struct Arrival {
    headers: HeaderMap,
    body: Bytes,
}

impl Receiver {
    /// Listens on a free port of this machine.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (sender, arrivals) = unbounded_channel();
        let router = Router::new()
            .route("/webhooks", post(receive))
            .with_state(sender);
        // It ends with the program.
        tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self {
            address,
            arrivals,
            seen: HashSet::new(),
        })
    }

    /// Where to send to.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhooks", self.address)
    }

    /// The next message, which must be signed with this secret. One that has come before is passed
    /// over.
    ///
    /// # Errors
    /// When none comes, or somebody else has signed it.
    pub(crate) async fn next(&mut self, secret: &str) -> Result<Value> {
        loop {
            let arrival = timeout(PATIENCE, self.arrivals.recv()).await;
            let arrival = arrival.context("no webhook has come")?;
            let arrival = arrival.context("nobody listens for webhooks any more")?;
            if self.seen.insert(arrival.verify(secret)?) {
                return Ok(serde_json::from_slice(&arrival.body)?);
            }
        }
    }
}

async fn receive(
    State(arrivals): State<UnboundedSender<Arrival>>,
    headers: HeaderMap,
    body: Bytes,
) {
    // Once the story is told nobody listens any more, and the answer is the same.
    let _ = arrivals.send(Arrival { headers, body });
}

impl Arrival {
    /// The message's id, if its signature is right.
    fn verify(&self, secret: &str) -> Result<String> {
        let header = |name: &str| {
            let value = self.headers.get(name).and_then(|value| value.to_str().ok());
            value.with_context(|| format!("a webhook without {name}"))
        };
        let (id, timestamp) = (header("svix-id")?, header("svix-timestamp")?);
        let key = secret.strip_prefix("whsec_").context("not a secret")?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64.decode(key.as_bytes())?)?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(&self.body);
        let is_right = header("svix-signature")?
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .filter_map(|signature| BASE64.decode(signature.as_bytes()).ok())
            .any(|signature| mac.clone().verify_slice(&signature).is_ok());
        ensure!(is_right, "webhook {id} was signed by somebody else");
        Ok(id.to_owned())
    }
}
