//! Tokens: few, kept, shared, and replaced only when they must be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use guesty::{Guesty, Problem, Secret, Settings, Token};

use crate::server::{Desk, Reaction, Server, granted, json, with_header};

const ME: &str = "/v1/accounts/me";
const TOKEN: &str = "/oauth2/token";
const ACCOUNT: &str = r#"{"_id":"5213a2d206112710005d96ff","name":"A"}"#;
const GATEWAY: &str =
    r#"{"message":"You don't have permission to access, please contact Guesty support."}"#;

/// Accepts these tokens, and answers the others with a status.
async fn accepting(good: &'static [&'static str], bad: u16) -> Server {
    Server::start(move |request| {
        if good.contains(&request.token.as_str()) {
            json(200, ACCOUNT)
        } else {
            json(bad, GATEWAY)
        }
    })
    .await
}

#[tokio::test]
async fn many_calls_at_once_ask_for_one_token() {
    let server = accepting(&["token-1"], 403).await;
    let reader = server.reader();
    let answers = join_all((0..20).map(|_| reader.account())).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(server.count(TOKEN), 1);
    let form = &server.asked()[0].body;
    assert_eq!(
        form,
        "grant_type=client_credentials&scope=open-api&client_id=0oaTEST&client_secret=s3cr3t+of-the-app"
    );
}

#[tokio::test]
async fn a_token_outlives_the_process_and_is_shared() {
    let server = accepting(&["token-1"], 403).await;
    let desk = Desk::new();
    let (one, other) = (desk.process(&server), desk.process(&server));
    let answers = tokio::join!(one.account(), other.account());
    assert!(answers.0.is_ok() && answers.1.is_ok());
    desk.pass(23 * 60);
    desk.process(&server).account().await.unwrap();
    assert_eq!(server.count(TOKEN), 1);
}

#[tokio::test]
async fn a_token_is_replaced_half_an_hour_before_its_end() {
    let server = accepting(&["token-1", "token-2"], 403).await;
    let desk = Desk::new();
    let reader = desk.process(&server);
    reader.account().await.unwrap();
    desk.pass(24 * 60 - 31);
    reader.account().await.unwrap();
    assert_eq!(server.count(TOKEN), 1);
    desk.pass(2);
    reader.account().await.unwrap();
    assert_eq!(server.count(TOKEN), 2);
}

