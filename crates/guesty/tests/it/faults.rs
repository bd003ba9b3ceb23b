//! What goes wrong between us and the source, and what is said about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use guesty::{Error, Guesty, Problem, Settings, WallClock};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection};
use tokio::io::AsyncWriteExt;

use crate::server::{Reaction, Server, json, settings, with_header};

const ME: &str = "/v1/accounts/me";
const ACCOUNT: &str = r#"{"_id":"5213a2d206112710005d96ff","name":"A"}"#;

/// Misbehaves so many times, then answers.
async fn misbehaving(times: usize, how: impl Fn() -> Reaction + Send + Sync + 'static) -> Server {
    let asked = AtomicUsize::new(0);
    Server::start(move |_| {
        if asked.fetch_add(1, Ordering::Relaxed) < times {
            how()
        } else {
            json(200, ACCOUNT)
        }
    })
    .await
}

/// The error of a source that always misbehaves, and how often it was asked.
async fn failing(how: impl Fn() -> Reaction + Send + Sync + 'static) -> (Error, usize) {
    let server = misbehaving(usize::MAX, how).await;
    let error = server.reader().account().await.unwrap_err();
    (error, server.count(ME))
}

#[tokio::test]
async fn what_passes_is_asked_again() {
    type How = fn() -> Reaction;
    let faults: [(&str, How); 9] = [
        ("408", || json(408, "")),
        ("429", || with_header(429, "retry-after", "0", "")),
        ("500", || json(500, "\"Internal Server Error\"")),
        ("502 page", || {
            with_header(502, "content-type", "text/html", "<html>bad gateway</html>")
        }),
        ("503", || json(503, "")),
        ("closed", || Reaction::Close),
        ("truncated body", || Reaction::Truncated(ACCOUNT.to_owned())),
        ("truncated JSON", || json(200, &ACCOUNT[..20])),
        ("empty", || json(200, "")),
    ];
    for (name, how) in faults {
        let server = misbehaving(3, how).await;
        let answer = server.reader().account().await;
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(answer.value.name.text(), "A", "{name}");
        assert_eq!(&answer.reply.body[..], ACCOUNT.as_bytes(), "{name}");
        assert_eq!(server.count(ME), 4, "{name}");
    }
}

