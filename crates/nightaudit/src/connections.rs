//! The connections of a server: how many there may be, how long each may be silent or slow, and how
//! they end. What is asked on them is the router's matter.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};
use tokio_util::sync::CancellationToken;

/// What is granted to clients that are many, silent or slow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimits {
    /// How many connections there may be; further ones wait until one ends.
    pub(crate) max: NonZeroU32,
    /// For how long a connection may be silent, or take for the head of its next request.
    pub(crate) idle: Duration,
    /// For how long a reply waits for a client that does not read on.
    pub(crate) slow: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        const MAX: NonZeroU32 = NonZeroU32::new(512).unwrap();
        Self {
            // Half of the files that a process may usually have open.
            max: MAX,
            idle: Duration::from_mins(1),
            slow: Duration::from_secs(30),
        }
    }
}

/// Answers what is asked on the listener's connections until told to stop; then takes no more, and
/// ends when what is in flight is answered.
pub(crate) async fn serve(
    mut listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    stop: CancellationToken,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.idle);
    let service = TowerToHyperService::new(router);
    let graceful = GracefulShutdown::new();
    let mut slots = Slots::new(limits.max);
    loop {
        let next = async {
            // The slot first: a connection that nobody serves had better wait where it is.
            let slot = slots.take().await;
            (slot, Listener::accept(&mut listener).await)
        };
        let (slot, (stream, client)) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = next => accepted,
        };
        let stream = TokioIo::new(Outgoing::new(stream, limits.slow));
        let served = graceful.watch(http.serve_connection(stream, service.clone()));
        tokio::spawn(async move {
            if let Err(error) = served.await {
                told_of_end(client, &error);
            }
            drop(slot);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn told_of_end(client: SocketAddr, error: &hyper::Error) {
    tracing::debug!(%client, %error, "a connection ended before its time");
}

/// The places for connections.
struct Slots {
    free: Arc<Semaphore>,
    are_taken: bool,
}

impl Slots {
    fn new(count: NonZeroU32) -> Self {
        let count = usize::try_from(count.get()).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))),
            are_taken: false,
        }
    }

    /// A place, as soon as there is one; none is only ever there without a limit.
    async fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        let free = Arc::clone(&self.free);
        if let Ok(slot) = Arc::clone(&free).try_acquire_owned() {
            self.are_taken = false;
            return Some(slot);
        }
        if !self.are_taken {
            self.are_taken = true;
            tracing::warn!("all connections are taken: new ones wait (--connections-max)");
        }
        free.acquire_owned().await.ok()
    }
}

/// A connection on which what is written must get on.
struct Outgoing {
    stream: TcpStream,
    patience: Duration,
    /// Since nothing could be written, and until when that is borne.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Outgoing {
    fn new(stream: TcpStream, patience: Duration) -> Self {
        // Small replies must not wait for the client's acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            patience,
            stalled: None,
        }
    }

    fn in_time(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        let is_over = stalled.as_mut().poll(context);
        is_over.map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Outgoing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Outgoing {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
