//! What a command of the server's own user asks of it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt;
use payments::Credentials;
use serde_json::{Value, json};
use store::on_both_engines;
use tower::ServiceExt;

use crate::support::TestApp;

fn control(app: &TestApp) -> Router {
    app.platform.control_router(Arc::clone(&app.sandbox))
}

async fn ask(router: &Router, path: &str, body: &Value) -> (u16, Value) {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

on_both_engines! {
    async fn the_first_application_gets_an_account_that_takes_payments(app: TestApp) {
        let router = control(&app);
        let order = json!({"name": "First"});
        let (status, made) = ask(&router, "/control/applications", &order).await;
        assert_eq!(status, 200, "{made}");
        assert_eq!(made["is_new_account"], true);
        let credentials: Credentials = serde_json::from_value(made.clone()).unwrap();
        let token = app.ask_token(&credentials).await.expect(200);
        let app = app.with_token(token["access_token"].as_str().unwrap());
        let account = app.get("/v1/accounts/me").await.expect(200);
        assert_eq!(account["_id"], made["account"]);

        let (_, second) = ask(&router, "/control/applications", &order).await;
        assert_eq!(second["is_new_account"], false);
        assert_eq!(second["account"], made["account"]);
        assert_ne!(second["client_id"], made["client_id"]);
    }

    async fn among_several_accounts_one_must_be_named(app: TestApp) {
        let accounts = [app.new_account().await, app.new_account().await];
        let router = control(&app);
        let path = "/control/applications";
        let (status, told) = ask(&router, path, &json!({"name": "Whose"})).await;
        assert_eq!(status, 400);
        for account in accounts {
            assert!(told.as_str().unwrap().contains(account.as_str()), "{told}");
            let order = json!({"name": "Named", "account": account, "scopes": ["open-api"]});
            let (status, made) = ask(&router, path, &order).await;
            assert_eq!(status, 200, "{made}");
            assert_eq!(made["account"], account.to_string());
        }
    }

    async fn a_fixture_is_made_on_demand_and_once(app: TestApp) {
        let router = control(&app);
        let path = "/control/fixtures/guesty-docs";
        let (status, made) = ask(&router, path, &json!({})).await;
        assert_eq!((status, made), (200, json!({"account": "5213a2d206112710005d96ff"})));
        let (status, told) = ask(&router, path, &json!({})).await;
        assert_eq!(status, 400);
        assert!(told.as_str().unwrap().contains("there already"), "{told}");
        let (status, told) = ask(&router, "/control/fixtures/other", &json!({})).await;
        assert_eq!(status, 400);
        assert!(told.as_str().unwrap().contains("guesty-docs"), "{told}");
    }

    async fn an_order_that_makes_no_sense_is_refused(app: TestApp) {
        let router = control(&app);
        for (order, says) in [
            (json!({}), "name"),
            (json!({"name": ""}), "1 to 200 characters"),
            (json!({"name": "x", "account": "7"}), "24 hexadecimal"),
            (json!({"name": "x", "account": "5213a2d206112710005d96ff"}), "no account"),
            (json!({"name": "x", "scope": "y"}), "unknown field"),
            (json!({"name": "x", "scopes": []}), "needs a scope"),
        ] {
            let (status, told) = ask(&router, "/control/applications", &order).await;
            assert_eq!(status, 400, "{order}: {told}");
            assert!(told.as_str().unwrap().contains(says), "{order}: {told}");
        }
    }
}
