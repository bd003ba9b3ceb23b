//! Clients that are many, silent or slow.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use store::testing::{Engine, Fixture};

use crate::support::{Home, Server};

const ALIVE: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

/// A connection that fails a test rather than wait for ever.
fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    let patience = Some(Duration::from_mins(1));
    stream.set_read_timeout(patience).unwrap();
    stream.set_write_timeout(patience).unwrap();
    stream
}

/// Asks, and reads the reply to its end.
fn ask_if_alive(stream: &mut TcpStream) {
    stream.write_all(ALIVE).unwrap();
    let mut reply = Vec::new();
    while !reply.ends_with(b"{\"status\":\"ok\"}") {
        let mut piece = [0; 1024];
        let length = stream.read(&mut piece).unwrap();
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&reply));
        reply.extend(&piece[..length]);
    }
}

/// Whatever comes until the server closes the connection.
fn read_to_end(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_connection_that_is_silent_is_closed_before_and_after_a_request_and_in_its_head() {
    let home = Home::on(Engine::Sqlite).await;
    let server = home.serve(&["--idle-seconds", "1"]);
    let mut silent = connect(&server);
    let mut begun = connect(&server);
    begun
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ")
        .unwrap();
    let mut kept_alive = connect(&server);
    ask_if_alive(&mut kept_alive);
    for stream in [&mut silent, &mut begun, &mut kept_alive] {
        assert_eq!(read_to_end(stream), "");
    }
    ask_if_alive(&mut connect(&server));
    server.stop();
}

#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_refused() {
    let home = Home::on(Engine::Sqlite).await;
    let credentials = home.app(&[]);
    let server = home.serve(&["--slow-seconds", "1"]);
    let token = server.token(&credentials).await;
    for (path, status, says) in [
        (
            "/v1/listings",
            "408 Request Timeout",
            "did not arrive within 1 s",
        ),
        ("/oauth2/token", "400 Bad Request", "came too slowly"),
    ] {
        let mut slow = connect(&server);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-length: 100\r\n\r\n{{"
        );
        slow.write_all(head.as_bytes()).unwrap();
        let reply = read_to_end(&mut slow);
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{reply}");
        assert!(reply.contains(says), "{reply}");
    }
    server.stop();
}

#[tokio::test]
async fn a_client_that_asks_and_does_not_read_is_cut_off() {
    let home = Home::on(Engine::Sqlite).await;
    let server = home.serve(&["--slow-seconds", "1", "--log", "warn"]);
    let mut deaf = connect(&server);
    let questions = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
    // Until the buffers on the way are full of replies, and then until the server has had enough.
    let ended = loop {
        if let Err(error) = deaf.write_all(&questions) {
            break error.kind();
        }
    };
    let is_cut_off = matches!(ended, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
    assert!(is_cut_off, "{ended:?}");
    ask_if_alive(&mut connect(&server));
    server.stop();
}

#[tokio::test]
async fn where_all_connections_are_taken_the_next_waits_until_one_ends() {
    let home = Home::on(Engine::Sqlite).await;
    let server = home.serve(&["--connections-max", "1", "--idle-seconds", "1"]);
    let mut first = connect(&server);
    ask_if_alive(&mut first);
    let mut second = connect(&server);
    ask_if_alive(&mut second);
    // The first had ended by then, or this would have to wait.
    first.set_nonblocking(true).unwrap();
    assert_eq!(read_to_end(&mut first), "");
    assert!(
        server.log().contains("all connections are taken"),
        "{}",
        server.log()
    );
    drop(second);
    server.stop();
}
