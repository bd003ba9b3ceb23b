//! `nightaudit webhooks`, and a server that sends them.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};
use store::on_both_engines;

use crate::support::Home;

const SEED: &[&str] = &["sandbox", "seed", "--fixture", "guesty-docs"];
const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";

/// Answers one request with 200; gives what it said.
fn one_request(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    let mut part = [0; 4096];
    while !request.ends_with(b"}") {
        let count = stream.read(&mut part).unwrap();
        assert_ne!(count, 0, "the request broke off");
        request.extend_from_slice(&part[..count]);
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).unwrap();
    String::from_utf8(request).unwrap()
}

on_both_engines! {
    async fn a_server_sends_what_happens_and_commands_show_and_repeat_it(home: Home) {
        home.run(SEED).expect(0);
        let credentials = home.app(&[]);
        let server = home.serve(&["--allow-private-webhooks"]);
        let token = server.token(&credentials).await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let receiving = thread::spawn(move || [one_request(&listener), one_request(&listener)]);
        let new = json!({"url": url, "events": ["payments.received"]});
        let (status, webhook) = server.post("/v1/webhooks", &token, &new).await;
        assert_eq!(status, 201, "{webhook}");
        let id = webhook["_id"].as_str().unwrap();
        let listed = home.run(&["webhooks", "list"]).expect(0);
        assert!(listed.stdout.contains(id) && listed.stdout.contains(&url), "{listed:?}");

        let payment = json!({
            "paymentMethod": {"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"},
            "amount": 500,
        });
        let (status, _) = server.post(PAYMENTS, &token, &payment).await;
        assert_eq!(status, 201);
        let attempts = loop {
            let told = home.run(&["webhooks", "attempts", id, "--format", "json"]).expect(0);
            let told: Vec<Value> = serde_json::from_str(&told.stdout).unwrap();
            if !told.is_empty() {
                break told;
            }
        };
        assert_eq!(attempts[0]["statusCode"], 200);
        let attempt = attempts[0]["_id"].as_str().unwrap();
        home.run(&["webhooks", "replay", attempt]).expect(0);
        home.run(&["webhooks", "replay", id]).refused(3, "attempt not found");
        home.run(&["webhooks", "attempts", attempt]).refused(3, "Webhook not found");
        let [first, second] = receiving.join().unwrap();
        let svix_id = |request: &str| {
            let line = request.lines().find(|line| line.starts_with("svix-id: "));
            line.unwrap().to_owned()
        };
        assert!(first.contains(r#""event":"payments.received""#), "{first}");
        assert_eq!(svix_id(&first), svix_id(&second));
        server.stop();

        let told = home.run(&["webhooks", "attempts", id]).expect(0);
        assert_eq!(told.stdout.lines().count(), 2, "{told:?}");
        home.run(&["webhooks", "replay", id]).refused(3, "attempt not found");
    }

    async fn a_server_refuses_private_receivers_unless_it_is_told_otherwise(home: Home) {
        let credentials = home.app(&[]);
        let server = home.serve(&[]);
        let token = server.token(&credentials).await;
        let new = json!({"url": "http://127.0.0.1:9/in", "events": ["payments.received"]});
        let (status, refused) = server.post("/v1/webhooks", &token, &new).await;
        assert_eq!(status, 400);
        assert!(refused.as_str().unwrap().contains("--allow-private-webhooks"), "{refused}");
        server.stop();
    }
}
