//! Request ids, health and figures.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use store::on_both_engines;

use crate::support::{GuestyDocs, Reply, TestApp};

const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";
const METHOD: &str = "64da2367d8d9771c02befbb2";

fn id_of(reply: &Reply) -> &str {
    reply.headers["x-request-id"].to_str().unwrap()
}

async fn asked_as(app: &TestApp, id: &str) -> Reply {
    let request = Request::get("/v1/accounts/me").header("x-request-id", id);
    app.request(request.body(Body::empty()).unwrap()).await
}

/// The figure on the line that begins with this, if it is there.
fn figure(metrics: &Reply, line: &str) -> Option<String> {
    let found = metrics.text.lines().find_map(|one| one.strip_prefix(line));
    found.map(|rest| rest.trim().to_owned())
}

on_both_engines! {
    async fn every_reply_has_a_request_id_of_its_own(app: TestApp) {
        let app = app.signed_in().await;
        let found = app.get("/v1/accounts/me").await;
        let lost = app.get("/v1/nowhere").await;
        let unknown = app.with_token("nonsense").get("/v1/accounts/me").await;
        let ids = [&found, &lost, &unknown].map(|reply| id_of(reply).to_owned());
        assert_eq!(ids.clone().map(|id| id.len()), [24; 3]);
        assert!(ids[0] != ids[1] && ids[1] != ids[2]);
    }

    async fn a_callers_own_id_is_taken_over_if_it_can_stand_in_a_log(app: TestApp) {
        let sane = "b7ad6b71-69be-4a5e.retry:2";
        assert_eq!(id_of(&asked_as(&app, sane).await), sane);
        let long = "a".repeat(129);
        for odd in ["", "two words", "quote\"d", "{json}", long.as_str()] {
            let reply = asked_as(&app, odd).await;
            assert_ne!(id_of(&reply), odd);
            assert_eq!(id_of(&reply).len(), 24);
        }
    }

    async fn it_is_alive_and_ready(app: TestApp) {
        app.get("/healthz").await.expect(200);
        app.get("/readyz").await.expect(200);
    }

    async fn the_figures_count_requests_by_route_and_calls_by_what_came_of_them(docs: GuestyDocs) {
        let app = &docs.app;
        let payment = json!({
            "paymentMethod": {"method": "STRIPE", "id": METHOD},
            "amount": 500,
        });
        app.post(PAYMENTS, &payment).await.expect(201);
        app.post(PAYMENTS, &json!({})).await.expect(400);
        app.get("/v1/nowhere/64da254383ad1500284bd0c0").await;
        let metrics = app.get("/metrics").await;
        assert_eq!(metrics.status, StatusCode::OK);
        let requests = |method, route, status| {
            figure(&metrics, &format!(
                "nightaudit_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"
            ))
        };
        let route = "/v1/reservations/{id}/payments";
        assert_eq!(requests("POST", route, 201).as_deref(), Some("1"), "{}", metrics.text);
        assert_eq!(requests("POST", route, 400).as_deref(), Some("1"));
        assert_eq!(requests("GET", "none", 404).as_deref(), Some("1"));
        let charged = "nightaudit_processor_calls_total{kind=\"CHARGE\",outcome=\"approved\"}";
        assert_eq!(figure(&metrics, charged).as_deref(), Some("1"));
        assert_eq!(figure(&metrics, "nightaudit_agenda_due").as_deref(), Some("0"));
        assert!(!metrics.text.contains("64da254383ad1500284bd0c0"), "an id in the figures");
    }
}
