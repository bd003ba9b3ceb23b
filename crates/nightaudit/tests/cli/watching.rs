//! What a server tells of itself: its limits and its log.

use serde_json::{Value, json};
use store::testing::{Engine, Fixture};

use crate::support::{Home, Server};

const GUEST: &str = "/v1/guests/64da2084867c12ee0c2ca47f";
const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";
const DOCS: &[&str] = &["--account", "5213a2d206112710005d96ff"];

#[tokio::test]
async fn a_server_keeps_the_documented_limits_unless_told_otherwise() {
    let home = Home::on(Engine::Sqlite).await;
    let credentials = home.app(&[]);
    let server = home.serve(&["--no-limits", "false", "--requests-per-hour", "3"]);
    let token = server.token(&credentials).await;
    for _ in 0..3 {
        let (status, reply) = server.get("/v1/accounts/me", &token).await;
        assert_eq!(status, 200, "{reply}");
    }
    let (status, reply) = server.get("/v1/accounts/me", &token).await;
    assert_eq!(status, 429, "{reply}");
    server.stop();

    let server = home.serve(&["--no-limits"]);
    for _ in 0..40 {
        let (status, reply) = server.get("/v1/accounts/me", &token).await;
        assert_eq!(status, 200, "{reply}");
    }
    server.stop();
}

#[tokio::test]
async fn a_line_of_the_log_tells_each_request_by_its_id() {
    let home = Home::on(Engine::Sqlite).await;
    home.run(&["sandbox", "seed", "--fixture", "guesty-docs"])
        .expect(0);
    let credentials = home.app(DOCS);
    let server = home.serve(&["--log-format", "json"]);
    let token = server.token(&credentials).await;
    let (status, reply) = server.get(GUEST, &token).await;
    assert_eq!(status, 404, "{reply}");
    let (status, _) = server
        .get(&format!("{GUEST}/payment-methods"), &token)
        .await;
    assert_eq!(status, 200);

    let lines = answered(&server);
    let of = |route: &str| {
        let found = lines.iter().find(|line| line["route"] == route);
        found.unwrap_or_else(|| panic!("no {route} in {lines:?}"))
    };
    let methods = of("/v1/guests/{id}/payment-methods");
    assert_eq!(methods["method"], "GET");
    assert_eq!(methods["status"], 200);
    assert_eq!(methods["account"], "5213a2d206112710005d96ff");
    assert_eq!(methods["span"]["id"].as_str().unwrap().len(), 24);
    assert!(methods["micros"].is_u64());
    assert_eq!(of("none")["status"], 404);
    server.stop();
}

/// The lines about requests.
fn answered(server: &Server) -> Vec<Value> {
    let log = server.log();
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter(|line: &Value| line["message"] == "answered")
        .collect()
}

#[tokio::test]
async fn no_secret_token_name_address_or_card_is_in_the_log_of_a_whole_story() {
    let home = Home::on(Engine::Sqlite).await;
    home.run(&["sandbox", "seed", "--fixture", "guesty-docs"])
        .expect(0);
    let credentials = home.app(DOCS);
    let server = home.serve(&["--log", "trace"]);
    let token = server.token(&credentials).await;
    let guest = json!({
        "firstName": "Wilhelmina", "lastName": "Zubrowka", "email": "w.zubrowka@example.com",
        "phone": "+43 1 5550199",
    });
    let (status, guest) = server.post("/v1/guests-crud", &token, &guest).await;
    assert_eq!(status, 200, "{guest}");
    let methods = format!(
        "/v1/guests/{}/payment-methods",
        guest["_id"].as_str().unwrap()
    );
    let card = json!({"stripeCardToken": "pm_card_visa"});
    let (status, method) = server.post(&methods, &token, &card).await;
    assert_eq!(status, 201, "{method}");
    let number = json!({"stripeCardToken": "4242424242424242"});
    let (status, refused) = server.post(&methods, &token, &number).await;
    assert_eq!(status, 400, "{refused}");
    let payment = json!({
        "paymentMethod": {"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"},
        "amount": 12.34,
        "note": "for Wilhelmina Zubrowka",
    });
    let (status, paid) = server.post(PAYMENTS, &token, &payment).await;
    assert_eq!(status, 201, "{paid}");
    let filters = r#"[{"field":"guest.email","operator":"$eq","value":"w.zubrowka@example.com"}]"#;
    server
        .get(&format!("/v1/reservations?filters={filters}"), &token)
        .await;
    server.get("/v1/accounts/me", "an.expired.token").await;

    let log = server.log();
    assert!(log.contains("answered"), "{log}");
    let signature = token.rsplit('.').next().unwrap();
    for secret in [
        credentials.secret.as_str(),
        &token,
        signature,
        "an.expired.token",
        "Wilhelmina",
        "Zubrowka",
        "example.com",
        "5550199",
        "4242424242424242",
        "42424242",
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
    server.stop();
}
