//! How many requests an account may make. No database knows of it.

use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, StatusCode, header};
use chrono::Duration;
use payments::{NewApplication, RateLimits, Settings};
use store::testing::Engine;
use tokio::sync::oneshot;

use crate::support::{Reply, TestApp};

const ME: &str = "/v1/accounts/me";

async fn limited(limits: RateLimits) -> TestApp {
    let settings = Settings {
        limits: Some(limits),
        ..Settings::default()
    };
    TestApp::with(Engine::Sqlite, settings)
        .await
        .signed_in()
        .await
}

fn numbers(per_second: u32, per_minute: u32, per_hour: u32, at_once: u32) -> RateLimits {
    let number = |n| NonZeroU32::new(n).unwrap();
    RateLimits {
        per_second: number(per_second),
        per_minute: number(per_minute),
        per_hour: number(per_hour),
        at_once: number(at_once),
    }
}

fn header_of(reply: &Reply, name: &str) -> String {
    let value = reply.headers.get(name);
    value.map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

/// A body that says when it is read, and ends when it may.
struct SlowBody {
    started: Option<oneshot::Sender<()>>,
    released: oneshot::Receiver<()>,
}

impl HttpBody for SlowBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        if let Some(started) = self.started.take() {
            started.send(()).unwrap();
        }
        ready!(Pin::new(&mut self.released).poll(cx)).unwrap();
        Poll::Ready(None)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reply_tells_the_limits_and_what_is_left_of_them() {
    let app = limited(RateLimits::DOCUMENTED).await;
    let told = |reply: &Reply| {
        ["second", "minute", "hour"].map(|interval| {
            let of = |what: &str| header_of(reply, &format!("x-ratelimit-{what}-{interval}"));
            (of("limit"), of("remaining"))
        })
    };
    let as_texts = |pairs: [(&str, &str); 3]| pairs.map(|(a, b)| (a.to_owned(), b.to_owned()));

    let first = app.get(ME).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(
        told(&first),
        as_texts([("15", "14"), ("120", "119"), ("5000", "4999")])
    );
    // What is wrong or not there is a request too.
    let missing = "/v1/reservations/0000000000000000000000aa";
    let second = app.get(missing).await;
    assert_eq!(second.status, StatusCode::NOT_FOUND);
    assert_eq!(
        told(&second),
        as_texts([("15", "13"), ("120", "118"), ("5000", "4998")])
    );
    let third = app.get("/v1/nowhere").await;
    assert_eq!(third.status, StatusCode::NOT_FOUND);
    let fourth = app.patch(missing).await;
    assert_eq!(fourth.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        [told(&third), told(&fourth)].map(|told| told[0].1.clone()),
        ["12", "11"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_too_many_is_told_how_long_to_wait_and_then_granted() {
    let app = limited(RateLimits::DOCUMENTED).await;
    for _ in 0..15 {
        app.get(ME).await.expect(200);
    }
    let refused = app.get(ME).await;
    let error = refused.expect(429);
    assert_eq!(error["error"]["code"], "TOO_MANY_REQUESTS");
    assert_eq!(header_of(&refused, "retry-after"), "1");
    assert_eq!(header_of(&refused, "x-ratelimit-remaining-second"), "0");
    // It took nothing from the other windows.
    assert_eq!(header_of(&refused, "x-ratelimit-remaining-minute"), "105");
    app.clock.advance(Duration::seconds(1));
    app.get(ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_wait_is_the_one_that_is_told() {
    let app = limited(numbers(10, 2, 10, 10)).await;
    app.get(ME).await.expect(200);
    app.get(ME).await.expect(200);
    let refused = app.get(ME).await;
    refused.expect(429);
    assert_eq!(header_of(&refused, "retry-after"), "30");
    app.clock.advance(Duration::seconds(29));
    app.get(ME).await.expect(429);
    app.clock.advance(Duration::seconds(1));
    app.get(ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_share_their_accounts_limits_and_other_accounts_have_their_own() {
    let app = limited(numbers(1, 100, 100, 10)).await;
    let sibling = NewApplication::named(app.account(), "Another");
    let sibling = app.signed_in_as(sibling).await;
    let stranger = app.signed_in().await;
    app.get(ME).await.expect(200);
    sibling.get(ME).await.expect(429);
    stranger.get(ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_of_the_open_api_is_not_limited() {
    let app = limited(numbers(1, 1, 1, 1)).await;
    app.get(ME).await.expect(200);
    for path in ["/sandbox/clock", "/healthz", "/readyz"] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_eq!(header_of(&reply, "x-ratelimit-limit-second"), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leads_nowhere_is_limited_and_for_nobody_without_a_token() {
    let app = limited(numbers(1, 100, 100, 10)).await;
    let nobody = app.with_token("nonsense");
    for path in ["/v1/nowhere", "/v1/accounts/me/nowhere"] {
        nobody.get(path).await.expect(401);
    }
    nobody.delete(ME).await.expect(401);
    nobody.get("/nowhere").await.expect(404);
    app.get("/v1/nowhere").await.expect(404);
    app.get("/v1/nowhere").await.expect(429);
    app.delete(ME).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_are_under_way_at_once() {
    let app = limited(numbers(100, 100, 100, 1)).await;
    // Its body does not end before it is let go.
    let (started, has_started) = oneshot::channel();
    let (let_go, released) = oneshot::channel();
    let body = Body::new(SlowBody {
        started: Some(started),
        released,
    });
    let slow = Request::post("/v1/guests-crud")
        .header(header::AUTHORIZATION, format!("Bearer {}", app.token()))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .unwrap();
    let slow = app.request(slow);
    let others = async {
        has_started.await.unwrap();
        let refused = app.get(ME).await;
        refused.expect(429);
        assert_eq!(header_of(&refused, "retry-after"), "1");
        let_go.send(()).unwrap();
    };
    let (slow, ()) = tokio::join!(slow, others);
    assert_eq!(slow.status, StatusCode::BAD_REQUEST, "{}", slow.text);
    app.get(ME).await.expect(200);
}
