//! Lights: each says what failed and what to do.

use axum::http::StatusCode;
use books::Error;
use books::connection::Lights;
use contract::id::ConnectionId;
use guesty::Credentials;
use serde_json::json;
use store::on_both_engines;

use crate::house::House;
use crate::support::Desk;

const JSON: &str = "application/json";

async fn house() -> House {
    let house = House::open().await;
    let listing = json!({"_id": "64da223eb3de7a002a462fcc", "active": true});
    house.with(|rooms| rooms.listings = vec![listing]);
    house
}

async fn connect(desk: &Desk, base: &str) -> ConnectionId {
    let portfolio = desk.books.add_portfolio("Seaside").await.unwrap();
    // Not a word of what the source says: that would be hidden there.
    let credentials = Credentials::new("0oaTEST", "hush-4711");
    let base = base.parse().unwrap();
    let connect = desk.books.connect(portfolio.id, &base, &credentials);
    connect.await.unwrap().id
}

async fn lights(desk: &Desk, house: &House) -> Lights {
    let id = connect(desk, house.base()).await;
    desk.books.refresh(id).await.unwrap()
}

/// Neither light is green, and the token's says this.
fn assert_no_token(lights: &Lights, says: &str) {
    assert!(!lights.oauth.is_green && !lights.admin.is_green);
    assert!(
        lights.oauth.message.contains(says),
        "{lights:?} does not say {says}"
    );
    assert!(lights.admin.message.contains("see OAuth"), "{lights:?}");
}

/// The account is not readable although there is a token.
fn assert_no_account(lights: &Lights, says: &str) {
    assert!(
        lights.oauth.is_green && !lights.admin.is_green,
        "{lights:?}"
    );
    assert!(
        lights.admin.message.contains(says),
        "{lights:?} does not say {says}"
    );
}

