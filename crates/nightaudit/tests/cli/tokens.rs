//! Tokens that end in the middle of a run, against the platform: the run goes on with another one, or
//! says why it cannot.

use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::estate::{Estate, connect, sync};
use crate::records::total;
use crate::relay::Relay;
use crate::support::Home;

/// The account, its properties, its reservations and some taxes are read by then.
const IN_THE_MIDDLE: usize = 11;

on_both_engines! {
    async fn a_token_that_ends_in_the_middle_of_a_sync_is_replaced_once_and_nothing_is_said(estate: Estate) {
        let (server, credentials) = estate.portfolio();
        let relay = Relay::to(&server.base).await;
        let books = &estate.books;
        connect(books, &relay.base, &credentials);
        assert_eq!(relay.tokens(), 1);

        relay.end_token_after(IN_THE_MIDDLE);
        let ran = books.run(&["sync", "--format", "json"]).expect(0);
        assert_eq!(relay.tokens(), 2);
        assert!(!ran.stderr.contains("WARN") && !ran.stderr.contains("ERROR"), "{ran:?}");
        let report = ran.json()["connections"][0].clone();
        assert_eq!((&report["problems"], &report["parts"]["reservations"]["read"]), (&json!([]), &json!(60)));

        // As one that kept its token.
        let whole = &Home::on(Engine::Sqlite).await;
        connect(whole, &server.base, &credentials);
        assert_eq!(counted(&report), counted(&sync(whole)));
        server.stop();
    }

    async fn without_another_token_a_sync_says_so_and_the_next_one_goes_on_where_it_was(estate: Estate) {
        let (server, credentials) = estate.portfolio();
        let relay = Relay::to(&server.base).await;
        let books = &estate.books;
        connect(books, &relay.base, &credentials);
        // The others of the day.
        for _ in 1..5 {
            server.token(&credentials).await;
        }
        relay.end_token_after(IN_THE_MIDDLE);
        let ran = books.run(&["sync", "--format", "json"]).expect(4);
        assert_eq!(relay.tokens(), 2);
        let first = ran.json()["connections"][0].clone();
        let problems = first["problems"].as_array().unwrap();
        let says = |problem: &Value, text: &str| problem.to_string().contains(text);
        assert!(says(&problems[0], "all the tokens that it may ask for in 24 hours"), "{first}");
        assert!(says(&problems[problems.len() - 1], "no access to the source"), "{first}");
        assert_eq!(first["parts"]["reservations"]["read"], 60, "{first}");

        relay.take_all_tokens();
        let second = sync(books);
        assert_eq!(relay.tokens(), 2);
        assert_eq!(second["resumed"][0]["list"], "taxes and fees", "{second}");
        for what in ["changed", "removed"] {
            assert_eq!(total(&second, what), 0, "{what}: {second}");
        }
        // Nothing was missed in between.
        let third = sync(books);
        assert_eq!((total(&third, "new"), total(&third, "changed"), total(&third, "removed")), (0, 0, 0), "{third}");
        books.run(&["verify"]).expect(0);
        server.stop();
    }
}

/// What came of a first run.
fn counted(report: &Value) -> Vec<u64> {
    let counted = ["new", "changed", "unchanged", "removed"];
    counted.map(|what| total(report, what)).to_vec()
}
