//! Secrets stand in no log, error, debugging output or record, however much is logged.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};

use axum::http::StatusCode;
use books::Books;
use contract::id::ConnectionId;
use guesty::Credentials;
use serde_json::json;
use store::on_both_engines;
use tracing_subscriber::fmt::MakeWriter;

use crate::house::{House, id, listing};
use crate::support::Desk;

const SECRET: &str = "s3cr3t-of-the-application";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What everything in this process logs.
fn log() -> &'static Log {
    static LOG: LazyLock<Log> = LazyLock::new(|| {
        let log = Log::default();
        let all = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(log.clone());
        tracing::subscriber::set_global_default(all.finish()).unwrap();
        log
    });
    &LOG
}

/// What is shown of looking, whatever comes of it.
async fn look(books: &Books, id: ConnectionId) -> String {
    let mut told = format!("{:?}", books.refresh(id).await);
    write!(told, "{:?}", books.status(id).await).unwrap();
    write!(told, "{:?}", books.webhook_secret(id).await).unwrap();
    told
}

on_both_engines! {
    async fn no_secret_is_told_to_anybody(desk: Desk) {
        let log = log();
        let house = House::open().await;
        house.with(|rooms| {
            rooms.listings = vec![listing(1)];
            rooms.token_names = Some(id(1));
        });
        let portfolio = desk.books.add_portfolio("Seaside").await.unwrap();
        let credentials = Credentials::new("0oaTEST", SECRET);
        let base = house.base().parse().unwrap();
        let connection = desk.books.connect(portfolio.id, &base, &credentials).await.unwrap();
        let books = desk.another(7).with_public_url(Some("https://books.example".parse().unwrap()));
        let mut told = format!("{credentials:?} {connection:?}");
        told.push_str(&look(&books, connection.id).await);
        let webhook_secret = books.webhook_secret(connection.id).await.unwrap().unwrap();
        let token = books.way(connection.id).await.unwrap().tokens.load().await.unwrap().unwrap();
        house.with(|rooms| rooms.hooks.closed = Some((StatusCode::FORBIDDEN, json!("no"))));
        told.push_str(&look(&books, connection.id).await);
        house.with(|rooms| rooms.account = Some((StatusCode::UNAUTHORIZED, json!("no"))));
        let refusal = (StatusCode::UNAUTHORIZED, "application/json", r#"{"error":"invalid_client"}"#);
        house.with(|rooms| rooms.no_token = Some(refusal));
        told.push_str(&look(&books, connection.id).await);
        told.push_str(&look(&desk.another(8), connection.id).await);
        write!(told, "{:?}", books.disconnect(connection.id).await.unwrap()).unwrap();

        let chain = desk.books.chain(connection.id).await.unwrap();
        for record in chain.after(0, 100).await.unwrap() {
            told.push_str(&String::from_utf8(record.body().unwrap()).unwrap());
        }
        told.push_str(&String::from_utf8_lossy(&log.0.lock().unwrap()));
        assert!(told.contains("0oaTEST") && told.contains("new token"));
        for secret in [SECRET, webhook_secret.reveal(), token.access_token.reveal()] {
            assert!(!told.contains(secret), "{secret} is told");
        }
    }
}
