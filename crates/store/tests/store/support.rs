//! A database of accounts, and ways to make many writes meet.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::Poll;

use contract::ObjectId;
use diesel::prelude::*;
use diesel_migrations::embed_migrations;
use store::testing::{Engine, Fixture, TestDatabase};
use store::{Connection, DatabaseUrl, Error, Failure, Lock, Migrations, Store, new_id};

pub const MIGRATIONS: Migrations = embed_migrations!("tests/migrations");
pub const NAME: &str = "bank";

diesel::table! {
    account (id) {
        id -> Text,
        balance -> BigInt,
    }
}

/// A store of accounts.
pub struct Bank {
    pub store: Store,
    pub database: TestDatabase,
}

impl Fixture for Bank {
    async fn on(engine: Engine) -> Self {
        let database = TestDatabase::new(engine, &[(NAME, &MIGRATIONS)]);
        Self {
            store: open(database.url()),
            database,
        }
    }
}

impl Bank {
    /// Opens an account.
    pub async fn open_account(&self, balance: i64) -> ObjectId {
        let id = new_id();
        let opened = self
            .store
            .write(Lock::none(), move |c| insert(c, id, balance));
        opened.await.unwrap();
        id
    }

    pub async fn balance(&self, id: ObjectId) -> i64 {
        self.store.read(move |c| balance(c, id)).await.unwrap()
    }

    pub async fn accounts(&self) -> BTreeSet<ObjectId> {
        accounts(&self.store).await
    }
}

pub fn open(url: &DatabaseUrl) -> Store {
    Store::open(url, NAME, &MIGRATIONS).unwrap()
}

pub async fn accounts(store: &Store) -> BTreeSet<ObjectId> {
    let ids =
        store.read(|c| Ok::<Vec<ObjectId>, Error>(account::table.select(account::id).load(c)?));
    ids.await.unwrap().into_iter().collect()
}

pub fn insert(c: &mut Connection, id: ObjectId, balance: i64) -> Result<(), Error> {
    diesel::insert_into(account::table)
        .values((account::id.eq(id), account::balance.eq(balance)))
        .execute(c)?;
    Ok(())
}

pub fn balance(c: &mut Connection, id: ObjectId) -> Result<i64, Error> {
    Ok(account::table.find(id).select(account::balance).first(c)?)
}

pub fn set_balance(c: &mut Connection, id: ObjectId, balance: i64) -> Result<(), Error> {
    diesel::update(account::table.find(id))
        .set(account::balance.eq(balance))
        .execute(c)?;
    Ok(())
}

/// How a story's own work fails.
#[derive(Debug)]
pub enum Trouble {
    /// The rules say no.
    Refused,
    Store(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<diesel::result::Error> for Trouble {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Failure for Trouble {
    fn as_store(&self) -> Option<&Error> {
        match self {
            Self::Refused => None,
            Self::Store(error) => Some(error),
        }
    }
}

pub type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A write that is not begun before it is awaited.
pub fn write<T, E>(
    store: &Store,
    lock: Lock,
    work: impl Fn(&mut Connection) -> Result<T, E> + Send + 'static,
) -> Pending<Result<T, E>>
where
    T: Send + 'static,
    E: Failure,
{
    let store = store.clone();
    Box::pin(async move { store.write(lock, work).await })
}

/// Hands all writes in while the writer is held up, so that on SQLite they share one batch, and
/// gives their answers in the same order.
pub async fn together<T>(store: &Store, mut writes: Vec<Pending<T>>) -> Vec<T> {
    let (release, held) = mpsc::channel::<()>();
    let (started, has_started) = mpsc::channel();
    let mut holding = write(store, Lock::none(), move |_| {
        let _ = started.send(());
        let _ = held.recv();
        Ok::<_, Error>(())
    });
    start(std::slice::from_mut(&mut holding)).await;
    has_started.recv().unwrap();
    let mut answers: Vec<Option<T>> = start(&mut writes).await;
    drop(release);
    holding.await.unwrap();
    for (answer, write) in answers.iter_mut().zip(writes) {
        if answer.is_none() {
            *answer = Some(write.await);
        }
    }
    answers.into_iter().flatten().collect()
}

/// Polls each once: by then it stands in the queue.
async fn start<T>(futures: &mut [Pending<T>]) -> Vec<Option<T>> {
    let once = poll_fn(|context| {
        let polled = futures
            .iter_mut()
            .map(|future| match future.as_mut().poll(context) {
                Poll::Ready(value) => Some(value),
                Poll::Pending => None,
            });
        Poll::Ready(polled.collect())
    });
    tokio::task::unconstrained(once).await
}
