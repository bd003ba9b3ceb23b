//! Commands that write, with and without a running server.

use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::support::Home;

const SEED: &[&str] = &["sandbox", "seed", "--fixture", "guesty-docs"];
const DOCS: &str = "5213a2d206112710005d96ff";

on_both_engines! {
    async fn the_printed_credentials_are_two_keys_and_good_for_a_token(home: Home) {
        let made = home.run(&["app", "create", "--name", "books", "--format", "json"]).expect(0);
        let credentials: Value = serde_json::from_str(&made.stdout).unwrap();
        let keys: Vec<_> = credentials.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["client_id", "client_secret"]);
        assert_eq!(made.stdout.lines().count(), 1);
        assert!(made.stderr.contains("There was no account yet"), "{}", made.stderr);

        let made = home.run(&["app", "create", "--name", "books"]).expect(0);
        assert!(made.stdout.contains("client secret"), "{}", made.stdout);
        assert!(!made.stderr.contains("There was no account yet"), "{}", made.stderr);
    }

    async fn commands_work_through_the_server_that_has_the_data(home: Home) {
        let server = home.serve(&[]);
        home.run(SEED).expect(0);
        home.run(SEED).refused(3, "is there already");
        let credentials = home.app(&[]);
        let token = server.token(&credentials).await;
        let (_, account) = server.get("/v1/accounts/me", &token).await;
        assert_eq!(account["_id"], DOCS);
        server.stop();
        home.run(SEED).refused(3, "is there already");
    }

    async fn an_application_is_limited_to_its_scopes_and_listings(home: Home) {
        home.run(SEED).expect(0);
        let shut_out = home.app(&["--scopes", "reports,other"]);
        let limited = home.app(&["--listings", "64da223eb3de7a002a462fcc"]);
        let server = home.serve(&[]);
        let (_, granted) = server.ask_token(&shut_out).await;
        assert_eq!(granted["scope"], "reports other");
        let token = granted["access_token"].as_str().unwrap();
        assert_eq!(server.get("/v1/accounts/me", token).await.0, 403);
        let token = server.token(&limited).await;
        assert_eq!(server.get("/v1/accounts/me", &token).await.0, 200);
        server.stop();
    }

    async fn what_does_not_exist_is_refused_whoever_is_asked(home: Home) {
        home.run(SEED).expect(0);
        let orders: [(&[&str], &str); 3] = [
            (&["--account", "64da2084867c12ee0c2ca47f"], "no account 64da2084867c12ee0c2ca47f"),
            (&["--listings", "64da2084867c12ee0c2ca47f"], "no listing 64da2084867c12ee0c2ca47f"),
            (&["--scopes", "a\"b"], "is not a scope"),
        ];
        let try_all = || {
            for (arguments, says) in orders {
                let all = [&["app", "create", "--name", "x"], arguments].concat();
                home.run(&all).refused(3, says);
            }
        };
        try_all();
        let server = home.serve(&[]);
        try_all();
        server.stop();
    }
}

#[tokio::test]
async fn commands_at_once_take_turns() {
    let home = Home::on(Engine::Sqlite).await;
    home.run(SEED).expect(0);
    let create = ["app", "create", "--name", "x", "--format", "json"];
    let started: Vec<_> = (0..6)
        .map(|_| {
            let mut command = home.command(&create);
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut one in started {
        assert!(one.wait().unwrap().success());
    }
}

#[tokio::test]
async fn with_several_accounts_the_command_asks_which() {
    let home = Home::on(Engine::Sqlite).await;
    home.app(&[]);
    home.run(SEED).expect(0);
    home.run(&["app", "create", "--name", "x"]).refused(3, DOCS);
    home.app(&["--account", DOCS]);
}

#[tokio::test]
async fn a_seeded_portfolio_is_told_as_json_too() {
    let home = Home::on(Engine::Sqlite).await;
    let made = home.run(&[SEED, &["--format", "json"]].concat()).expect(0);
    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    assert_eq!(made, json!({"fixture": "guesty-docs", "account": DOCS}));
}
