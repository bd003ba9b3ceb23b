//! The load: so many connections, each sending its next request when the last is answered.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use hdrhistogram::Histogram;
use hyper::StatusCode;
use tokio::task::LocalSet;

use crate::client::Client;

/// What is asked.
pub(super) enum Ask {
    Get(String),
    /// A path, and JSON.
    Post(String, Bytes),
}

/// Whether a reply is one that counts.
pub(super) type IsRight = fn(StatusCode, &[u8]) -> bool;

/// What was measured.
pub(super) struct Figures {
    pub(super) took: Duration,
    pub(super) micros: Histogram<u64>,
    pub(super) errors: u64,
}

impl Figures {
    /// Requests with a right answer.
    pub(super) fn answered(&self) -> u64 {
        self.micros.len()
    }

    pub(super) fn per_second(&self) -> u64 {
        let micros = self.took.as_micros().max(1);
        u64::try_from(u128::from(self.answered()) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }
}

/// Sends each of the requests once.
pub(super) async fn run(
    address: &str,
    token: &str,
    connections: usize,
    requests: impl Iterator<Item = Ask> + 'static,
    is_right: IsRight,
) -> Result<Figures> {
    let requests = Rc::new(RefCell::new(requests));
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        clients.push(Client::connect(address, Some(token)).await?);
    }

    let tasks = LocalSet::new();
    let started = Instant::now();
    let sending: Vec<_> = clients
        .into_iter()
        .map(|client| tasks.spawn_local(send(client, Rc::clone(&requests), is_right)))
        .collect();
    tasks.await;
    let took = started.elapsed();

    let mut figures = Figures {
        took,
        micros: Histogram::new(3)?,
        errors: 0,
    };
    for task in sending {
        let (micros, errors) = task.await??;
        figures.micros.add(micros)?;
        figures.errors += errors;
    }
    Ok(figures)
}

async fn send(
    mut client: Client,
    requests: Rc<RefCell<impl Iterator<Item = Ask>>>,
    is_right: IsRight,
) -> Result<(Histogram<u64>, u64)> {
    let mut micros = Histogram::new(3)?;
    let mut errors = 0;
    loop {
        let Some(ask) = requests.borrow_mut().next() else {
            return Ok((micros, errors));
        };
        let sent = Instant::now();
        let (status, reply) = match ask {
            Ask::Get(path) => client.get(&path).await?,
            Ask::Post(path, body) => client.post(&path, "application/json", body).await?,
        };
        let waited = sent.elapsed();
        if is_right(status, &reply) {
            micros.record(u64::try_from(waited.as_micros())?)?;
        } else {
            if errors == 0 {
                eprintln!("xtask: {status} {}", String::from_utf8_lossy(&reply));
            }
            errors += 1;
        }
    }
}
