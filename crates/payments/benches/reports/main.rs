//! A platform with a long history, to read reports from: it imports that from its processor as it
//! does from any other, says on one line of JSON where it listens, and serves until stdin ends.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on stops, and says where"
)]

#[path = "../common/client.rs"]
mod client;
mod history;
#[path = "../common/serve.rs"]
mod serve;

use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use payments::{Platform, Settings};
use processors::sandbox::{self, Sandbox};
use serde_json::json;
use store::{DatabaseUrl, Store, SystemClock};
use tokio::net::TcpListener;
use vault::{Key, Keyring, Vault};

use client::{credentials, token};
use history::History;
use serve::serve;

#[derive(Parser)]
#[command(about = "A platform with a long history, to read reports from")]
struct Args {
    /// Where to keep the databases, which must be empty: `sqlite:DIRECTORY` or `postgres://…`.
    #[arg(long)]
    database: DatabaseUrl,
    /// How many transactions the history has at least, and about as many rows in payouts.
    #[arg(long, default_value_t = 10_000)]
    transactions: u32,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    let history = History::of(args.transactions);
    let vault = Vault::new(Keyring::new(
        Key::from_bytes(&store::random_bytes()),
        vec![],
    ));
    let platform = Platform::open(
        &args.database,
        vault,
        Arc::new(history),
        Arc::new(SystemClock),
        Settings::default(),
    )
    .await
    .unwrap();
    let books = Store::open(&args.database, "sandbox", &sandbox::MIGRATIONS).unwrap();
    // Its provider is then the history's merchant.
    let credentials = credentials(&platform, &Sandbox::open(books), "reports").await;
    let token = token(&platform.router(), &credentials).await;

    let started = Instant::now();
    platform.run_imports().await;
    let imported = started.elapsed();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ready = json!({
        "address": listener.local_addr().unwrap().to_string(),
        "token": token,
        "transactions": history.rows(),
        "payoutRows": history.rows(),
        "importMillis": u64::try_from(imported.as_millis()).unwrap(),
    });
    println!("{ready}");
    serve(&platform, listener).await;
}
