//! A disk that is full, or fails: what was not acknowledged may be lost, what was is not.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use contract::ObjectId;
use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use store::testing::{Engine, Fixture};
use store::{Connection, DatabaseUrl, Error, Lock, Store, new_id};

use crate::support::{Bank, Pending, Trouble, accounts, insert, open, together, write};

/// About five pages of the file. When it finds no room, SQLite ends the whole transaction.
const BULK: &str = "INSERT INTO note
    VALUES (hex(randomblob(12)), 0, NULL, '2026-11-21', 1, '', randomblob(20000))";

/// The same, but SQLite undoes this statement alone, since it could have written several rows.
const BULK_OF_SEVERAL: &str = "INSERT INTO note
    SELECT hex(randomblob(12)), 0, NULL, '2026-11-21', 1, '', randomblob(20000)";

/// How a piece of work passes on that the disk is full.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Plainly,
    OutOfNestedTransactions,
    AsRefusal,
}

fn fill(c: &mut Connection, bulk: &str, manner: Manner) -> Result<(), Trouble> {
    match manner {
        Manner::Plainly => Ok(c.batch_execute(bulk)?),
        Manner::OutOfNestedTransactions => {
            c.transaction(|c| c.transaction(|c| Ok(c.batch_execute(bulk)?)))
        }
        Manner::AsRefusal => c.batch_execute(bulk).map_err(|_| Trouble::Refused),
    }
}

/// Opens an account and writes much beside it.
fn opening(
    store: &Store,
    bulk: &'static str,
    manner: Manner,
) -> Pending<Result<ObjectId, Trouble>> {
    let id = new_id();
    write(store, Lock::none(), move |c| {
        insert(c, id, 1)?;
        fill(c, bulk, manner)?;
        Ok(id)
    })
}

async fn allow_more_pages(store: &Store, pages: u32) {
    let limit = store.write(Lock::none(), move |c| {
        #[derive(QueryableByName)]
        struct Pages {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            page_count: i64,
        }
        let now: Pages = diesel::sql_query("PRAGMA page_count").get_result(c)?;
        let most = now.page_count + i64::from(pages);
        c.batch_execute(&format!("PRAGMA max_page_count = {most}"))?;
        Ok::<_, Error>(())
    });
    limit.await.unwrap();
}

async fn fills_up(bulk: &'static str, manner: Manner) {
    let case = format!("{manner:?}: {bulk}");
    let bank = Bank::on(Engine::Sqlite).await;
    let before = bank.open_account(1).await;
    allow_more_pages(&bank.store, 100).await;

    let writes = (0..64)
        .map(|_| opening(&bank.store, bulk, manner))
        .collect();
    let answers = together(&bank.store, writes).await;

    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    assert!(failed > 32, "{failed} of 64 found the disk full, {case}");
    let mut acknowledged: BTreeSet<ObjectId> = answers.into_iter().flatten().collect();
    acknowledged.insert(before);
    assert_eq!(bank.accounts().await, acknowledged, "{case}");

    allow_more_pages(&bank.store, 1000).await;
    let after = opening(&bank.store, bulk, manner).await.unwrap();
    assert!(bank.accounts().await.contains(&after), "{case}");
}

#[tokio::test]
async fn a_full_disk_in_a_batch_acknowledges_none_of_the_lost() {
    for bulk in [BULK, BULK_OF_SEVERAL] {
        for manner in [
            Manner::Plainly,
            Manner::OutOfNestedTransactions,
            Manner::AsRefusal,
        ] {
            fills_up(bulk, manner).await;
        }
    }
}

#[tokio::test]
async fn the_reason_is_told_and_the_request_may_be_sent_again() {
    let bank = Bank::on(Engine::Sqlite).await;
    allow_more_pages(&bank.store, 100).await;
    let writes = (0..64)
        .map(|_| opening(&bank.store, BULK, Manner::Plainly))
        .collect();
    for answer in together(&bank.store, writes).await {
        let Err(Trouble::Store(error)) = answer else {
            continue;
        };
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "the database is unavailable: database or disk is full"
        );
    }
}

/// A file that may not grow fails in the writing of the log itself, at the commit.
#[tokio::test]
async fn a_commit_that_fails_acknowledges_none_of_its_batch() {
    let directory = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(directory.path().to_owned());
    drop(open(&url));
    // `ulimit -f` counts blocks of 512 bytes: 4 MiB.
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8192; exec \"$@\"", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "disk::child"])
        .env("BANK", directory.path())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");

    let text = String::from_utf8(child.stdout).unwrap();
    let told = |word: &str| -> BTreeSet<ObjectId> {
        let ids = text.lines().filter_map(|line| line.strip_prefix(word));
        ids.map(|id| id.trim().parse().unwrap()).collect()
    };
    let (acknowledged, lost) = (told("kept "), told("lost "));

    assert!(!acknowledged.is_empty(), "{text}");
    assert!(lost.len() >= 64, "{text}");
    assert_eq!(accounts(&open(&url)).await, acknowledged);
}

#[tokio::test]
#[ignore = "the process that another test starts"]
async fn child() {
    use std::io::Write;

    let url = DatabaseUrl::Sqlite(std::env::var_os("BANK").unwrap().into());
    let store = open(&url);
    let mut out = std::io::stdout();
    for _ in 0..4 {
        let ids: Vec<ObjectId> = (0..64).map(|_| new_id()).collect();
        let writes = ids.iter().map(|id| {
            let id = *id;
            write(&store, Lock::none(), move |c| {
                insert(c, id, 1)?;
                fill(c, BULK, Manner::Plainly)
            })
        });
        let answers = together(&store, writes.collect()).await;
        for (id, answer) in ids.iter().zip(answers) {
            let word = match answer {
                Ok(()) => "kept",
                Err(Trouble::Store(error)) if error.is_retryable() => "lost",
                Err(trouble) => panic!("{trouble:?}"),
            };
            writeln!(out, "{word} {id}").unwrap();
        }
    }
}
