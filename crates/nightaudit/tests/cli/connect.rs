//! `nightaudit connect`, and what is kept and shown of a connection.

use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::support::{Credentials, Home, Server};

const ACCOUNT: &str = "5213a2d206112710005d96ff";

/// A platform with an account that has a listing, and an application of it.
fn platform(home: &Home) -> (Server, Credentials) {
    home.run(&["sandbox", "seed", "--fixture", "guesty-docs"])
        .expect(0);
    let credentials = home.app(&["--account", ACCOUNT]);
    (home.serve(&[]), credentials)
}

on_both_engines! {
    async fn connecting_shows_that_the_account_can_be_read(home: Home) {
        let (server, credentials) = platform(&home);
        // The server has the directory: it connects to itself, over HTTP as to any other.
        let connected = home.connect(&server.base, &credentials, &[]).expect(0).json();
        assert_eq!(connected["lights"]["admin"]["ok"], true, "{connected}");
        assert_eq!(connected["lights"]["oauth"]["ok"], true, "{connected}");
        assert_eq!(connected["portfolio"], "main");
        assert_eq!(connected["base_url"], server.base);

        let portfolios = home.run(&["portfolio", "list", "--format", "json"]).expect(0).json();
        assert_eq!(portfolios[0]["name"], "main");
        assert_eq!(portfolios[0]["connections"][0], connected["connection"]);
        server.stop();
    }
}

#[tokio::test]
async fn books_of_their_own_directory_connect_to_a_server_elsewhere() {
    let (there, here) = (
        Home::on(Engine::Sqlite).await,
        Home::on(Engine::Sqlite).await,
    );
    let (platform, credentials) = platform(&there);
    here.connect(&platform.base, &credentials, &[]).expect(0);
    assert!(here.path("nightaudit-data/books.db").exists());
    assert!(!here.path("nightaudit-data/payments.db").exists());

    // And while their own server runs, that does it.
    let books = here.serve(&["--only", "books"]);
    here.run(&["portfolio", "add", "Ours"]).expect(0);
    let other = here.connect(&platform.base, &credentials, &["--portfolio", "Ours"]);
    assert_eq!(other.expect(0).json()["portfolio"], "Ours");
    assert!(!here.path("nightaudit-data/payments.db").exists());
    books.stop();
    platform.stop();
}

#[tokio::test]
async fn a_wrong_secret_turns_the_light_red_and_the_exit_code_says_so() {
    let home = Home::on(Engine::Sqlite).await;
    let (server, credentials) = platform(&home);
    let wrong = Credentials {
        secret: "not-the-secret".to_owned(),
        ..credentials
    };
    let connected = home.connect(&server.base, &wrong, &[]).expect(4);
    assert!(connected.stderr.contains("OAuth"), "{connected:?}");
    let oauth = &connected.json()["lights"]["oauth"];
    assert_eq!(oauth["ok"], false);
    let message = oauth["message"].as_str().unwrap();
    assert!(message.contains("secret"), "{message}");
    assert!(!format!("{connected:?}{}", server.log()).contains(&wrong.secret));
    server.stop();
}

#[tokio::test]
async fn a_command_of_the_other_system_says_what_the_server_serves() {
    let home = Home::on(Engine::Sqlite).await;
    let credentials = home.app(&[]);
    let books = home.serve(&["--only", "books"]);
    assert!(home.path("nightaudit-data/books.db").exists());
    home.run(&["app", "create", "--name", "x"])
        .refused(3, "serves books only");
    books.stop();
    let payments = home.serve(&["--only", "payments"]);
    home.connect(&payments.base, &credentials, &[])
        .refused(3, "serves payments only");
    payments.stop();
}

#[tokio::test]
async fn what_makes_no_sense_is_told_before_anything_is_made() {
    let home = Home::on(Engine::Sqlite).await;
    let connect = ["connect", "--client-id", "x"];
    let cases: [(&[&str], &str, &str); 4] = [
        (&[], "s", "--client-secret-stdin"),
        (
            &["--client-secret-stdin"],
            " \n",
            "no client secret on stdin",
        ),
        (
            &[
                "--client-secret-stdin",
                "--base-url",
                "http://elsewhere.example",
            ],
            "s",
            "in the clear",
        ),
        (
            &["--client-secret-stdin", "--base-url", "nowhere"],
            "s",
            "not an address",
        ),
    ];
    for (more, stdin, says) in cases {
        home.pipe(&[&connect, more].concat(), stdin)
            .refused(2, says);
    }
    home.run(&["portfolio", "list"]).refused(3, "no books");
    assert!(!home.path("nightaudit-data").exists());
}
