//! Runs that end before their time: by command, and by Ctrl-C.

use serde_json::Value;
use store::on_both_engines;

use crate::estate::{Estate, connect, interrupt, start, sync};
use crate::relay::Relay;
use crate::support::{Home, Ran};

/// The last run, as `status` shows it. The webhook's light is red in these stories.
fn last_sync(books: &Home) -> Value {
    let status = books.run(&["status", "--format", "json"]);
    status.expect(4).json()["last_sync"].clone()
}

on_both_engines! {
    async fn a_run_of_the_server_is_stopped_by_command(estate: Estate) {
        let books = &estate.books;
        let (platform, credentials) = estate.portfolio();
        let relay = Relay::to(&platform.base).await;
        connect(books, &relay.base, &credentials);
        let server = books.serve(&["--only", "books"]);
        relay.let_through(6);
        let gone = start(books, &["sync"]);
        relay.is_stuck().await;

        // Ctrl-C ends the command alone.
        interrupt(&gone);
        let gone = Ran::from(gone.wait_with_output().unwrap()).expect(1);
        assert!(gone.stderr.contains("nightaudit sync --stop ends it before"), "{gone:?}");
        assert_eq!(last_sync(books)["ended_at"], Value::Null);

        let stopped = books.run(&["sync", "--stop"]).expect(0).stdout;
        assert!(stopped.contains("stopped at "), "{stopped}");
        let last = last_sync(books);
        assert_eq!(last["summary"]["stopped"], true, "{last}");
        assert!(last["stop_asked_at"].is_string(), "{last}");
        let status = books.run(&["status"]).expect(4).stdout;
        assert!(status.contains("the next one goes on there"), "{status}");
        let nothing = books.run(&["sync", "--stop"]).expect(0).stdout;
        assert!(nothing.contains("nothing to stop"), "{nothing}");

        relay.let_all_through();
        let ended = sync(books);
        assert_eq!(ended["parts"]["reservations"]["read"], 60, "{ended}");
        assert_eq!(ended["stopped"], false);
        server.stop();
        platform.stop();
    }

    async fn a_run_of_another_command_is_stopped_and_says_so(estate: Estate) {
        let books = &estate.books;
        let (platform, credentials) = estate.portfolio();
        let relay = Relay::to(&platform.base).await;
        connect(books, &relay.base, &credentials);
        relay.let_through(6);
        let run = start(books, &["sync", "--format", "json"]);
        relay.is_stuck().await;
        let stopped = books.run(&["sync", "--stop", "--format", "json"]).expect(0).json();
        assert_eq!(stopped["connections"][0]["stopped"], true, "{stopped}");

        let run = Ran::from(run.wait_with_output().unwrap()).expect(4);
        assert!(run.stderr.contains("goes on from there"), "{run:?}");
        let report = run.json();
        assert_eq!((&report["complete"], &report["connections"][0]["stopped"]), (&false.into(), &true.into()));
        let nothing = books.run(&["sync", "--stop", "--format", "json"]).expect(0).json();
        assert_eq!(nothing["connections"][0]["run"], Value::Null, "{nothing}");
        relay.let_all_through();
        assert_eq!(sync(books)["parts"]["reservations"]["read"], 60);
        platform.stop();
    }

    async fn who_interrupts_a_run_ends_it_in_good_order(estate: Estate) {
        let books = &estate.books;
        let (platform, credentials) = estate.portfolio();
        let relay = Relay::to(&platform.base).await;
        connect(books, &relay.base, &credentials);
        relay.let_through(6);
        let run = start(books, &["sync"]);
        relay.is_stuck().await;
        interrupt(&run);
        let run = Ran::from(run.wait_with_output().unwrap()).expect(4);
        assert!(run.stderr.contains("goes on from there"), "{run:?}");
        assert!(run.stdout.contains("stopped before all was read"), "{run:?}");
        assert_eq!(last_sync(books)["summary"]["stopped"], true);

        relay.let_all_through();
        let ended = books.run(&["sync"]).expect(0);
        assert!(!ended.stderr.contains("under way"), "{ended:?}");
        assert!(ended.stdout.contains("reservations"), "{ended:?}");
        platform.stop();
    }
}

#[test]
fn stopping_goes_with_nothing_to_read() {
    let books = tokio::runtime::Runtime::new().unwrap();
    let books = books.block_on(<Home as store::testing::Fixture>::on(
        store::testing::Engine::Sqlite,
    ));
    books
        .run(&["sync", "--stop", "reservations"])
        .refused(2, "cannot be used with");
    books.run(&["sync", "--stop"]).refused(3, "no books");
}
