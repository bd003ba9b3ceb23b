//! The wish to stop: the operator's, or the program's own.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Ctrl-C and SIGTERM.
pub(crate) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    /// By which the program itself may ask, once.
    told: Option<CancellationToken>,
}

impl StopSignals {
    /// From now on the signals are ours, and no longer end the process by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            told: None,
        })
    }

    /// The same, and besides them a token by which the program itself asks.
    pub(crate) fn or_told(self, token: CancellationToken) -> Self {
        Self {
            told: Some(token),
            ..self
        }
    }

    /// The next of them.
    pub(crate) async fn next(&mut self) {
        let told = self.told.clone();
        let told = async {
            match told {
                Some(token) => token.cancelled_owned().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = told => self.told = None,
        }
    }
}
