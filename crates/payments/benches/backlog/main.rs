//! A backlog of payments that are due: made as a client makes them, an hour ago and without a server
//! that would carry them out; then served by any number of servers on one database.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on stops, and says where"
)]

#[path = "../common/client.rs"]
mod client;
mod make;
#[path = "../common/serve.rs"]
mod serve;

use std::sync::Arc;

use clap::{Parser, Subcommand};
use payments::{Platform, Settings};
use processors::sandbox::{self, Sandbox};
use serde_json::json;
use store::{Clock, DatabaseUrl, Store, SystemClock};
use tokio::net::TcpListener;
use vault::{Key, Keyring, Vault};

/// The vault's key, the same for all processes on one database.
const KEY: [u8; 32] = [7; 32];

#[derive(Parser)]
#[command(about = "A backlog of payments that are due")]
struct Args {
    /// Where the databases are: `sqlite:DIRECTORY` or `postgres://…`.
    #[arg(long, global = true, default_value = "sqlite:.")]
    database: DatabaseUrl,
    #[command(subcommand)]
    verb: Verb,
    /// Given by `cargo bench`.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Makes payments that have become due since; prints one line of JSON about them.
    Make {
        /// How many payments.
        #[arg(long)]
        payments: usize,
        /// How many reservations besides that no payment was posted to.
        #[arg(long)]
        spare: usize,
    },
    /// Serves until stdin ends; prints the address on a line.
    Serve,
}

#[tokio::main]
async fn main() {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_writer(std::io::stderr)
        .init();
    let args = Args::parse();
    match args.verb {
        Verb::Make { payments, spare } => {
            let made = make::backlog(&args.database, payments, spare).await;
            println!("{}", json!(made));
        }
        Verb::Serve => {
            let (platform, _) = open(&args.database, Arc::new(SystemClock)).await;
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            println!("{}", listener.local_addr().unwrap());
            serve::serve(&platform, listener).await;
        }
    }
}

/// The platform on its sandbox, as one process opens them.
async fn open(database: &DatabaseUrl, clock: Arc<dyn Clock>) -> (Arc<Platform>, Arc<Sandbox>) {
    let books = Store::open(database, "sandbox", &sandbox::MIGRATIONS).unwrap();
    let sandbox = Arc::new(Sandbox::open(books));
    let vault = Vault::new(Keyring::new(Key::from_bytes(&KEY), vec![]));
    let processor = Arc::<Sandbox>::clone(&sandbox);
    let platform = Platform::open(database, vault, processor, clock, Settings::default()).await;
    (platform.unwrap(), sandbox)
}
