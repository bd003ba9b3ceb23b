//! A server, with the work behind it, as long as somebody wants it.

use std::sync::Arc;

use axum::serve::ListenerExt;
use payments::Platform;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Serves until stdin ends.
pub(crate) async fn serve(platform: &Arc<Platform>, listener: TcpListener) {
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
