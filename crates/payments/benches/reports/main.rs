//! A platform with a long history, to read reports from: it imports that from its processor as it
//! does from any other, says on one line of JSON where it listens, and serves until stdin ends.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on stops, and says where"
)]

mod history;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::serve::ListenerExt;
use clap::Parser;
use http_body_util::BodyExt;
use payments::fixtures::Fixture;
use payments::{ApplicationOrder, Credentials, Platform, Settings};
use processors::sandbox::{self, Sandbox};
use serde_json::{Value, json};
use store::{DatabaseUrl, Store, SystemClock};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use vault::{Key, Keyring, Vault};

use history::History;

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
    let token = token(
        &platform.router(),
        &credentials(&platform, &args.database).await,
    )
    .await;

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

/// With the work behind it, as a server does.
async fn serve(platform: &Arc<Platform>, listener: TcpListener) {
    let stop = CancellationToken::new();
    let jobs = tokio::spawn(Arc::clone(platform).run_jobs(stop.clone()));
    // Else small replies wait for the acknowledgement of those before.
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    let mut said = Vec::new();
    let mut stdin = tokio::io::stdin();
    tokio::select! {
        served = axum::serve(listener, platform.router()) => served.unwrap(),
        ended = stdin.read_to_end(&mut said) => drop(ended.unwrap()),
    }
    stop.cancel();
    jobs.await.unwrap();
}

/// Of a client of the guide's portfolio, whose provider is then the history's merchant.
async fn credentials(platform: &Platform, database: &DatabaseUrl) -> Credentials {
    let books = Store::open(database, "sandbox", &sandbox::MIGRATIONS).unwrap();
    let sandbox = Sandbox::open(books);
    let seeded = platform.seed(&sandbox, Fixture::GuestyDocs).await.unwrap();
    let order = ApplicationOrder {
        name: "reports".to_owned(),
        account: Some(seeded.account),
        scopes: None,
        listings: None,
    };
    let made = platform.order_application(&sandbox, order).await;
    made.unwrap().credentials
}

async fn token(router: &Router, credentials: &Credentials) -> String {
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        credentials.client_id, credentials.client_secret
    );
    let request = Request::post("/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let reply = router.clone().oneshot(request).await.unwrap();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    let reply: Value = serde_json::from_slice(&body).unwrap();
    reply["access_token"].as_str().unwrap().to_owned()
}
