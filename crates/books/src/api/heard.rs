//! Long orders: a line of JSON for whatever is heard of one, and a last one for what it came to.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{Error, Heard};

/// How many lines may wait for whoever asked. Of progress, the newest counts: what finds no place is
/// left unsaid.
const LINES: usize = 16;

const STOPPED: &str =
    "the server stops; what was done is kept, and the same command goes on from there";

/// What is told of progress with.
pub(super) type Tell<P> = Arc<dyn Fn(P) + Send + Sync>;

/// Carries an order out on a task of its own, which goes on when whoever asked goes away, and ends
/// when the server stops: then its last words are waited for.
pub(super) fn heard<P, T, F>(
    stop: CancellationToken,
    work: impl FnOnce(Tell<P>) -> F,
    cut_short: impl Future<Output = ()> + Send + 'static,
) -> Response
where
    P: Serialize + Send + 'static,
    T: Serialize + Send + Sync + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let (lines, waiting) = mpsc::channel(LINES);
    let progress = lines.clone();
    let work = work(Arc::new(move |at| {
        let _ = progress.try_send(line(&Heard::<P, T>::Progress(at)));
    }));
    tokio::spawn(async move {
        let ended = tokio::select! {
            result = work => Some(Heard::<P, T>::end(result)),
            () = stop.cancelled() => None,
        };
        let end = if let Some(end) = ended {
            end
        } else {
            cut_short.await;
            Heard::Failed(STOPPED.to_owned())
        };
        if let Heard::Failed(error) | Heard::Broken(error) = &end {
            tracing::error!(%error, "a command was not carried out");
        }
        let _ = lines.send(line(&end)).await;
    });
    let lines = stream::unfold(waiting, async |mut waiting| {
        let line = waiting.recv().await?;
        Some((Ok::<_, Infallible>(line), waiting))
    });
    let kind = [(CONTENT_TYPE, "application/x-ndjson")];
    (kind, Body::from_stream(lines)).into_response()
}

fn line<P: Serialize, T: Serialize>(heard: &Heard<P, T>) -> Vec<u8> {
    let text = serde_json::to_vec(heard);
    let mut line = text.unwrap_or_else(|error| {
        format!(r#"{{"failed":"the answer cannot be written: {error}"}}"#).into_bytes()
    });
    line.push(b'\n');
    line
}
