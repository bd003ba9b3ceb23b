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

on_both_engines! {
    async fn business_time_passes_with_and_without_a_server(home: Home) {
        home.run(SEED).expect(0);
        let advance = ["sandbox", "advance", "--format", "json"];
        let parsed = |stdout: String| serde_json::from_str::<Value>(&stdout).unwrap();
        let to = [&advance[..], &["--to", "2023-09-01T00:00:00Z"]].concat();
        let ran = home.run(&to).expect(0);
        assert_eq!(ran.stdout.lines().count(), 1);
        let advanced = parsed(ran.stdout);
        assert_eq!(advanced["account"], DOCS);
        assert_eq!(advanced["happened"], json!([]));
        let now = advanced["now"].as_str().unwrap();
        assert!(now.starts_with("2023-09-01T00:00:0"), "{now}");

        let credentials = home.app(&[]);
        let server = home.serve(&[]);
        let token = server.token(&credentials).await;
        let payments = "/v1/reservations/64da254383ad1500284bd0c0/payments";
        let (status, _) = server.post(payments, &token, &json!({
            "paymentMethod": {"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"},
            "amount": 70, "shouldBePaidAt": "2023-09-05T12:00:00Z",
        })).await;
        assert_eq!(status, 201);
        let by = [&advance[..], &["1w", "--account", DOCS]].concat();
        let advanced = parsed(home.run(&by).expect(0).stdout);
        assert_eq!(advanced["happened"][0]["at"], "2023-09-05T12:00:00.000Z");
        assert_eq!(advanced["happened"][0]["kind"], "payment");
        assert_eq!(advanced["happened"][0]["result"], "SUCCEEDED");
        let (_, clock) = server.get("/sandbox/clock", &token).await;
        assert!(clock["now"].as_str() >= advanced["now"].as_str(), "{clock} {advanced}");
        home.run(&to).refused(3, "a clock cannot be set back");
        let table = home.run(&["sandbox", "advance", "P1D"]).expect(0);
        assert!(table.stdout.contains("2023-09-09T"), "{}", table.stdout);
        server.stop();
    }
}

#[tokio::test]
async fn time_that_cannot_pass_is_refused() {
    let home = Home::on(Engine::Sqlite).await;
    home.run(&["sandbox", "advance", "7d"])
        .refused(3, "there is no account yet");
    home.run(SEED).expect(0);
    for span in ["-7d", "0d", "4000d", "soon", "1y"] {
        home.run(&["sandbox", "advance", span])
            .refused(2, "such as 90m, 12h, 7d");
    }
    home.run(&["sandbox", "advance", "--to", "soon"])
        .refused(2, "not a date");
    home.run(&["sandbox", "advance"]).refused(2, "SPAN");
    home.run(&["sandbox", "advance", "1d", "--to", "2023-09-01"])
        .refused(2, "cannot be used with");
    home.run(&["sandbox", "advance", "--to", "2050-01-01"])
        .refused(3, "is possible");
    let nobody = [
        "sandbox",
        "advance",
        "1d",
        "--account",
        "64da2084867c12ee0c2ca47f",
    ];
    home.run(&nobody)
        .refused(3, "no account 64da2084867c12ee0c2ca47f");
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

const PORTFOLIO: &[&str] = &["sandbox", "seed", "--listings", "5", "--reservations", "40"];

on_both_engines! {
    async fn a_portfolio_is_made_with_and_without_a_server(home: Home) {
        let made = home.run(&[PORTFOLIO, &["--format", "json"]].concat()).expect(0);
        assert_eq!(made.stdout.lines().count(), 1);
        let made: Value = serde_json::from_str(&made.stdout).unwrap();
        let reservations = made["counts"].as_array().unwrap().iter()
            .find(|group| group["what"] == "reservations").unwrap();
        assert_eq!(reservations["count"], 40);
        home.run(PORTFOLIO).refused(3, made["account"].as_str().unwrap());
        let server = home.serve(&[]);
        let other = home.run(&[PORTFOLIO, &["--seed", "2"]].concat()).expect(0);
        assert!(other.stdout.contains("collected by a channel"), "{}", other.stdout);
        home.run(PORTFOLIO).refused(3, made["account"].as_str().unwrap());
        server.stop();
    }
}

#[tokio::test]
async fn a_portfolio_that_cannot_be_is_refused_with_what_can() {
    let home = Home::on(Engine::Sqlite).await;
    let seed = |arguments: &[&str]| {
        let all = [&["sandbox", "seed"], arguments].concat();
        home.run(&all)
    };
    for (arguments, says) in [
        (&["--listings", "0", "--reservations", "5"][..], "from 1 to"),
        (&["--listings", "2", "--reservations", "999999"], "can take"),
        (&["--listings", "2"], "--reservations"),
        (
            &[
                "--listings",
                "2",
                "--reservations",
                "5",
                "--from",
                "2999-01-01",
            ],
            "first day",
        ),
        (
            &["--listings", "2", "--reservations", "5", "--from", "soon"],
            "--from",
        ),
        (
            &[
                "--listings",
                "2",
                "--reservations",
                "5",
                "--fixture",
                "guesty-docs",
            ],
            "cannot be used",
        ),
        (&[], "--fixture"),
    ] {
        seed(arguments).refused(2, says);
    }
    let nobody = [
        "--listings",
        "2",
        "--reservations",
        "5",
        "--account",
        "64da2084867c12ee0c2ca47f",
    ];
    seed(&nobody).refused(3, "no account 64da2084867c12ee0c2ca47f");
}
