//! Subscriptions: written once, and only they.

use std::sync::atomic::{AtomicUsize, Ordering};

use guesty::{Guesty, Problem};

use crate::server::{Reaction, Server, json};

const URL: &str = "https://books.example/webhooks/guesty/1?a=b";
const HOOK: &str = r#"{"accountId":"5213a2d206112710005d96ff","_id":"563e0b6a08a2710e00057b82","url":"https://books.example/webhooks/guesty/1?a=b","events":["listing.new","listing.updated"]}"#;

#[tokio::test]
async fn a_url_is_subscribed_once_however_often_it_is_registered() {
    let server = Server::start(|request| match request.method.as_str() {
        "GET" => json(200, format!("[{HOOK}]")),
        _ => json(500, ""),
    })
    .await;
    let registrar = server.guesty().webhook_registrar();
    let answer = registrar
        .register(URL, &["listing.updated", "listing.new"])
        .await
        .unwrap();
    assert_eq!(
        answer.value.id.get().unwrap().to_string(),
        "563e0b6a08a2710e00057b82"
    );
}

#[tokio::test]
async fn a_new_url_is_subscribed_and_a_known_one_gets_other_events() {
    let server = Server::start(
        |request| match (request.method.as_str(), request.body.as_str()) {
            ("GET", _) => json(200, format!(r#"{{"results":[{HOOK}]}}"#)),
            ("POST", r#"{"url":"https://other.example","events":["listing.new"]}"#) => {
                json(201, HOOK)
            }
            // The documents say that this one answers with a list.
            ("PUT", r#"{"events":["listing.new"]}"#) => json(200, format!("[{HOOK}]")),
            _ => json(400, "\"no\""),
        },
    )
    .await;
    let registrar = server.guesty().webhook_registrar();
    registrar
        .register("https://other.example", &["listing.new"])
        .await
        .unwrap();
    let changed = registrar.register(URL, &["listing.new"]).await.unwrap();
    assert_eq!(changed.value.url.text(), URL);
    let asked = server.asked();
    assert_eq!(
        asked.last().unwrap().path,
        "/v1/webhooks/563e0b6a08a2710e00057b82"
    );
}

#[tokio::test]
async fn what_changes_something_is_asked_once() {
    type How = fn() -> Reaction;
    let faults: [How; 3] = [|| json(500, ""), || Reaction::Close, || json(429, "")];
    for how in faults {
        let server = Server::start(move |_| how()).await;
        let registrar = server.guesty().webhook_registrar();
        registrar.create(URL, &["listing.new"]).await.unwrap_err();
        assert_eq!(server.count("/v1/webhooks"), 1);
    }
}

#[tokio::test]
async fn the_cap_of_a_plan_is_told_in_the_sources_words() {
    let server = Server::start(|_| json(400, r#"{"message":"Webhooks limit exceeded"}"#)).await;
    let error = server
        .guesty()
        .webhook_registrar()
        .create(URL, &[])
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("Webhooks limit exceeded"),
        "{error}"
    );
}

#[tokio::test]
async fn deleting_what_is_gone_is_no_error() {
    let id = "563e0b6a08a2710e00057b82".parse().unwrap();
    for (status, is_deleted) in [(204, true), (404, true), (400, false)] {
        let server = Server::start(move |_| json(status, "")).await;
        let deleted = server.guesty().webhook_registrar().delete(id).await;
        assert_eq!(deleted.is_ok(), is_deleted, "{status}");
        assert_eq!(server.asked().last().unwrap().method, "DELETE");
    }
}

#[tokio::test]
async fn the_secret_is_waited_for() {
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        assert_eq!(request.parameter("url"), Some(URL));
        match asked.fetch_add(1, Ordering::Relaxed) {
            0..3 => json(404, "\"Not found\""),
            _ => json(200, r#"{"key":"whsec_c2VjcmV0"}"#),
        }
    })
    .await;
    let secret = server
        .guesty()
        .webhook_registrar()
        .secret(URL)
        .await
        .unwrap();
    assert_eq!(secret.reveal(), "whsec_c2VjcmV0");
    assert!(!format!("{secret:?}").contains("c2Vj"));
}

#[tokio::test]
async fn a_secret_that_never_comes_is_an_error_in_the_end() {
    let server = Server::start(|_| json(404, "\"Not found\"")).await;
    let guesty = Guesty::new(server.settings()).unwrap();
    let error = guesty.webhook_registrar().secret(URL).await.unwrap_err();
    assert!(matches!(error.problem, Problem::NotFound(_)), "{error}");
    assert_eq!(server.count("/v1/webhooks-v2/secret"), 8);
}
