//! A receiver of webhooks, on a thread of its own: it counts what arrives, and how much of it differs.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// For how long nothing may arrive before what is missing is missing.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Arrivals {
    count: usize,
    /// The path, which tells subscriptions apart, and the message's id.
    different: HashSet<(String, String)>,
}

/// A receiver that listens until the program ends.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    arrivals: Arc<Mutex<Arrivals>>,
}

impl Receiver {
    pub(super) fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let arrivals = Arc::<Mutex<Arrivals>>::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let counted = Arc::clone(&arrivals);
        thread::spawn(move || runtime.block_on(listen(listener, counted)));
        Ok(Self { address, arrivals })
    }

    /// Waits until so many messages have arrived that all differ; says how many arrived in all.
    pub(super) fn wait_for(&self, expected: usize) -> Result<usize> {
        let (mut last, mut since) = (0, Instant::now());
        loop {
            let (count, different) = self.counts();
            if different >= expected {
                return Ok(count);
            }
            if count > last {
                (last, since) = (count, Instant::now());
            }
            ensure!(
                since.elapsed() < PATIENCE,
                "{} webhooks are missing of {expected}",
                expected - different
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// How much has arrived, and how much of it differs.
    pub(super) fn counts(&self) -> (usize, usize) {
        let arrivals = self.arrivals.lock();
        let arrivals = arrivals.unwrap_or_else(PoisonError::into_inner);
        (arrivals.count, arrivals.different.len())
    }
}

async fn listen(listener: std::net::TcpListener, arrivals: Arc<Mutex<Arrivals>>) -> Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let arrivals = Arc::clone(&arrivals);
        let answer = service_fn(move |request| receive(request, Arc::clone(&arrivals)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn receive(
    request: Request<Incoming>,
    arrivals: Arc<Mutex<Arrivals>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let id = request.headers().get("svix-id");
    let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
    let id = id.to_owned();
    let _ = request.into_body().collect().await;
    let mut arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
    arrivals.count += 1;
    arrivals.different.insert((path, id));
    Ok(Response::new(Empty::new()))
}
