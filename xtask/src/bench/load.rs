//! The load: so many connections, each posting its next payment when the last is answered.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use hdrhistogram::Histogram;
use hyper::StatusCode;
use tokio::task::LocalSet;

use super::client::Client;
use super::server::Server;
use super::world::World;

/// What was measured.
pub(super) struct Figures {
    pub(super) took: Duration,
    pub(super) micros: Histogram<u64>,
    pub(super) errors: u64,
}

impl Figures {
    /// Payments that were answered with 201 and had succeeded.
    pub(super) fn payments(&self) -> u64 {
        self.micros.len()
    }

    pub(super) fn per_second(&self) -> u64 {
        let micros = self.took.as_micros().max(1);
        u64::try_from(u128::from(self.payments()) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }
}

/// Posts one payment to each of the reservations.
pub(super) async fn run(
    server: &Server,
    world: &World,
    reservations: Vec<String>,
    connections: usize,
) -> Result<Figures> {
    let reservations = Rc::new(reservations);
    let next = Rc::new(Cell::new(0));
    let payment = Bytes::from(world.payment().to_string());
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        clients.push(Client::connect(server.address(), Some(world.token())).await?);
    }

    let tasks = LocalSet::new();
    let started = Instant::now();
    let posting: Vec<_> = clients
        .into_iter()
        .map(|client| {
            let (reservations, next) = (Rc::clone(&reservations), Rc::clone(&next));
            tasks.spawn_local(post(client, reservations, next, payment.clone()))
        })
        .collect();
    tasks.await;
    let took = started.elapsed();

    let mut figures = Figures {
        took,
        micros: Histogram::new(3)?,
        errors: 0,
    };
    for task in posting {
        let (micros, errors) = task.await??;
        figures.micros.add(micros)?;
        figures.errors += errors;
    }
    Ok(figures)
}

async fn post(
    mut client: Client,
    reservations: Rc<Vec<String>>,
    next: Rc<Cell<usize>>,
    payment: Bytes,
) -> Result<(Histogram<u64>, u64)> {
    let mut micros = Histogram::new(3)?;
    let mut errors = 0;
    while let Some(id) = reservations.get(next.replace(next.get() + 1)) {
        let path = format!("/v1/reservations/{id}/payments");
        let sent = Instant::now();
        let (status, reply) = client
            .post(&path, "application/json", payment.clone())
            .await?;
        let waited = sent.elapsed();
        if status == StatusCode::CREATED && has_succeeded(&reply) {
            micros.record(u64::try_from(waited.as_micros())?)?;
        } else {
            if errors == 0 {
                eprintln!("xtask: {status} {}", String::from_utf8_lossy(&reply));
            }
            errors += 1;
        }
    }
    Ok((micros, errors))
}

/// Whether the reply shows a payment that went through; a 201 may also carry a declined one.
fn has_succeeded(reply: &[u8]) -> bool {
    const MARK: &[u8] = br#""status":"SUCCEEDED""#;
    reply.windows(MARK.len()).any(|window| window == MARK)
}
