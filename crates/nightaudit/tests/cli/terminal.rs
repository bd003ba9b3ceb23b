//! What a terminal gets to see: nothing that others wrote does anything to it.

use axum::Router;
use axum::http::{StatusCode, header};
use serde_json::Value;
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::relay::Relay;
use crate::support::{Credentials, Home, Ran};

const ACCOUNT: &str = "5213a2d206112710005d96ff";
const RESERVATION: &str = "64da254383ad1500284bd0c0";

/// As JSON has it, and as people are shown it.
const EVIL: &str = r"Lu\u001b[31mEvil\u001b[2J\u0007\r\n\u009bX";
const SHOWN: &str = r"Lu\u{1b}[31mEvil\u{1b}[2J\u{7}\r\n\u{9b}X";

#[track_caller]
fn assert_harmless(told: &str) {
    let odd = |c: char| c.is_control() && c != '\n';
    assert!(!told.contains(odd), "{told:?}");
}

on_both_engines! {
    async fn the_name_of_a_guest_does_nothing_to_a_terminal(home: Home) {
        home.run(&["sandbox", "seed", "--fixture", "guesty-docs"]).expect(0);
        let credentials = home.app(&["--account", ACCOUNT]);
        let books = Home::on(Engine::Sqlite).await;
        let server = home.serve(&[]);
        let relay = Relay::to(&server.base).await;
        relay.write_instead(r#""fullName":""#, &format!(r#""fullName":"{EVIL}"#));
        books.connect(&relay.base, &credentials, &[]).expect(4);
        books.run(&["sync", "reservations"]).expect(0);

        let history = ["history", "reservation", RESERVATION];
        let told = books.run(&history).expect(0).stdout;
        assert_harmless(&told);
        assert!(told.lines().any(|line| line.contains(SHOWN)), "{told}");
        // For programs it is what it is.
        let json = books.run(&[&history[..], &["--format", "json"]].concat()).expect(0);
        assert_harmless(&json.stdout);
        let name: Value = serde_json::from_str(&format!("\"{EVIL}\"")).unwrap();
        let told = json.json()["objects"][0]["steps"][0]["values"].to_string();
        assert!(told.contains(name.to_string().trim_matches('"')), "{told}");
        server.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_source_answers_does_nothing_to_a_terminal() {
    let books = Home::on(Engine::Sqlite).await;
    let refusal = format!(r#"{{"error":{{"code":"BAD","message":"{EVIL}"}}}}"#);
    let source = Router::new().fallback(async move || {
        let json = [(header::CONTENT_TYPE, "application/json")];
        (StatusCode::BAD_REQUEST, json, refusal)
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, source).await });
    let credentials = Credentials {
        id: "0oaTEST".to_owned(),
        secret: "secret".to_owned(),
    };
    books.connect(&base, &credentials, &[]).expect(4);
    for command in ["status", "refresh", "sync"] {
        let told = books.run(&[command]).expect(4).stdout;
        assert_harmless(&told);
        assert!(told.lines().any(|line| line.contains(SHOWN)), "{told}");
    }
}

#[tokio::test]
async fn who_reads_no_further_is_told_nothing() {
    let home = Home::on(Engine::Sqlite).await;
    home.app(&[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = home.command(&["app", "create", "--name", "x"]);
    let ran = Ran::from(command.stdout(writer).output().unwrap()).expect(141);
    assert!(!ran.stderr.contains("error"), "{ran:?}");
}
