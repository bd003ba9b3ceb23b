//! What is kept when many writes share a commit, and some of them fail.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use contract::ObjectId;
use diesel::Connection as _;
use diesel::prelude::*;
use store::{Connection, Error, Lock, Store, new_id};

use crate::support::{Bank, Pending, Trouble, account, accounts, insert, open, together, write};

/// Opens an account, and then perhaps does something that ends it badly.
fn opening(
    store: &Store,
    id: ObjectId,
    then: impl Fn(&mut Connection) -> Result<(), Trouble> + Send + 'static,
) -> Pending<Result<ObjectId, Trouble>> {
    write(store, Lock::none(), move |c| {
        insert(c, id, 1)?;
        then(c)?;
        Ok(id)
    })
}

fn ids(count: usize) -> Vec<ObjectId> {
    (0..count).map(|_| new_id()).collect()
}

store::on_both_engines! {
    async fn a_refused_work_is_rolled_back_alone(bank: Bank) {
        let ids = ids(64);
        let writes = ids.iter().enumerate().map(|(n, id)| {
            opening(&bank.store, *id, move |_| match n % 3 {
                0 => Err(Trouble::Refused),
                _ => Ok(()),
            })
        });

        let answers = together(&bank.store, writes.collect()).await;

        for (n, answer) in answers.iter().enumerate() {
            match n % 3 {
                0 => assert!(matches!(answer, Err(Trouble::Refused)), "{n}: {answer:?}"),
                _ => assert!(answer.is_ok(), "{n}: {answer:?}"),
            }
        }
        let kept: BTreeSet<ObjectId> = answers.into_iter().flatten().collect();
        assert_eq!(kept.len(), 42);
        assert_eq!(bank.accounts().await, kept);
    }

    async fn a_panicking_work_harms_nobody(bank: Bank) {
        let ids = ids(12);
        let writes = ids.iter().enumerate().map(|(n, id)| {
            opening(&bank.store, *id, move |c| match n % 4 {
                0 => panic!("meant by the test"),
                1 => c.transaction(|c| {
                    insert(c, new_id(), 1)?;
                    c.transaction(|_| panic!("meant by the test"))
                }),
                _ => Ok(()),
            })
        });

        let answers = together(&bank.store, writes.collect()).await;

        for (n, answer) in answers.iter().enumerate() {
            match n % 4 {
                0 | 1 => assert!(
                    matches!(answer, Err(Trouble::Store(Error::Panicked))),
                    "{n}: {answer:?}"
                ),
                _ => assert!(answer.is_ok(), "{n}: {answer:?}"),
            }
        }
        let kept: BTreeSet<ObjectId> = answers.into_iter().flatten().collect();
        assert_eq!(bank.accounts().await, kept);
    }

    async fn a_taken_key_is_refused_and_its_batch_mates_are_kept(bank: Bank) {
        let id = new_id();
        let writes = (0..8).map(|_| opening(&bank.store, id, |_| Ok(()))).collect();

        let answers = together(&bank.store, writes).await;

        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for answer in answers {
            assert!(
                matches!(answer, Ok(_) | Err(Trouble::Store(Error::Duplicate(_)))),
                "{answer:?}"
            );
        }
        assert_eq!(bank.accounts().await, BTreeSet::from([id]));
    }

    async fn a_work_that_says_unavailable_is_refused_alone(bank: Bank) {
        let ids = ids(3);
        let writes = ids.iter().enumerate().map(|(n, id)| {
            opening(&bank.store, *id, move |_| match n {
                1 => Err(Error::Unavailable("meant by the test".to_owned()).into()),
                _ => Ok(()),
            })
        });

        let answers = together(&bank.store, writes.collect()).await;

        assert!(matches!(answers[1], Err(Trouble::Store(Error::Unavailable(_)))));
        assert_eq!(bank.accounts().await, BTreeSet::from([ids[0], ids[2]]));
    }

    async fn a_work_that_hides_an_error_is_kept_whole_or_told_that_it_was_not(bank: Bank) {
        let taken = bank.open_account(1).await;
        let id = new_id();

        let answer = opening(&bank.store, id, move |c| {
            let _ = insert(c, taken, 1);
            Ok(())
        });

        assert_eq!(answer.await.is_ok(), bank.accounts().await.contains(&id));
    }

    async fn nested_transactions_are_rolled_back_alone(bank: Bank) {
        let [outer, inner, innermost, after] = [new_id(), new_id(), new_id(), new_id()];
        bank.store
            .write(Lock::none(), move |c| {
                insert(c, outer, 1)?;
                c.transaction(|c| {
                    insert(c, inner, 1)?;
                    let refused: Result<(), Trouble> = c.transaction(|c| {
                        insert(c, innermost, 1)?;
                        Err(Trouble::Refused)
                    });
                    assert!(matches!(refused, Err(Trouble::Refused)));
                    // A statement that fails inside harms no more than its own transaction.
                    let taken: Result<(), Error> = c.transaction(|c| insert(c, outer, 1));
                    assert!(matches!(taken, Err(Error::Duplicate(_))));
                    Ok::<_, Error>(())
                })?;
                insert(c, after, 1)
            })
            .await
            .unwrap();
        assert_eq!(bank.accounts().await, BTreeSet::from([outer, inner, after]));
    }

    async fn an_upsert_returns_its_row(bank: Bank) {
        let id: ObjectId = new_id();
        let add = |amount: i64| {
            bank.store.write(Lock::none(), move |c| {
                let balance = store::both!(c, c => diesel::insert_into(account::table)
                    .values((account::id.eq(id), account::balance.eq(amount)))
                    .on_conflict(account::id)
                    .do_update()
                    .set(account::balance.eq(account::balance + amount))
                    .returning(account::balance)
                    .get_result::<i64>(c))?;
                Ok::<_, Error>(balance)
            })
        };
        assert_eq!(add(5).await.unwrap(), 5);
        assert_eq!(add(7).await.unwrap(), 12);
    }

    async fn a_store_that_is_closed_finishes_what_was_handed_in(bank: Bank) {
        let Bank { store, database } = bank;
        let ids = ids(64);
        let left = AtomicU32::new(64);
        let mut tasks = tokio::task::JoinSet::new();
        for id in &ids {
            tasks.spawn(opening(&store, *id, |_| Ok(())));
        }
        drop(store);
        while let Some(answer) = tasks.join_next().await {
            answer.unwrap().unwrap();
            left.fetch_sub(1, Ordering::Relaxed);
        }
        assert_eq!(left.into_inner(), 0);
        assert_eq!(accounts(&open(database.url())).await.len(), 64);
    }
}

#[tokio::test]
async fn a_closed_file_holds_everything_itself() {
    use store::testing::{Engine, Fixture};

    let bank = Bank::on(Engine::Sqlite).await;
    bank.open_account(1).await;
    assert_eq!(bank.accounts().await.len(), 1);
    let store::DatabaseUrl::Sqlite(directory) = bank.database.url().clone() else {
        unreachable!()
    };

    drop(bank.store);

    let files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert_eq!(files, ["bank.db"]);
}
