//! A source that answers at once: what an account needs to be connected, and as many reservations as
//! are wanted, made up when they are asked for.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::thread;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::stay;

/// A source that listens until the program ends.
pub(super) struct Source {
    address: SocketAddr,
}

impl Source {
    pub(super) fn start(reservations: usize) -> Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::spawn(move || runtime.block_on(listen(listener, reservations)));
        Ok(Self { address })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn listen(listener: std::net::TcpListener, reservations: usize) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        // Else small replies wait for the acknowledgement of those before.
        stream.set_nodelay(true)?;
        let answer = service_fn(move |request| answer(request, reservations));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn answer(
    request: Request<Incoming>,
    reservations: usize,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (path, query) = {
        let uri = request.uri();
        (
            uri.path().to_owned(),
            uri.query().unwrap_or_default().to_owned(),
        )
    };
    let _ = request.into_body().collect().await;
    let body = match path.as_str() {
        "/oauth2/token" => {
            r#"{"token_type":"Bearer","expires_in":86400,"access_token":"bench"}"#.to_owned()
        }
        "/v1/accounts/me" => format!(
            r#"{{"_id":"{}","name":"Bench","active":true,"createdAt":"2025-11-01T00:00:00.000Z"}}"#,
            stay::ACCOUNT
        ),
        "/v1/listings" => list(1, &query, stay::listing),
        "/v1/reservations" => list(reservations, &query, stay::stay),
        _ => "[]".to_owned(),
    };
    let reply = Response::builder().header(CONTENT_TYPE, "application/json");
    Ok(reply.body(Full::new(Bytes::from(body))).unwrap_or_default())
}

/// A page of a list. Nothing here ever changes, so what changed since then is nothing.
fn list(count: usize, query: &str, row: impl Fn(usize) -> String) -> String {
    let number = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.find(|(key, _)| *key == name)?.1;
        value.parse::<usize>().ok()
    };
    let count = if query.contains("filters=") || query.contains("active=false") {
        0
    } else {
        count
    };
    let (skip, limit) = (number("skip").unwrap_or(0), number("limit").unwrap_or(25));
    let last = count.min(skip + limit);
    let rows: Vec<String> = (skip.min(last)..last).map(row).collect();
    let rows = rows.join(",");
    format!(r#"{{"results":[{rows}],"count":{count},"limit":{limit},"skip":{skip}}}"#)
}
