//! The caller's account.

use store::on_both_engines;

use crate::support::TestApp;

on_both_engines! {
    async fn without_a_token_nobody_is_known(app: TestApp) {
        assert_eq!(app.get("/v1/nowhere").await.status, 404);
    }
}
