//! The ladder: what each durable step of posting a payment costs, in process, without a socket.
//!
//! Every rung posts through the platform's router, each payment to a reservation of its own. The
//! lines that it prints are JSON, one for each rung.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on stops, and says where"
)]

#[path = "../common/client.rs"]
mod client;
mod memory;
mod size;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use clap::Parser;
use serde_json::{Value, json};
use store::DatabaseUrl;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use size::Size;
use world::World;

#[derive(Parser)]
#[command(about = "What each durable step of posting a payment costs")]
struct Args {
    /// Where to keep the databases, which must be empty: `sqlite:DIRECTORY` or `postgres://…`.
    #[arg(long)]
    database: DatabaseUrl,
    /// Payments under way at once.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Payments on each rung.
    #[arg(long, default_value_t = 10_000)]
    payments: usize,
    /// Only the rungs with this in their name.
    #[arg(long)]
    only: Option<String>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A step of the ladder.
struct Rung {
    name: &'static str,
    payment: fn(&World) -> Value,
    router: fn(&World) -> Router,
    /// Whether what the processor reports is imported at the same time.
    imports: bool,
}

const RUNGS: [Rung; 5] = [
    Rung {
        name: "one commit: a recorded payment",
        payment: |_| json!({ "paymentMethod": { "method": "CASH" }, "amount": 500, "note": "Deposit" }),
        router: |world| world.on_memory.router(),
        imports: false,
    },
    Rung {
        name: "+ the attempt before, its answer after",
        payment: |world| charge("AMARYLLIS", &world.amaryllis),
        router: |world| world.on_memory.router(),
        imports: false,
    },
    Rung {
        name: "+ the processor's own commit",
        payment: |world| charge("AMARYLLIS", &world.amaryllis),
        router: |world| world.on_sandbox.router(),
        imports: false,
    },
    Rung {
        name: "+ the report's row",
        payment: |world| charge("AMARYLLIS", &world.amaryllis),
        router: |world| world.on_sandbox.router(),
        imports: true,
    },
    Rung {
        name: "the same with a STRIPE method",
        payment: |world| charge("STRIPE", &world.stripe),
        router: |world| world.on_sandbox.router(),
        imports: true,
    },
];

/// The guide's immediate payment.
fn charge(method: &str, id: &str) -> Value {
    json!({
        "paymentMethod": { "method": method, "saveForFutureUse": true, "id": id },
        "amount": 500,
        "note": "Deposit",
    })
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let world = World::open(&args.database).await;
    let is_wanted = |rung: &&Rung| {
        args.only
            .as_ref()
            .is_none_or(|part| rung.name.contains(part))
    };
    for rung in RUNGS.iter().filter(is_wanted) {
        let reservations = world.reservations(args.payments).await;
        world.settle().await;
        let before = Size::of(&args.database).await;
        let took = climb(&world, rung, reservations, args.connections).await;
        if rung.imports {
            world.settle().await;
        }
        let grown = Size::of(&args.database).await - before;
        let payments = i64::try_from(args.payments).unwrap();
        let line = json!({
            "step": rung.name,
            "connections": args.connections,
            "payments": payments,
            "perSecond": i128::from(payments) * 1_000_000 / i128::try_from(took.as_micros()).unwrap(),
            "rows": (grown.rows + payments / 2) / payments,
            "bytes": grown.bytes / payments,
        });
        println!("{line}");
    }
}

/// Posts one payment to each reservation, so many at a time.
async fn climb(world: &World, rung: &Rung, reservations: Vec<String>, at_once: usize) -> Duration {
    let stop = CancellationToken::new();
    let jobs = rung.imports.then(|| {
        let platform = Arc::clone(&world.on_sandbox);
        tokio::spawn(platform.run_jobs(stop.clone()))
    });

    let body = (rung.payment)(world).to_string();
    let reservations = Arc::new(reservations);
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..at_once {
        let (client, router) = (world.client.clone(), (rung.router)(world));
        let (reservations, next) = (Arc::clone(&reservations), Arc::clone(&next));
        let body = body.clone();
        clients.spawn(async move {
            while let Some(id) = reservations.get(next.fetch_add(1, Ordering::Relaxed)) {
                let path = format!("/v1/reservations/{id}/payments");
                let reply = client.post(&router, &path, body.clone()).await;
                let text = String::from_utf8_lossy(&reply);
                assert!(text.contains(r#""status":"SUCCEEDED""#), "{text}");
            }
        });
    }
    clients.join_all().await;
    let took = started.elapsed();

    stop.cancel();
    if let Some(jobs) = jobs {
        jobs.await.unwrap();
    }
    took
}
