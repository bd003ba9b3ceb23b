//! A client of the guide's portfolio, in process.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use payments::fixtures::Fixture;
use payments::{ApplicationOrder, Credentials, Platform};
use processors::sandbox::Sandbox;
use serde_json::Value;
use tower::ServiceExt;

/// Makes the portfolio, and an application that may see all of it.
pub(crate) async fn credentials(platform: &Platform, sandbox: &Sandbox, name: &str) -> Credentials {
    let seeded = platform.seed(sandbox, Fixture::GuestyDocs).await.unwrap();
    let order = ApplicationOrder {
        name: name.to_owned(),
        account: Some(seeded.account),
        scopes: None,
        listings: None,
    };
    let made = platform.order_application(sandbox, order).await;
    made.unwrap().credentials
}

pub(crate) async fn token(router: &Router, credentials: &Credentials) -> String {
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        credentials.client_id, credentials.client_secret
    );
    let request = Request::post("/oauth2/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let reply: Value = serde_json::from_slice(&send(router, request).await).unwrap();
    reply["access_token"].as_str().unwrap().to_owned()
}

/// Sends what must be accepted, and reads the reply.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Vec<u8> {
    let reply = router.clone().oneshot(request).await.unwrap();
    let status = reply.status();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body);
    assert!(status.is_success(), "{status} {text}");
    body.to_vec()
}