#[tokio::test]
async fn tries_are_bounded_and_the_error_says_how_many_there_were() {
    let (error, asked) =
        failing(|| json(500, r#"{"error":{"message":"Something went wrong"}}"#)).await;
    assert_eq!((error.tries, asked), (5, 5));
    assert!(error.is_transient());
    assert_eq!(
        error.to_string(),
        "GET /v1/accounts/me: the source is in trouble, and answered 500 \"Something went wrong\": \
         try again later (asked 5 times)"
    );
}

#[tokio::test]
async fn what_does_not_pass_is_asked_once() {
    for (status, body, says) in [
        (
            400,
            r#"{"error":{"message":"Bad Request","code":"VALIDATION_FAILED","status":400,"data":["Invalid date format"]}}"#,
            "Invalid date format",
        ),
        (404, "\"Reservation Not Found\"", "Reservation Not Found"),
        (422, "", "422"),
    ] {
        let (error, asked) = failing(move || json(status, body)).await;
        assert_eq!(asked, 1, "{status}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(!error.is_transient(), "{error}");
    }
}

#[tokio::test]
async fn the_id_of_a_failed_request_is_told_for_the_sources_support() {
    let (error, _) = failing(|| with_header(400, "x-request-id", "req-77", "\"no\"")).await;
    assert!(error.to_string().contains("request req-77"), "{error}");
}

#[tokio::test]
async fn a_short_wait_that_the_source_asks_for_is_kept() {
    let server = misbehaving(1, || with_header(429, "Retry-After", "1", "")).await;
    let started = Instant::now();
    server.reader().account().await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_wait_beyond_patience_is_an_error_that_says_how_long() {
    let (error, asked) = failing(|| with_header(429, "Retry-After", "3600", "")).await;
    assert_eq!(asked, 1);
    assert_eq!(error.problem, Problem::RateLimited(Duration::from_hours(1)));
    assert!(error.to_string().contains("60 minutes"), "{error}");
}

#[tokio::test]
async fn a_date_to_wait_for_is_taken_by_the_sources_clock() {
    let (error, _) = failing(|| Reaction::Reply {
        status: 429,
        headers: vec![
            ("date", "Wed, 21 Oct 2015 07:28:00 GMT".to_owned()),
            ("retry-after", "Wed, 21 Oct 2015 08:28:00 GMT".to_owned()),
        ],
        body: String::new(),
    })
    .await;
    assert_eq!(error.problem, Problem::RateLimited(Duration::from_hours(1)));
}

#[tokio::test]
async fn clocks_that_differ_are_noticed() {
    let server =
        Server::start(|_| with_header(200, "date", "Wed, 21 Oct 2015 07:28:00 GMT", ACCOUNT)).await;
    let reply = server.reader().account().await.unwrap().reply;
    assert!(reply.clock_skew().unwrap() > Duration::from_hours(24 * 365));
}

#[tokio::test]
async fn a_page_instead_of_json_says_to_check_the_address() {
    for status in [200, 403, 404] {
        let (error, asked) = failing(move || {
            with_header(
                status,
                "content-type",
                "text/html",
                "<!doctype html>\n<h1>Hello</h1>",
            )
        })
        .await;
        assert_eq!(asked, 1);
        let text = error.to_string();
        assert!(text.contains("<!doctype html> <h1>Hello</h1>"), "{text}");
        assert!(text.contains("check whether the address"), "{text}");
    }
    let (error, _) = failing(|| json(200, "It works!")).await;
    assert!(matches!(error.problem, Problem::NotJson(_)), "{error}");
}

#[tokio::test]
async fn an_address_that_is_no_open_api_is_told_when_a_token_is_asked_for() {
    let server = Server::start_with_tokens(|_| {
        with_header(
            404,
            "content-type",
            "text/html",
            "<html>nothing here</html>",
        )
    })
    .await;
    let error = server.reader().account().await.unwrap_err();
    assert!(matches!(error.problem, Problem::NotJson(_)), "{error}");
    let other = Server::start_with_tokens(|_| json(404, "\"no such route\"")).await;
    let error = other.reader().account().await.unwrap_err();
    assert!(matches!(error.problem, Problem::NotFound(_)), "{error}");
}

#[tokio::test]
async fn a_reply_that_is_packed_unasked_is_told() {
    let (error, _) = failing(|| with_header(200, "content-encoding", "gzip", "\u{1f}\u{b}")).await;
    assert!(error.to_string().contains("packed with gzip"), "{error}");
}

#[tokio::test]
async fn a_pause_that_nobody_can_read_is_no_pause() {
    for odd in [
        "soon",
        "-5",
        "1.5",
        "99999999999999999999999",
        "",
        "Tomorrow, 21 Oct",
    ] {
        let server = misbehaving(1, || with_header(429, "retry-after", odd, "")).await;
        server.reader().account().await.unwrap();
        assert_eq!(server.count(ME), 2, "{odd}");
    }
    let (error, asked) =
        failing(|| with_header(429, "retry-after", &u64::MAX.to_string(), "")).await;
    assert_eq!(asked, 1, "{error}");
}

#[tokio::test]
async fn json_of_another_shape_is_told() {
    let (error, asked) = failing(|| json(200, "[1,2]")).await;
    assert_eq!(asked, 1);
    assert!(
        error.to_string().contains("it is no object, in [1,2]"),
        "{error}"
    );
}

#[tokio::test]
async fn redirects_are_not_followed_and_the_token_goes_nowhere() {
    let thief = Server::start(|_| json(200, ACCOUNT)).await;
    let target = format!("http://{}/v1/accounts/me?secret=1", thief.address);
    for status in [301, 302, 307, 308] {
        let target = target.clone();
        let (error, asked) = failing(move || with_header(status, "location", &target, "")).await;
        assert_eq!(asked, 1);
        let text = error.to_string();
        assert!(
            text.contains(&format!("http://{}/v1/accounts/me,", thief.address)),
            "{text}"
        );
    }
    assert!(thief.asked().is_empty());
}

#[tokio::test]
async fn a_redirected_request_for_a_token_does_not_take_the_secret_along() {
    let thief = Server::start(|_| json(200, ACCOUNT)).await;
    let target = format!("http://{}/oauth2/token", thief.address);
    let server =
        Server::start_with_tokens(move |_| with_header(307, "location", &target, "")).await;
    let error = server.reader().account().await.unwrap_err();
    assert!(matches!(error.problem, Problem::Redirected(_)), "{error}");
    assert!(thief.asked().is_empty());
}

#[tokio::test]
async fn a_huge_reply_is_cut_off() {
    let server = Server::start(|_| json(200, format!("\"{}\"", "x".repeat(3_000_000)))).await;
    let settings = Settings {
        body_bytes_max: 2 * 1024 * 1024,
        ..server.settings()
    };
    let error = Guesty::new(settings)
        .unwrap()
        .reader()
        .account()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("larger than 2 MiB"), "{error}");
    assert_eq!(server.count(ME), 1);
}

#[tokio::test]
async fn a_source_that_wants_a_long_rest_says_until_when() {
    let long_rest = |until: String| {
        move || Reaction::Reply {
            status: 503,
            headers: vec![
                ("date", "Sat, 21 Nov 2026 10:00:00 GMT".to_owned()),
                ("retry-after", until.clone()),
            ],
            body: String::new(),
        }
    };
    let clock = WallClock::new(|| "2026-11-21T10:00:07Z".parse().unwrap());
    for (until, says) in [
        ("7200", "until 2026-11-21T12:00:07.000Z"),
        (
            "Sun, 22 Nov 2026 10:00:00 GMT",
            "until 2026-11-22T10:00:07.000Z",
        ),
        (u64::MAX.to_string().as_str(), "try again later"),
    ] {
        let rest = long_rest(until.to_owned());
        let server = Server::start(move |_| rest()).await;
        let settings = Settings {
            clock: clock.clone(),
            ..server.settings()
        };
        let error = (Guesty::new(settings).unwrap().reader()).account().await;
        let error = error.unwrap_err();
        assert_eq!(error.tries, 1, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn silence_ends_after_the_timeout() {
    let server = Server::start(|_| Reaction::Silence).await;
    let mut settings = server.settings();
    settings.timeout = Duration::from_millis(100);
    settings.retry.tries = 5;
    let error = Guesty::new(settings)
        .unwrap()
        .reader()
        .account()
        .await
        .unwrap_err();
    assert_eq!(error.tries, 2);
    assert!(matches!(error.problem, Problem::TimedOut(_)), "{error}");
}

#[tokio::test]
async fn nobody_there_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let guesty = Guesty::new(settings(&format!("http://{address}"))).unwrap();
    let error = guesty.reader().account().await.unwrap_err();
    assert!(matches!(error.problem, Problem::Unreachable(_)), "{error}");
    assert!(error.is_transient());
}

/// A certificate that nobody vouches for, for 127.0.0.1 and until 2126, and its key.
const SELF_SIGNED: &str = "MIIBkDCCATagAwIBAgIUeNfDkTTHtcrIVqxsAU/l9v1KZ9wwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJMTI3LjAu\
    MC4xMCAXDTI2MTEyMTEyMjYzNVoYDzIxMjYxMDI4MTIyNjM1WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcq\
    hkjOPQIBBggqhkjOPQMBBwNCAARuBBX0e5UqCvKdLszbQn7c0hIVDhePIVipATYJd2FOuUSCstzRqdpwN0kaGEQg\
    80FFONXo/w2mpwnX2cBAknT8o2QwYjAdBgNVHQ4EFgQU1OF507cp+UPMFV25HoP9Oe8mXLwwHwYDVR0jBBgwFoAU\
    1OF507cp+UPMFV25HoP9Oe8mXLwwDwYDVR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMC\
    A0gAMEUCIQCZC2nZkUNfb+jD/B9MJ4kPis+y6hhaIXICrW1B/q1q7QIgXXUNKKVAAdTkv7V8+dp9vMIAeNdueVbU\
    4OIwT2oT8Gs=";
const ITS_KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/PZwIA5cMZ1XZG6zIb171KqNEztjKOYD3ioJqVlR\
    qUmhRANCAARuBBX0e5UqCvKdLszbQn7c0hIVDhePIVipATYJd2FOuUSCstzRqdpwN0kaGEQg80FFONXo/w2mpwnX\
    2cBAknT8";

/// A server with that certificate.
fn with_tls() -> std::net::SocketAddr {
    let decode = |text: &str| BASE64.decode(text.as_bytes()).unwrap();
    let key = PrivatePkcs8KeyDer::from(decode(ITS_KEY));
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![decode(SELF_SIGNED).into()], key.into());
    let config = Arc::new(config.unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let _ = session.complete_io(&mut stream.unwrap());
        }
    });
    address
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_told() {
    let guesty = Guesty::new(settings(&format!("https://{}", with_tls()))).unwrap();
    let error = guesty.reader().account().await.unwrap_err();
    assert!(matches!(error.problem, Problem::Tls(_)), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("that of an authority") && said.contains("SSL_CERT_FILE"),
        "{said}"
    );
    assert_eq!(error.tries, 1);
}

#[tokio::test]
async fn a_server_that_wants_tls_is_told() {
    let mut settings = settings(&format!("http://{}", with_tls()));
    settings.retry.tries = 1;
    let error = Guesty::new(settings).unwrap().reader().account().await;
    let error = error.unwrap_err();
    assert!(matches!(error.problem, Problem::BrokenOff(_)), "{error}");
    assert!(
        error.to_string().contains("is to begin with https://"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let guesty = Guesty::new(settings(&format!("https://{address}"))).unwrap();
    let error = guesty.reader().account().await.unwrap_err();
    assert!(matches!(error.problem, Problem::Tls(_)), "{error}");
    assert!(error.to_string().contains("does not speak TLS"), "{error}");
    assert_eq!(error.tries, 1);
}

#[tokio::test]
async fn a_source_that_echoes_a_secret_has_it_repeated_nowhere() {
    const SECRET: &str = "s3cr3t of-the-app";
    let basic = BASE64.encode(format!("0oaTEST:{SECRET}").as_bytes());
    for echo in [SECRET, "s3cr3t%20of-the-app", "s3cr3t+of-the-app", &basic] {
        let body = format!(r#"{{"error":"invalid_client","error_description":"bad {echo}!"}}"#);
        let server = Server::start_with_tokens(move |_| json(400, body.clone())).await;
        let error = server.reader().account().await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("\"bad [secret]!\""), "{text}");
    }
    for (status, kind) in [
        (200, "text/html"),
        (403, "application/json"),
        (500, "text/plain"),
    ] {
        let server = Server::start(move |request| {
            let token = format!("{} denied for Bearer {}", "x".repeat(170), request.token);
            with_header(status, "content-type", kind, &format!("\"{token}\""))
        })
        .await;
        let error = server.reader().account().await.unwrap_err();
        let text = format!("{error} {:?}", error.problem.to_string());
        assert!(text.contains("denied for Bearer [se"), "{text}");
        assert!(!text.contains("token-"), "{text}");
    }
}

#[tokio::test]
async fn a_reply_that_gives_a_secret_is_not_repeated_though_it_is_odd() {
    for odd in [
        r#"["tok-of-theirs"]"#,
        r#""tok-of-theirs""#,
        "tok-of-theirs",
    ] {
        let server = Server::start_with_tokens(move |_| json(200, odd)).await;
        let error = server.reader().account().await.unwrap_err();
        assert!(!error.to_string().contains("theirs"), "{error}");

        let server = Server::start(move |_| json(200, odd)).await;
        let registrar = server.guesty().webhook_registrar();
        let error = registrar.secret("https://a.example/").await.unwrap_err();
        assert!(!error.to_string().contains("theirs"), "{error}");
    }
}