on_both_engines! {
    async fn both_are_green_and_looking_again_asks_for_no_other_token(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, house.base()).await;
        for books in [&desk.books, &desk.another(7)] {
            let lights = books.refresh(id).await.unwrap();
            assert!(lights.oauth.is_green && lights.admin.is_green, "{lights:?}");
        }
        assert_eq!(house.with(|rooms| rooms.tokens), 1);
    }

    async fn a_wrong_id_a_wrong_secret_and_a_missing_scope_are_told_apart(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, house.base()).await;
        for (status, body, says) in [
            (
                StatusCode::BAD_REQUEST,
                r#"{"error":"invalid_client","error_description":"Invalid value for 'client_id' parameter."}"#,
                "the client id is wrong or the application was deleted",
            ),
            (
                StatusCode::UNAUTHORIZED,
                r#"{"error":"invalid_client","error_description":"The client secret supplied is invalid."}"#,
                "the client secret is wrong or expired",
            ),
            (
                StatusCode::UNAUTHORIZED,
                r#"{"error":"invalid_client","error_description":"the client or its secret is not known"}"#,
                "the client id or the secret is wrong",
            ),
            (
                StatusCode::BAD_REQUEST,
                r#"{"error":"invalid_scope","error_description":"One or more scopes are not configured"}"#,
                "may not use the Open API",
            ),
        ] {
            house.with(|rooms| rooms.no_token = Some((status, JSON, body)));
            let lights = desk.books.refresh(id).await.unwrap();
            assert_no_token(&lights, says);
            assert!(!format!("{lights:?}").contains("0oaTEST"));
        }
    }

    async fn an_application_that_is_deleted_while_its_token_is_good_is_told(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, house.base()).await;
        assert!(desk.books.refresh(id).await.unwrap().oauth.is_green);
        let deleted = r#"{"error":"invalid_client","error_description":"Invalid value for 'client_id' parameter."}"#;
        house.with(|rooms| {
            rooms.account = Some((StatusCode::UNAUTHORIZED, json!("no")));
            rooms.no_token = Some((StatusCode::BAD_REQUEST, JSON, deleted));
        });
        let lights = desk.books.refresh(id).await.unwrap();
        assert_no_token(&lights, "the application was deleted");
    }

    async fn credentials_that_worked_before_are_not_said_to_have_a_wrong_client_id(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, house.base()).await;
        desk.books.refresh(id).await.unwrap();
        let vague = r#"{"error":"invalid_client"}"#;
        house.with(|rooms| rooms.no_token = Some((StatusCode::UNAUTHORIZED, JSON, vague)));
        let portfolio = desk.books.connection(id).await.unwrap().portfolio;
        let fresh = Credentials::new("0oaTEST", "another");
        let base = house.base().parse().unwrap();
        desk.books.connect(portfolio, &base, &fresh).await.unwrap();
        let lights = desk.books.refresh(id).await.unwrap();
        assert_no_token(&lights, "the client secret is wrong or expired, or the application was deleted");
    }

    async fn what_is_no_open_api_is_said_to_be_none(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, house.base()).await;
        for (status, kind, body) in [
            (StatusCode::OK, "text/html", "<html><title>Welcome</title></html>"),
            (StatusCode::NOT_FOUND, "text/html", "<h1>Not here</h1>"),
            (StatusCode::OK, JSON, r#"{"hello":"world"}"#),
            (StatusCode::NOT_FOUND, JSON, r#"{"message":"no such route"}"#),
            (StatusCode::METHOD_NOT_ALLOWED, JSON, "{}"),
        ] {
            house.with(|rooms| rooms.no_token = Some((status, kind, body)));
            let lights = desk.books.refresh(id).await.unwrap();
            assert_no_token(&lights, "check whether the address is that of an Open API");
        }
    }

    async fn a_source_that_is_not_there_cannot_be_reached(desk: Desk) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let id = connect(&desk, &base).await;
        assert_no_token(&desk.books.refresh(id).await.unwrap(), "cannot be reached");
    }

    async fn an_account_without_a_visible_listing_is_red(desk: Desk) {
        let house = House::open().await;
        assert_no_account(&lights(&desk, &house).await, "no active listing is visible");
    }

    async fn an_account_that_cannot_be_read_is_red(desk: Desk) {
        let house = house().await;
        house.with(|rooms| rooms.broken.push("accounts/me".to_owned()));
        let lights = lights(&desk, &house).await;
        assert_no_account(&lights, "the source is in trouble");
        // A day from when it was issued, which is now; nobody has taken it yet.
        let kept = "a token is kept, valid until 2026-11-22T12:00:00.000Z, but could not be tried now";
        assert!(lights.oauth.message.contains(kept), "{lights:?}");
    }

    async fn an_account_that_is_not_in_use_is_red(desk: Desk) {
        let house = house().await;
        let closed = json!({"_id": "64da246c7a5a2d00331a5b1c", "active": false});
        house.with(|rooms| rooms.account = Some((StatusCode::OK, closed)));
        assert_no_account(&lights(&desk, &house).await, "the account is not in use");
    }

    async fn an_account_without_an_id_is_red(desk: Desk) {
        let house = house().await;
        house.with(|rooms| rooms.account = Some((StatusCode::OK, json!({"results": [], "count": 0}))));
        assert_no_account(&lights(&desk, &house).await, "an account without an id");
    }

    async fn what_the_application_may_not_read_is_told_from_a_bad_token(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, house.base()).await;
        house.with(|rooms| rooms.account = Some((StatusCode::FORBIDDEN, json!("no"))));
        let forbidden = desk.books.refresh(id).await.unwrap();
        assert_no_account(&forbidden, "give it the permission");
        assert!(forbidden.oauth.message.contains("it is accepted"), "{forbidden:?}");
        house.with(|rooms| rooms.account = Some((StatusCode::UNAUTHORIZED, json!("no"))));
        assert_no_token(&desk.books.refresh(id).await.unwrap(), "does not accept a new token");
    }

    async fn without_credentials_there_are_no_lights(desk: Desk) {
        let id = connect(&desk, "https://source.example").await;
        desk.books.disconnect(id).await.unwrap();
        let none = desk.books.refresh(id).await;
        assert!(matches!(none, Err(Error::Disconnected(_))));
    }
}