#[tokio::test]
async fn a_token_that_ends_soon_serves_while_no_other_is_to_be_had() {
    let asked = AtomicUsize::new(0);
    let server = Server::start_with_tokens(move |request| {
        match (request.path.as_str(), asked.fetch_add(1, Ordering::Relaxed)) {
            (TOKEN, 0) => granted(1),
            (TOKEN, _) => with_header(429, "retry-after", "900", ""),
            _ => json(200, ACCOUNT),
        }
    })
    .await;
    let desk = Desk::new();
    let reader = desk.process(&server);
    reader.account().await.unwrap();
    desk.pass(24 * 60 - 10);
    reader.account().await.unwrap();
    reader.account().await.unwrap();
    // Asked once more, and not again before the time that was named.
    assert_eq!(server.count(TOKEN), 2);
    desk.pass(12);
    let error = reader.account().await.unwrap_err();
    assert!(matches!(error.problem, Problem::TokensUsedUp(_)), "{error}");
    assert_eq!(server.count(TOKEN), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_and_the_call_made_again() {
    for status in [401, 403] {
        let server = accepting(&["token-2"], status).await;
        let desk = Desk::new();
        let (reader, other) = (desk.process(&server), desk.process(&server));
        other.account_id().await.unwrap();
        desk.pass(120);
        let answer = reader.account().await.unwrap();
        assert_eq!(answer.value.name.text(), "A");
        assert_eq!(server.count(TOKEN), 2, "{status}");
        assert_eq!(server.count(ME), 2, "{status}");
        // The other process finds the new one.
        other.account().await.unwrap();
        assert_eq!(server.count(TOKEN), 2, "{status}");
    }
}

#[tokio::test]
async fn a_second_refusal_is_real() {
    for status in [401, 403] {
        let server = accepting(&[], status).await;
        let desk = Desk::new();
        let reader = desk.process(&server);
        reader.account_id().await.unwrap();
        desk.pass(120);
        let error = reader.account().await.unwrap_err();
        let told = match error.problem {
            Problem::Unauthorized(told) | Problem::Forbidden(told) => told,
            other => panic!("{other}"),
        };
        assert_eq!(told.status, status);
        assert_eq!(server.count(ME), 2, "{status}");
        assert_eq!(server.count(TOKEN), 2, "{status}");
    }
}

#[tokio::test]
async fn missing_permissions_do_not_use_up_the_tokens_of_the_day() {
    let server = accepting(&[], 403).await;
    let desk = Desk::new();
    let reader = desk.process(&server);
    for _ in 0..200 {
        reader.account().await.unwrap_err();
        desk.pass(7);
    }
    // Spread over a day: two of five are left for tokens that end.
    assert!(server.count(TOKEN) <= 3, "{}", server.count(TOKEN));
}

#[tokio::test]
async fn a_403_right_after_a_success_is_about_what_was_asked() {
    let server = Server::start(|request| match request.path.as_str() {
        ME => json(200, ACCOUNT),
        _ => json(403, "\"Forbidden\""),
    })
    .await;
    let desk = Desk::new();
    let reader = desk.process(&server);
    reader.account_id().await.unwrap();
    desk.pass(300);
    reader.account().await.unwrap();
    let error = reader.taxes_of_account().await.unwrap_err();
    assert!(error.to_string().contains("403 \"Forbidden\""), "{error}");
    assert_eq!(server.count(TOKEN), 1);
    assert_eq!(server.count("/v1/taxes/account"), 1);
}

#[tokio::test]
async fn no_sixth_token_is_asked_for_in_a_day() {
    let server = accepting(&[], 401).await;
    let desk = Desk::new();
    let reader = desk.process(&server);
    for _ in 0..10 {
        reader.account().await.unwrap_err();
    }
    let error = reader.account().await.unwrap_err();
    assert_eq!(server.count(TOKEN), 5);
    assert!(matches!(error.problem, Problem::TokensUsedUp(_)), "{error}");
    assert!(error.to_string().contains("24 hours"), "{error}");
    desk.pass(24 * 60 + 1);
    reader.account().await.unwrap_err();
    assert!(server.count(TOKEN) > 5);
}

#[tokio::test]
async fn wrong_credentials_are_told_with_the_sources_own_words() {
    let body = r#"{"error":"invalid_client","error_description":"The client secret is invalid"}"#;
    let server = Server::start_with_tokens(move |_| json(401, body)).await;
    let error = server.reader().account().await.unwrap_err();
    let Problem::Credentials(told) = &error.problem else {
        panic!("{error}");
    };
    assert_eq!(told.code.as_deref(), Some("invalid_client"));
    assert!(
        error.to_string().contains("The client secret is invalid"),
        "{error}"
    );
    assert!(!error.is_transient());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_token_is_asked_for_again_when_the_source_is_in_trouble() {
    let asked = AtomicUsize::new(0);
    let server = Server::start_with_tokens(move |request| {
        match (request.path.as_str(), asked.fetch_add(1, Ordering::Relaxed)) {
            (TOKEN, 0 | 1) => json(503, ""),
            (TOKEN, _) => granted(1),
            _ => json(200, ACCOUNT),
        }
    })
    .await;
    server.reader().account().await.unwrap();
    assert_eq!(server.count(TOKEN), 3);
}

#[tokio::test]
async fn a_token_whose_answer_was_lost_is_not_asked_for_again_at_once() {
    let server = Server::start_with_tokens(|_| Reaction::Close).await;
    let error = server.reader().account().await.unwrap_err();
    assert!(matches!(error.problem, Problem::BrokenOff(_)), "{error}");
    assert_eq!(server.count(TOKEN), 1);
}

#[tokio::test]
async fn a_call_that_is_given_up_does_not_lose_the_token_under_way() {
    let (granting, grant) = tokio::sync::watch::channel(false);
    let asked = Arc::new(tokio::sync::Notify::new());
    let notified = Arc::clone(&asked);
    let server = Server::start_with_tokens(move |request| {
        if request.path == TOKEN {
            notified.notify_one();
            while !*grant.borrow() {
                std::thread::yield_now();
            }
            return granted(1);
        }
        json(200, ACCOUNT)
    });
    let server = tokio::task::spawn_blocking(move || {
        // The server blocks a thread while it waits, so it has a runtime of its own.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        (runtime.block_on(server), runtime)
    });
    let (server, runtime) = server.await.unwrap();
    let desk = Desk::new();
    let reader = desk.process(&server);
    let call = tokio::spawn(async move { reader.account().await });
    asked.notified().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    granting.send(true).unwrap();
    desk.process(&server).account().await.unwrap();
    assert_eq!(server.count(TOKEN), 1);
    runtime.shutdown_background();
}

#[tokio::test]
async fn the_account_is_known_from_the_token() {
    // {"accountId":"62a06d2f22513000359ee893"}
    let claims = "eyJhY2NvdW50SWQiOiI2MmEwNmQyZjIyNTEzMDAwMzU5ZWU4OTMifQ";
    let body = format!(r#"{{"access_token":"e30.{claims}.x","expires_in":"86400"}}"#);
    let server = Server::start_with_tokens(move |_| json(200, body.clone())).await;
    let id = server.reader().account_id().await.unwrap().unwrap();
    assert_eq!(id.to_string(), "62a06d2f22513000359ee893");
}

#[tokio::test]
async fn a_reply_without_a_token_is_an_error() {
    let server = Server::start_with_tokens(|_| json(200, r#"{"ok":true}"#)).await;
    let error = server.reader().account().await.unwrap_err();
    assert!(error.to_string().contains("no access_token"), "{error}");
}

#[test]
fn a_token_is_kept_as_a_text_and_never_shown() {
    let desk = Desk::new();
    let token = Token {
        access_token: Secret::new("abc.def.ghi"),
        issued_at: desk.now(),
        expires_at: desk.now(),
        issued_of_late: vec![desk.now()],
    };
    let text = token.to_text().unwrap();
    assert_eq!(Token::from_text(&text).unwrap(), token);
    assert!(Token::from_text(&Secret::new("{}")).is_err());
    assert!(!format!("{token:?} {text:?}").contains("def"));
}

#[tokio::test]
async fn nothing_that_is_printed_has_a_secret_in_it() {
    let server = Server::start_with_tokens(|_| json(401, "\"no\"")).await;
    let guesty = Guesty::new(Settings {
        ..server.settings()
    })
    .unwrap();
    let error = guesty.reader().account().await.unwrap_err();
    let credentials = server.settings().credentials;
    let shown = format!(
        "{guesty:?} {:?} {error} {error:?} {credentials:?}",
        guesty.reader()
    );
    assert!(!shown.contains("s3cr3t"), "{shown}");
}
