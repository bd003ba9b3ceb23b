//! Lines to whichever server of a round lives, found again after each has died.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::client::Client;

/// How long an answer may take. A database that is locked is waited for, for ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often there is looked for a server that lives.
const PAUSE: Duration = Duration::from_millis(5);
/// For how long none may live.
const ABSENCE: Duration = Duration::from_mins(1);

/// Where servers are, by their numbers; `None`: dead.
pub(super) type Addresses = Rc<RefCell<Vec<Option<String>>>>;

/// The account's token, which may have to be asked for anew.
pub(super) type Token = Rc<RefCell<String>>;

/// One connection at a time.
pub(super) struct Line {
    addresses: Addresses,
    token: Token,
    /// The server to ask first.
    number: usize,
    client: Option<(Client, String)>,
}

impl Line {
    pub(super) fn new(addresses: &Addresses, token: &Token, number: usize) -> Self {
        Self {
            addresses: Rc::clone(addresses),
            token: Rc::clone(token),
            number,
            client: None,
        }
    }

    /// Waits until there is a connection, or nobody wants it any more.
    pub(super) async fn connected(&mut self, is_wanted: impl Fn() -> bool) -> Result<()> {
        let began = Instant::now();
        let token = self.token.borrow().clone();
        if self.client.as_ref().is_some_and(|(_, with)| *with != token) {
            self.client = None;
        }
        while self.client.is_none() && is_wanted() {
            ensure!(began.elapsed() < ABSENCE, "no server answers");
            let address = self.address();
            let connected = match &address {
                Some(address) => Client::connect(address, Some(&token)).await.ok(),
                None => None,
            };
            match connected {
                Some(client) => self.client = Some((client, token.clone())),
                None => sleep(PAUSE).await,
            }
        }
        Ok(())
    }

    /// The server to ask first, or another.
    fn address(&self) -> Option<String> {
        let addresses = self.addresses.borrow();
        let count = addresses.len().max(1);
        (0..count).find_map(|step| addresses.get((self.number + step) % count)?.clone())
    }

    /// Asks once. An error says that no answer came; then it may or may not have been done.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value)> {
        self.ask_under(None, method, path, body).await
    }

    /// The same, under a key: then it can be asked again and is done once.
    pub(super) async fn ask_under(
        &mut self,
        key: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value)> {
        self.connected(|| true).await?;
        let (mut client, with) = self.client.take().context("not connected")?;
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let asked = timeout(PATIENCE, client.ask(method, path, body, key)).await;
        let (status, reply) = asked.context("no answer in time")??;
        let reply = if reply.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&reply).context("the answer is no JSON")?
        };
        self.client = Some((client, with));
        Ok((status, reply))
    }

    /// Reads, again and again until it is answered.
    pub(super) async fn read(&mut self, path: &str) -> Result<Value> {
        const TRIES: usize = 50;
        let mut last = None;
        for _ in 0..TRIES {
            match self.ask(Method::GET, path, None).await {
                Ok((StatusCode::OK, body)) => return Ok(body),
                Ok((status, body)) if status.is_client_error() => {
                    bail!("GET {path}: {status} {body}")
                }
                other => last = Some(other),
            }
            sleep(Duration::from_millis(200)).await;
        }
        bail!("GET {path} cannot be answered: {last:?}")
    }

    /// Does what must be done.
    pub(super) async fn make(&mut self, path: &str, body: &Value) -> Result<Value> {
        let (status, reply) = self.ask(Method::POST, path, Some(body)).await?;
        ensure!(status.is_success(), "POST {path}: {status} {reply}");
        Ok(reply)
    }
}
