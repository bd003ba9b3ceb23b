//! What only a server does: conflicts, and connections that go away.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use store::testing::{Engine, Fixture};
use store::{Connection, Error, Lock, new_id};

use crate::support::{Bank, account, insert, set_balance};

/// Runs both at once; each meets the other at `rendezvous`, on its first try.
struct Meeting {
    barrier: Barrier,
    tries: AtomicU32,
}

impl Meeting {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            barrier: Barrier::new(2),
            tries: AtomicU32::new(0),
        })
    }

    fn rendezvous(&self) {
        if self.tries.fetch_add(1, Ordering::SeqCst) < 2 {
            self.barrier.wait();
        }
    }

    fn tries(&self) -> u32 {
        self.tries.load(Ordering::SeqCst)
    }
}

mod a_deadlock_is_tried_again {
    use super::*;

    #[tokio::test]
    async fn on_postgres() {
        let bank = Bank::on(Engine::Postgres).await;
        let (a, b) = (bank.open_account(0).await, bank.open_account(0).await);
        let meeting = Meeting::new();
        let crossing = |first, second| {
            let meeting = Arc::clone(&meeting);
            bank.store.write(Lock::none(), move |c| {
                c.batch_execute("SET LOCAL deadlock_timeout TO '10ms'")?;
                set_balance(c, first, 1)?;
                meeting.rendezvous();
                set_balance(c, second, 2)
            })
        };

        let (one, other) = tokio::join!(crossing(a, b), crossing(b, a));

        one.unwrap();
        other.unwrap();
        assert!(meeting.tries() > 2, "they never met");
        assert_eq!(bank.balance(a).await + bank.balance(b).await, 3);
    }
}

mod a_serialization_failure_is_tried_again {
    use super::*;

    #[tokio::test]
    async fn on_postgres() {
        let bank = Bank::on(Engine::Postgres).await;
        let meeting = Meeting::new();
        let add_one_more = || {
            let (meeting, id) = (Arc::clone(&meeting), new_id());
            bank.store.write(Lock::none(), move |c| {
                c.batch_execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")?;
                let rows: i64 = account::table.count().get_result(c)?;
                meeting.rendezvous();
                insert(c, id, rows)
            })
        };

        let (one, other) = tokio::join!(add_one_more(), add_one_more());

        one.unwrap();
        other.unwrap();
        assert!(meeting.tries() > 2, "they never met");
        // One after the other they count 0 and 1; neither saw the other's absence.
        let total = bank.store.read(|c| {
            let total = account::table.filter(account::balance.eq(1)).count();
            Ok::<i64, Error>(total.get_result(c)?)
        });
        assert_eq!(total.await.unwrap(), 1);
    }
}

mod a_conflict_that_never_ends_is_told {
    use super::*;

    #[tokio::test]
    async fn on_postgres() {
        let bank = Bank::on(Engine::Postgres).await;
        let tries = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&tries);
        let answer = bank.store.write(Lock::none(), move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            Err::<(), _>(Error::Conflict("meant by the test".to_owned()))
        });
        let error = answer.await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert!(tries.load(Ordering::SeqCst) > 1);
    }
}

mod connections_that_the_server_closed_are_replaced {
    use super::*;

    #[tokio::test]
    async fn on_postgres() {
        let bank = Bank::on(Engine::Postgres).await;
        let open_many = || async {
            let opening: Vec<_> = (0..16)
                .map(|_| {
                    let (store, id) = (bank.store.clone(), new_id());
                    tokio::spawn(async move {
                        store.write(Lock::none(), move |c| insert(c, id, 1)).await
                    })
                })
                .collect();
            for open in opening {
                open.await.unwrap().unwrap();
            }
        };
        open_many().await;

        let closed = bank.store.write(Lock::none(), |c: &mut Connection| {
            c.batch_execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )?;
            Ok::<_, Error>(())
        });
        closed.await.unwrap();

        open_many().await;
        assert_eq!(bank.accounts().await.len(), 32);
    }
}

mod a_connection_lost_in_the_work_is_unavailable {
    use super::*;

    #[tokio::test]
    async fn on_postgres() {
        let bank = Bank::on(Engine::Postgres).await;
        let id = new_id();
        let cut = bank.store.write(Lock::none(), move |c: &mut Connection| {
            insert(c, id, 1)?;
            c.batch_execute("SELECT pg_terminate_backend(pg_backend_pid())")?;
            Ok::<_, Error>(())
        });
        let error = cut.await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        assert!(bank.accounts().await.is_empty());
    }
}
