//! Work that takes processors more than it waits, away from the threads that serve.

use futures_util::stream::{Stream, StreamExt};
use store::{Connection, Store};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::Error;

/// How many pieces of work are done side by side: more would only take memory.
pub(crate) fn side_by_side() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get().min(8))
}

/// Works on a thread that may take its time.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::Store(store::Error::Panicked))?
}

/// Reads, and works on what was read, on a thread that may take its time.
pub(crate) async fn read_apart<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (store, runtime) = (store.clone(), Handle::current());
    apart(move || runtime.block_on(store.read(work))).await
}

/// Lets a stream go on while what came of it is worked on, so many items ahead.
pub(crate) fn ahead<T: Send + 'static>(
    stream: impl Stream<Item = T> + Send + 'static,
    items: usize,
) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel(items);
    tokio::spawn(async move {
        let mut stream = std::pin::pin!(stream);
        while let Some(item) = stream.next().await {
            if sender.send(item).await.is_err() {
                return;
            }
        }
    });
    receiver
}
