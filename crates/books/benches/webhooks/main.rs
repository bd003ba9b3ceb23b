//! Webhooks over HTTP from many connections at once: how many a second are accepted for good, and
//! how long each takes. It says so on one line of JSON.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on stops, and says where"
)]

mod sender;
mod source;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use books::Books;
use books::api::webhook_router;
use clap::Parser;
use contract::id::ConnectionId;
use guesty::Credentials;
use serde_json::json;
use standardwebhooks::Webhook;
use store::{DatabaseUrl, SystemClock};
use tokio::net::TcpListener;
use vault::{Key, Keyring, Vault};

use sender::Sender;

#[derive(Parser)]
#[command(about = "Webhooks from many connections at once")]
struct Args {
    /// Where to keep the database, which must be empty: `sqlite:DIRECTORY` or `postgres://…`.
    #[arg(long)]
    database: DatabaseUrl,
    /// How many messages are sent.
    #[arg(long, default_value_t = 50_000)]
    messages: usize,
    /// How many connections send, each its next message when the last is answered.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How many reservations they tell of.
    #[arg(long, default_value_t = 1_000)]
    reservations: usize,
    /// How large a message is.
    #[arg(long, default_value_t = 4_096)]
    bytes: usize,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let keys = Keyring::new(Key::from_bytes(&store::random_bytes()), vec![]);
    let vault = Arc::new(Vault::new(keys));
    let here = "https://books.example".parse().unwrap();
    let books = Books::open(&args.database, vault, Arc::new(SystemClock)).unwrap();
    let books = books.with_public_url(Some(here));
    let connection = connect(&books).await;
    let secret = books.webhook_secret(connection).await.unwrap().unwrap();
    let signer = Arc::new(Webhook::new(secret.reveal()).unwrap());

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = webhook_router(books.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });

    let before = records(&books, connection).await;
    let (args, next) = (Arc::new(args), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let senders = (0..args.connections).map(|_| {
        let (args, next, signer) = (Arc::clone(&args), Arc::clone(&next), Arc::clone(&signer));
        tokio::spawn(async move {
            let path = format!("/webhooks/guesty/{connection}");
            let mut sender = Sender::connect(address, path).await;
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= args.messages {
                    return latencies;
                }
                let body = body(number, &args);
                let begun = Instant::now();
                sender.send(&signer, number, &body).await;
                latencies.push(begun.elapsed());
            }
        })
    });
    let mut latencies = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        latencies.extend(sender.await.unwrap());
    }
    let took = started.elapsed();
    let kept = records(&books, connection).await - before;
    assert_eq!(kept, i64::try_from(args.messages).unwrap());
    tell(took, latencies);
}

async fn connect(books: &Books) -> ConnectionId {
    let source = source::open().await.parse().unwrap();
    let portfolio = books.add_portfolio("Seaside").await.unwrap();
    let credentials = Credentials::new("0oaBENCH", "secret");
    let connection = books.connect(portfolio.id, &source, &credentials).await;
    let id = connection.unwrap().id;
    let lights = books.refresh(id).await.unwrap();
    assert!(lights.are_green(), "{lights:?}");
    id
}

async fn records(books: &Books, connection: ConnectionId) -> i64 {
    let chain = books.chain(connection).await.unwrap();
    chain.tip().await.unwrap().length
}

/// A reservation, filled up with what differs from one to the next.
fn body(number: usize, args: &Args) -> Vec<u8> {
    let id = format!("{:024x}", number % args.reservations);
    let mut body = json!({
        "event": "reservation.updated",
        "reservation": {"_id": id, "status": "confirmed", "money": {"totalPaid": number}},
        "notes": "",
    });
    let mut notes = String::new();
    let mut random = number as u64 + 1;
    while notes.len() + 160 < args.bytes {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        notes.push_str(
            ["guest ", "night ", "paid ", "late ", "key ", "door "][(random >> 33) as usize % 6],
        );
    }
    body["notes"] = json!(notes);
    body.to_string().into_bytes()
}

fn tell(took: Duration, mut latencies: Vec<Duration>) {
    latencies.sort();
    let of = |share: usize| latencies[(latencies.len() - 1) * share / 100].as_micros();
    let per_second = latencies.len() as u128 * 1_000_000 / took.as_micros();
    let figures = json!({
        "messages": latencies.len(),
        "seconds": format!("{:.2}", took.as_secs_f64()),
        "per_second": per_second.to_string(),
        "median_us": of(50).to_string(),
        "p99_us": of(99).to_string(),
    });
    println!("{figures}");
}
