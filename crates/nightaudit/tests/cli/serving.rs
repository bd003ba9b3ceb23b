//! `nightaudit serve`, from its first line to its end.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::json;
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::support::Home;

const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";
const DOCS: &[&str] = &["--account", "5213a2d206112710005d96ff"];

on_both_engines! {
    async fn a_server_says_where_it_is_answers_and_stops_in_good_order(home: Home) {
        let credentials = home.app(&[]);
        let server = home.serve(&[]);
        assert!(server.base.starts_with("http://127.0.0.1:"), "{}", server.base);
        let token = server.token(&credentials).await;
        let (status, account) = server.get("/v1/accounts/me", &token).await;
        assert_eq!(status, 200, "{account}");
        assert!(home.path("nightaudit-data/control.json").exists());

        server.stop();
        assert!(!home.path("nightaudit-data/control.json").exists());
    }

    async fn what_was_acknowledged_outlives_a_kill(home: Home) {
        home.run(&["sandbox", "seed", "--fixture", "guesty-docs"]).expect(0);
        let server = home.serve(&[]);
        let credentials = home.app(DOCS);
        let token = server.token(&credentials).await;
        let payment = json!({
            "paymentMethod": {"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"},
            "amount": 500,
        });
        let (status, paid) = server.post(PAYMENTS, &token, &payment).await;
        assert_eq!(status, 201, "{paid}");
        server.kill();
        // The note of the killed server leads nobody astray.
        assert!(home.path("nightaudit-data/control.json").exists());
        let later = home.app(DOCS);

        let server = home.serve(&[]);
        let (status, both) = server.post(PAYMENTS, &token, &payment).await;
        assert_eq!(status, 201, "{both}");
        let payments = both["money"]["payments"].as_array().unwrap();
        assert_eq!(payments.len(), 2);
        assert_eq!(payments[0]["_id"], paid["money"]["payments"][0]["_id"]);
        server.token(&later).await;
        server.stop();
    }
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_server_stops() {
    let home = Home::on(Engine::Sqlite).await;
    let credentials = home.app(&[]);
    let mut server = home.serve(&[]);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        credentials.id, credentials.secret
    );
    let (first, rest) = form.split_at(form.len() / 2);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "POST /oauth2/token HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        form.len()
    )
    .unwrap();
    // The server asks for the body: so the request is in its hands.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(first.as_bytes()).unwrap();

    server.terminate();
    while TcpStream::connect(server.address()).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(rest.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 200 OK"), "{reply}");
    assert!(reply.contains("access_token"), "{reply}");
    let (status, _) = server.wait();
    assert!(status.success(), "{}", server.log());
}

#[tokio::test]
async fn connections_that_ask_nothing_do_not_hold_up_the_stop() {
    let home = Home::on(Engine::Sqlite).await;
    let server = home.serve(&[]);
    let silent = TcpStream::connect(server.address()).unwrap();
    let mut kept_alive = TcpStream::connect(server.address()).unwrap();
    kept_alive
        .write_all(b"GET /v1/accounts/me HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut answered = [0; 12];
    kept_alive.read_exact(&mut answered).unwrap();
    assert_eq!(&answered, b"HTTP/1.1 401");
    server.stop();
    drop(silent);
}

#[tokio::test]
async fn a_second_signal_does_not_wait_for_requests_in_flight() {
    let home = Home::on(Engine::Sqlite).await;
    let mut server = home.serve(&[]);
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .write_all(b"POST /oauth2/token HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n")
        .unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    server.terminate();
    while TcpStream::connect(server.address()).is_ok() {
        std::thread::yield_now();
    }
    server.terminate();
    let (status, _) = server.wait();
    assert_eq!(status.code(), Some(1), "{}", server.log());
    assert!(
        server.log().contains("requests unfinished"),
        "{}",
        server.log()
    );
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let home = Home::on(Engine::Sqlite).await;
    let credentials = home.app(&[]);
    let server = home.serve(&[]);
    let second = home.run(&["serve", "--listen", "127.0.0.1:0"]);
    second.refused(3, &server.base);
    server.token(&credentials).await;
    server.stop();
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let home = Home::on(Engine::Sqlite).await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    home.run(&["serve", "--listen", &address])
        .refused(1, &address);
}

#[tokio::test]
async fn only_the_admin_token_opens_the_routes_of_the_commands() {
    let home = Home::on(Engine::Sqlite).await;
    let server = home.serve(&[]);
    let of_application = server.token(&home.app(&[])).await;
    let control = std::fs::read_to_string(home.path("nightaudit-data/control.json")).unwrap();
    let control: serde_json::Value = serde_json::from_str(&control).unwrap();
    let admin = control["admin_token"].as_str().unwrap();
    let order = json!({"name": "Thief"});
    let paths = [
        "/control/applications",
        "/control/fixtures/guesty-docs",
        "/control/x",
        "/control/books/portfolios",
        "/control/books/sync",
        "/control/books/x",
    ];

    let longer = format!("{admin}x");
    let swapped: String = admin.chars().rev().collect();
    for token in ["", "x", &admin[1..], &longer, &swapped, &of_application] {
        for path in paths {
            let (status, _) = server.post(path, token, &order).await;
            assert_eq!(status, 401, "{path} with {token}");
        }
    }
    for path in paths {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let request = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answered = [0; 12];
        stream.read_exact(&mut answered).unwrap();
        assert_eq!(&answered, b"HTTP/1.1 401", "{path}");
    }
    let portfolios = home
        .run(&["portfolio", "list", "--format", "json"])
        .expect(0);
    assert_eq!(portfolios.json(), json!([]));

    for (path, expected) in [(paths[0], 200), (paths[2], 404), (paths[3], 200)] {
        let (status, said) = server.post(path, admin, &order).await;
        assert_eq!(status, expected, "{path}: {said}");
    }
    server.stop();
}

#[tokio::test]
async fn no_secret_reaches_the_log_even_when_everything_is_logged() {
    let home = Home::on(Engine::Sqlite).await;
    let server = home.serve(&["--log", "trace"]);
    let credentials = home.app(&[]);
    let token = server.token(&credentials).await;
    assert_eq!(server.get("/v1/accounts/me", &token).await.0, 200);
    let control = std::fs::read_to_string(home.path("nightaudit-data/control.json")).unwrap();
    let control: serde_json::Value = serde_json::from_str(&control).unwrap();
    let admin_token = control["admin_token"].as_str().unwrap();
    let key = std::fs::read_to_string(home.path("nightaudit-data/key")).unwrap();
    let log = server.log();
    assert!(!log.is_empty());
    for secret in [&credentials.secret, &token, admin_token, key.trim()] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    server.stop();
}
