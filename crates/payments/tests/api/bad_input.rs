//! Input that means harm, or nothing at all: whatever it is, the server answers, and goes on.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Method, Request, header};
use hyper::body::{Frame, SizeHint};
use serde_json::{Value, json};
use store::on_both_engines;

use crate::support::{GuestyDocs, TestApp};

const RESERVATION: &str = "/v1/reservations/64da254383ad1500284bd0c0";

/// A body of so many bytes, of which none ever comes.
struct Announced(u64);

impl HttpBody for Announced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

on_both_engines! {
    async fn a_body_that_is_said_to_be_too_large_is_refused_before_it_arrives(docs: GuestyDocs) {
        let app = docs.app;
        let ask = async |path: &str| {
            let request = Request::post(path)
                .header(header::AUTHORIZATION, format!("Bearer {}", app.token()))
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::new(Announced(1024 * 1024 + 1)));
            app.request(request.unwrap()).await
        };
        let refused = ask(&format!("{RESERVATION}/payments")).await;
        assert_eq!(refused.expect(413), "The body is larger than 1 MiB");
        let refused = ask("/oauth2/token").await;
        assert!(refused.expect(400)["error_description"].as_str().unwrap().contains("too large"));
    }

    async fn queries_that_ask_for_very_much_are_refused(app: TestApp) {
        let app = app.signed_in().await;
        for (path, field) in [
            ("/v1/reservations", "createdAt"),
            ("/v1/guests-crud", "email"),
            ("/v1/listings", "title"),
        ] {
            let sort = format!("{field},").repeat(5_000);
            let error = app.get(&format!("{path}?sort={sort}")).await.expect(400);
            assert_eq!(error, "sort: at most 50 fields", "{path}");
            app.get(&format!("{path}?sort=-{field},_id")).await.expect(200);
        }
        let tags = "sea,".repeat(15_000);
        let error = app.get(&format!("/v1/listings?tags={tags}")).await.expect(400);
        assert_eq!(error, "tags: at most 50 of them");
        let fields = "a.".repeat(30_000);
        app.get(&format!("/v1/listings?fields={fields}")).await.expect(200);
    }

    async fn amounts_at_the_ends_of_what_numbers_hold_are_refused(docs: GuestyDocs) {
        let app = docs.app;
        let before = app.get(RESERVATION).await.expect(200);
        for amount in [
            "-92233720368547758.08", "92233720368547758.07", "-0", "-0.00", "1e400", "1e-400",
            "170141183460469231731687303715884105728",
        ] {
            let payment = format!(
                r#"{{"paymentMethod": {{"method": "CASH"}}, "amount": {amount}}}"#
            );
            let path = format!("{RESERVATION}/payments");
            app.send(Method::POST, &path, Some(payment)).await.expect(400);
            let money = format!(r#"{{"money": {{"fareCleaning": {amount}}}}}"#);
            if !amount.starts_with("-0") {
                app.send(Method::PUT, RESERVATION, Some(money)).await.expect(400);
            }
        }
        assert_eq!(app.get(RESERVATION).await.expect(200), before);
    }

    async fn names_that_the_json_library_keeps_for_itself_are_refused(docs: GuestyDocs) {
        let app = docs.app;
        let before = app.get("/v1/listings").await.expect(200);
        for name in ["Number", "RawValue"] {
            let trap = json!({ format!("$serde_json::private::{name}"): "1" });
            for body in [
                json!({"title": "T", "prices": trap}),
                json!({"title": "T", "address": trap}),
                json!({"title": "T", "anything": [{"first": 1, "then": trap}]}),
            ] {
                let error = app.post("/v1/listings", &body).await.expect(400);
                assert!(error.as_str().unwrap().contains("reserved"), "{body}: {error}");
            }
            let payment = json!({"paymentMethod": {"method": "CASH"}, "amount": trap});
            app.post(&format!("{RESERVATION}/payments"), &payment).await.expect(400);
        }
        assert_eq!(app.get("/v1/listings").await.expect(200), before);
    }

    async fn what_is_nested_as_deep_as_it_can_be_is_kept_and_shown(app: TestApp) {
        let app = app.signed_in().await;
        let nested = |depth: usize| -> Value {
            (0..depth).fold(json!(1), |inner, _| json!({"a": inner}))
        };
        let body = json!({"title": "Deep", "deep": nested(63)});
        let made = app.post("/v1/listings", &body).await.expect(200);
        assert_eq!(made["deep"], body["deep"]);
        let listed = app.get("/v1/listings").await.expect(200);
        assert_eq!(listed["results"][0]["deep"], body["deep"]);

        for depth in [64, 100, 126] {
            let body = json!({"title": "Deeper", "deep": nested(depth)});
            let error = app.post("/v1/listings", &body).await.expect(400);
            assert_eq!(error, "The body is nested more than 64 deep", "{depth}");
        }
    }

    async fn paths_that_are_no_text_get_a_reply_in_the_documented_form(docs: GuestyDocs) {
        let app = docs.app;
        let payment = Some(r#"{"amount": 1}"#.to_owned());
        for (method, path) in [
            (Method::POST, "/v1/reservations/%ff/payments".to_owned()),
            (Method::PUT, format!("{RESERVATION}/payments/%ff")),
            (Method::PATCH, format!("{RESERVATION}/payments/%ff/cancel")),
            (Method::POST, format!("{RESERVATION}/payments/%ff/refund")),
            (Method::GET, "/v1/guests/%ff/payment-methods".to_owned()),
        ] {
            let error = app.send(method, &path, payment.clone()).await.expect(400);
            assert_eq!(error, "The path is not UTF-8", "{path}");
        }
        let methods = "/v1/guests/64da2084867c12ee0c2ca47f/payment-methods";
        let error = app.get(&format!("{methods}?reuse=true&reuse=perhaps")).await.expect(400);
        assert_eq!(error, "reuse must be true or false");
    }
}
