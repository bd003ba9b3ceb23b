//! A process that is killed: every write that it acknowledged is there afterwards.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use contract::ObjectId;
use store::{DatabaseUrl, Error, Lock, Store, new_id};
use tokio::task::JoinSet;

use crate::support::{MIGRATIONS, NAME, accounts, insert, open};

/// Enough that the log was carried into the file on the way.
const ACKNOWLEDGED_MIN: usize = 2000;

#[tokio::test]
async fn acknowledged_writes_survive_the_kill_of_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "crash::child"])
        .env("BANK", directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = BTreeSet::new();
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        // The harness has lines of its own, and the last may be cut.
        acknowledged.extend(line.trim_end().parse::<ObjectId>());
        line.clear();
        if acknowledged.len() == ACKNOWLEDGED_MIN {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(
        acknowledged.len() >= ACKNOWLEDGED_MIN,
        "{}",
        acknowledged.len()
    );

    // First as a command beside the server would, then as the server.
    let url = DatabaseUrl::Sqlite(directory.path().to_owned());
    let reading = Store::open_read_only(&url, NAME, &MIGRATIONS).unwrap();
    assert!(accounts(&reading).await.is_superset(&acknowledged));
    assert!(accounts(&open(&url)).await.is_superset(&acknowledged));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that another test starts, and kills"]
async fn child() {
    let url = DatabaseUrl::Sqlite(std::env::var_os("BANK").unwrap().into());
    let store = open(&url);
    let mut writers = JoinSet::new();
    for _ in 0..32 {
        writers.spawn(write_until_it_fails(store.clone()));
    }
    let failed = writers.join_next().await;
    panic!("the child could write no more before it was killed: {failed:?}");
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn write_until_it_fails(store: Store) -> Error {
    loop {
        let id: ObjectId = new_id();
        let written = store.write(Lock::none(), move |c| insert(c, id, 1));
        if let Err(error) = written.await {
            return error;
        }
        println!("{id}");
    }
}
