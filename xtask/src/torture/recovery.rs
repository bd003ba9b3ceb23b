//! Waiting until a round has come to rest: nothing is under way any more, and all has been told.

use std::time::{Duration, Instant};

use anyhow::Result;
use hyper::Method;
use serde_json::json;
use tokio::time::sleep;

use super::audit::messages;
use super::books::Books;
use super::findings::Findings;
use super::line::Line;
use super::receiver::Receiver;
use super::state::{Payment, State};

/// How long a round may take to come to rest. What a dead server had claimed is free after a minute.
const PATIENCE: Duration = Duration::from_secs(150);
const PAUSE: Duration = Duration::from_millis(250);

/// How business time is moved on: an answer is asked for after minutes, an attempt of which there is
/// no trace is given up after a day.
const SPANS: [&str; 8] = ["10s", "5m", "5m", "10m", "1h", "25h", "25h", "5m"];

/// Waits until no payment or refund is under way, while business time goes on.
pub(super) async fn settle(line: &mut Line, findings: &mut Findings) -> Result<()> {
    let began = Instant::now();
    let mut spans = SPANS.iter();
    let mut span = spans.next();
    loop {
        let open: Vec<String> = State::reservations(line)
            .await?
            .iter()
            .flat_map(|reservation| &reservation.payments)
            .filter(|payment| payment.is_open())
            .map(describe)
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            for payment in open {
                findings.lost(format!("what became of it is not known: {payment}"));
            }
            return Ok(());
        }
        let order = json!({ "by": span.unwrap_or(&"1h") });
        let advanced = line
            .ask(Method::POST, "/sandbox/advance", Some(&order))
            .await;
        match advanced {
            Ok((status, _)) if status.is_success() => span = spans.next(),
            // Another advance, which died, is waited for.
            _ => sleep(PAUSE).await,
        }
    }
}

fn describe(payment: &Payment) -> String {
    let (note, status, open) = (&payment.note, &payment.status, payment.open_attempts);
    format!(
        "{} ({note}), {status}, {open} attempts without an answer",
        payment.id
    )
}

/// Waits until subscribers have been told of everything.
pub(super) async fn be_told(books: &Books, state: &State, receiver: &Receiver) {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if messages::is_complete(books, state, &receiver.taken()) {
            return;
        }
        sleep(PAUSE).await;
    }
}
