//! The caller's account.

use insta::{allow_duplicates, assert_snapshot};
use store::on_both_engines;

use crate::support::{TestApp, redacted};

on_both_engines! {
    async fn without_a_token_nobody_is_known(app: TestApp) {
        assert_eq!(app.get("/v1/nowhere").await.status, 401);
        assert_eq!(app.get("/v1/accounts/me").await.status, 401);
    }

    async fn an_account_is_shown_to_those_who_act_for_it(app: TestApp) {
        let app = app.signed_in().await;
        let me = app.get("/v1/accounts/me").await.expect(200);
        assert_eq!(me["_id"], app.account().to_string());
        allow_duplicates! {
        assert_snapshot!(redacted(me, &["_id"]), @r#"
        {
          "_id": "[_id]",
          "name": "Hotels of Ours",
          "active": true,
          "currency": "USD",
          "timezone": "UTC",
          "createdAt": "2026-11-21T12:00:00.000Z"
        }
        "#);
        }
        let other = app.signed_in().await;
        let other = other.get("/v1/accounts/me").await.expect(200);
        assert_ne!(other["_id"], app.account().to_string());
    }
}
