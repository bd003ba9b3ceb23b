//! SQLite's one writer: a thread that drains a queue of work into one transaction, commits once,
//! and then answers all. A durable commit waits for the disk, so sharing it is what makes many
//! small writes fast.

use std::thread::{self, JoinHandle};

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use tokio::sync::{mpsc, oneshot};

use crate::engine::{self, Access};
use crate::prepared::Command;
use crate::{Connection, DatabaseUrl, Error, Failure, both};

/// How much work shares one commit at most: enough to hide the disk, little enough that the first
/// in the batch does not wait long for the last.
const BATCH_MAX: usize = 128;
/// How much work may wait; past it callers wait to hand theirs in.
const QUEUE_MAX: usize = 4096;

/// Some errors (disk full, input or output) make SQLite end the transaction by itself, and the work
/// may have met one and answered with another. So its answer does not tell whether the transaction
/// still stands, but its savepoint does: it is gone with the transaction. It is outside Diesel's
/// count, which forgives savepoints that cannot be rolled back.
const BEGIN_WORK: Command<0> = Command("SAVEPOINT work");
const KEEP_WORK: Command<1> = Command("RELEASE work");
const UNDO_WORK: &str = "ROLLBACK TO work; RELEASE work";

/// The queue's end that callers hold. When it is dropped, what was handed in is finished first and
/// the file is closed in order.
pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the writing connection and starts its thread.
    pub(crate) fn start(url: DatabaseUrl, name: &str) -> Result<Self, Error> {
        let connection = engine::connect(&url, name, Access::Write)?;
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let desk = Desk {
            url,
            name: name.to_owned(),
            connection: Some(connection),
        };
        let thread = thread::Builder::new()
            .name(format!("{name}-writer"))
            .spawn(move || desk.drain(waiting))
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
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
        let queue = self.queue.as_ref().ok_or_else(closing)?;
        queue.send(task).await.map_err(|_| closing())?;
        answer.await.map_err(|_| closing())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        // Work may hold the last clone of its own store; the thread cannot wait for itself.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// A piece of work in the queue, whatever it answers with.
trait Work: Send {
    /// Runs it and remembers its outcome. An error tells why the engine ended the whole
    /// transaction: then nothing of the batch can be kept.
    fn run(&mut self, connection: &mut Connection) -> Result<(), String>;
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
    fn run(&mut self, connection: &mut Connection) -> Result<(), String> {
        both!(connection, c => BEGIN_WORK.execute(c)).map_err(reason)?;
        let outcome = engine::run(connection, &self.work);
        let ended = match &outcome {
            Ok(_) => both!(connection, c => KEEP_WORK.execute(c)).map(drop),
            Err(_) => engine::roll_back_to(connection, 1)
                .and_then(|()| connection.batch_execute(UNDO_WORK)),
        };
        match (ended, &outcome) {
            (Ok(()), _) => {
                self.outcome = Some(outcome);
                Ok(())
            }
            // What the work met says more than that its savepoint is gone.
            (Err(gone), Err(met)) => {
                Err(met.as_store().map_or_else(|| reason(gone), Error::reason))
            }
            (Err(gone), Ok(_)) => Err(reason(gone)),
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

/// Where the work is done, on a thread of its own.
struct Desk {
    url: DatabaseUrl,
    name: String,
    /// None after a batch broke: a connection whose transaction broke is not trusted with another.
    connection: Option<Connection>,
}

impl Desk {
    fn drain(mut self, mut waiting: mpsc::Receiver<Box<dyn Work>>) {
        let mut batch: Vec<Box<dyn Work>> = Vec::with_capacity(BATCH_MAX);
        while let Some(first) = waiting.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH_MAX
                && let Ok(next) = waiting.try_recv()
            {
                batch.push(next);
            }
            match self.commit_together(&mut batch) {
                Ok(()) => batch.drain(..).for_each(Work::answer),
                Err(reason) => {
                    let (store, lost) = (&self.name, batch.len());
                    tracing::error!(store, lost, reason, "a batch was not kept");
                    batch.drain(..).for_each(|work| work.lost(&reason));
                }
            }
        }
    }

    fn commit_together(&mut self, batch: &mut [Box<dyn Work>]) -> Result<(), String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => engine::connect(&self.url, &self.name, Access::Write).map_err(reason)?,
        };
        engine::begin(&mut connection, Access::Write).map_err(reason)?;
        for work in batch {
            work.run(&mut connection)?;
        }
        engine::commit(&mut connection, Access::Write).map_err(reason)?;
        self.connection = Some(connection);
        Ok(())
    }
}

fn reason(error: impl Into<Error>) -> String {
    error.into().reason()
}
