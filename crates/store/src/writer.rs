//! SQLite's one writer: a thread that drains a queue of work into one transaction, commits once,
//! and then answers all. A durable commit waits for the disk, so sharing it is what makes many
//! small writes fast.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::engine::{self, Access};
use crate::{Connection, DatabaseUrl, Error, Failure};

/// How much work shares one commit at most: enough to hide the disk, little enough that the first
/// in the batch does not wait long for the last.
const BATCH_MAX: usize = 128;
/// How much work may wait; past it callers wait to hand theirs in.
const QUEUE_MAX: usize = 4096;

/// The queue's end that callers hold. The thread ends when the last of them is dropped.
#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Box<dyn Work>>);

impl Writer {
    /// Opens the writing connection and starts its thread.
    pub(crate) fn start(url: DatabaseUrl, name: &str) -> Result<Self, Error> {
        let connection = engine::connect(&url, name, Access::Write)?;
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let name = name.to_owned();
        std::thread::Builder::new()
            .name(format!("{name}-writer"))
            .spawn(move || drain(&url, &name, connection, waiting))
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self(queue))
    }

    /// Runs work inside a savepoint of the next shared transaction, and answers when it is durable.
    pub(crate) async fn run<T, E: Failure>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Task {
            work,
            outcome: None,
            reply,
        });
        let closing = || Error::Unavailable("the store is closing".to_owned());
        self.0.send(task).await.map_err(|_| closing())?;
        answer.await.map_err(|_| closing())?
    }
}

/// How one piece of work left the transaction.
enum Left {
    /// Its savepoint is closed; the others go on.
    Whole,
    /// The engine ended the whole transaction, or may have: nothing of the batch can be kept.
    Broken(String),
}

/// A piece of work in the queue, whatever it answers with.
trait Work: Send {
    fn run(&mut self, connection: &mut Connection) -> Left;
    /// Tells the caller what its work came to.
    fn answer(self: Box<Self>);
    /// Tells the caller that nothing was kept, for a reason that is not its own.
    fn lost(self: Box<Self>, reason: &str);
}

struct Task<F, T, E> {
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Work for Task<F, T, E>
where
    F: Fn(&mut Connection) -> Result<T, E> + Send,
    T: Send,
    E: Failure,
{
    fn run(&mut self, connection: &mut Connection) -> Left {
        if let Err(error) = engine::begin_nested(connection) {
            return Left::Broken(error.to_string());
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(connection)))
            .unwrap_or_else(|_| Err(Error::Panicked.into()));
        let ended = match &outcome {
            Ok(_) => engine::commit(connection),
            Err(error) => match error.as_store() {
                Some(Error::Unavailable(reason)) => return Left::Broken(reason.clone()),
                _ => engine::roll_back_to(connection, 1),
            },
        };
        self.outcome = Some(outcome);
        match ended {
            Ok(()) => Left::Whole,
            Err(error) => Left::Broken(error.to_string()),
        }
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            // A caller that went away has no use for the answer.
            let _ = self.reply.send(outcome);
        }
    }

    fn lost(self: Box<Self>, reason: &str) {
        let _ = self
            .reply
            .send(Err(Error::Unavailable(reason.to_owned()).into()));
    }
}

fn drain(
    url: &DatabaseUrl,
    name: &str,
    mut connection: Connection,
    mut waiting: mpsc::Receiver<Box<dyn Work>>,
) {
    let mut batch: Vec<Box<dyn Work>> = Vec::with_capacity(BATCH_MAX);
    while let Some(first) = waiting.blocking_recv() {
        batch.push(first);
        while batch.len() < BATCH_MAX {
            match waiting.try_recv() {
                Ok(next) => batch.push(next),
                Err(_) => break,
            }
        }
        match commit_together(&mut connection, &mut batch) {
            Ok(()) => batch.drain(..).for_each(Work::answer),
            Err(reason) => {
                tracing::error!(
                    store = name,
                    lost = batch.len(),
                    reason,
                    "a batch was not kept"
                );
                batch.drain(..).for_each(|work| work.lost(&reason));
                connection = reopen(url, name, connection);
            }
        }
    }
}

fn commit_together(connection: &mut Connection, batch: &mut [Box<dyn Work>]) -> Result<(), String> {
    engine::begin(connection).map_err(|error| error.to_string())?;
    for work in batch {
        if let Left::Broken(reason) = work.run(connection) {
            return Err(reason);
        }
    }
    engine::commit(connection).map_err(|error| error.to_string())
}

/// A connection whose transaction broke is not trusted with another.
fn reopen(url: &DatabaseUrl, name: &str, broken: Connection) -> Connection {
    drop(broken);
    loop {
        match engine::connect(url, name, Access::Write) {
            Ok(connection) => return connection,
            Err(error) => {
                tracing::error!(store = name, %error, "cannot open the database again yet");
                std::thread::sleep(Duration::from_millis(250));
            }
        }
    }
}
