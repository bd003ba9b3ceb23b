//! Asking a server that dies before it has answered.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::http::Method;
use chrono::Duration;
use proptest::prelude::*;
use tokio::runtime::Builder;

use crate::faults::{Fault, Line};
use crate::support::{Reply, TestApp};

/// When a server dies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kill {
    /// The request had to wait so often, for the database or the processor.
    AfterWaits(usize),
    /// Its next call that moves money is about to leave.
    BeforeCall,
    /// That call was heard, and its answer is not.
    AfterCall,
}

pub(super) fn kill() -> impl Strategy<Value = Option<Kill>> {
    prop_oneof![
        6 => Just(None),
        2 => (1..40usize).prop_map(|waits| Some(Kill::AfterWaits(waits))),
        1 => Just(Some(Kill::BeforeCall)),
        1 => Just(Some(Kill::AfterCall)),
    ]
}

/// Asks a server of its own that is killed with all that it has begun: nothing, when it died before it
/// answered.
pub(super) async fn ask_doomed(
    app: &Arc<TestApp>,
    line: &Arc<Line>,
    kill: Kill,
    path: String,
    body: Option<String>,
    method: Method,
) -> Option<Reply> {
    let mut waits = match kill {
        Kill::AfterWaits(waits) => waits,
        Kill::BeforeCall | Kill::AfterCall => usize::MAX,
    };
    line.break_with(match kill {
        Kill::AfterWaits(_) => Fault::None,
        Kill::BeforeCall => Fault::HangsBefore,
        Kill::AfterCall => Fault::HangsAfter,
    });
    let (server, broken) = (Arc::clone(app), Arc::clone(line));
    // What a server has begun ends with its runtime.
    let living = tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let reply = runtime.block_on(async {
            let server = server.at(&server.another_node().await);
            let mut asking = pin!(server.send(method, &path, body));
            let until_killed = poll_fn(|context| match waits.checked_sub(1) {
                None => Poll::Ready(None),
                Some(left) => {
                    waits = left;
                    asking.as_mut().poll(context).map(Some)
                }
            });
            tokio::select! {
                reply = until_killed => reply,
                () = broken.hanging.notified() => None,
            }
        });
        runtime.shutdown_background();
        reply
    });
    let reply = living.await.unwrap();
    line.break_with(Fault::None);
    // So long a dead server's lease is respected.
    app.clock.advance(Duration::minutes(2));
    reply
}
