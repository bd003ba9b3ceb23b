//! Portfolios to start from.

use contract::Timestamp;
use payments::SetupError;
use processors::{MerchantId, Processor};
use serde_json::json;
use store::on_both_engines;

use crate::support::{GuestyDocs, TestApp};

on_both_engines! {
    async fn the_guides_portfolio_takes_the_guides_payment_at_the_guides_time(docs: GuestyDocs) {
        let reservation = "/v1/reservations/64da254383ad1500284bd0c0/payments";
        let paid = docs.app.post(reservation, &json!({
            "paymentMethod": {"method": "AMARYLLIS", "id": "64da2367d8d9771c02befbb2"},
            "amount": 500,
        })).await.expect(201);
        let payment = &paid["money"]["payments"][0];
        assert_eq!(payment["status"], "SUCCEEDED");
        assert_eq!(payment["createdAt"], "2023-08-14T13:02:00.000Z");

        let charge = &payment["attempts"][0]["payload"];
        assert_eq!(charge["object"], "payment_intent");
        assert_eq!(charge["description"], "r2B9jZYJK");
        assert_eq!(charge["metadata"]["OTA"], "Manual");
        assert_eq!(charge["payment_method"], "pm_1Nf0FOGfrrmRCKB1k7y7M57E");
        assert_eq!(charge["shipping"], json!({
            "address": {
                "city": "New York", "country": "US", "line1": "20 W 34th St", "line2": null,
                "postal_code": "10001", "state": null,
            },
            "carrier": null, "name": "Irving Washington", "phone": "12128765234",
            "tracking_number": null,
        }));
    }

    async fn its_merchant_has_a_sub_account_in_the_common_currencies(docs: GuestyDocs) {
        let merchant = MerchantId::new("1387");
        let accounts = docs.app.sandbox.sub_accounts(&merchant).await.unwrap();
        let currencies: Vec<_> = accounts.iter().map(|account| account.currency.code()).collect();
        assert_eq!(currencies[..3], ["USD", "EUR", "GBP"]);
        assert!(currencies.contains(&"JPY"));
    }

    async fn a_fixture_is_made_once(docs: GuestyDocs) {
        let again = docs.app.platform.seed_guesty_docs(&docs.app.sandbox).await;
        let told = again.unwrap_err();
        assert!(matches!(told, SetupError::AlreadySeeded { .. }), "{told}");
        assert!(told.to_string().contains("5213a2d206112710005d96ff"), "{told}");
    }

    async fn of_two_commands_that_make_it_at_once_one_is_refused(app: TestApp) {
        let (one, other) = tokio::join!(
            app.platform.seed_guesty_docs(&app.sandbox),
            app.platform.seed_guesty_docs(&app.sandbox),
        );
        assert_eq!([&one, &other].iter().filter(|made| made.is_ok()).count(), 1);
        for refused in [one, other].into_iter().filter_map(Result::err) {
            assert!(matches!(refused, SetupError::AlreadySeeded { .. }), "{refused}");
        }
    }

    async fn business_time_goes_on_from_the_beginning_of_the_story(docs: GuestyDocs) {
        docs.app.clock.advance(chrono::Duration::minutes(5));
        let account = docs.app.get("/v1/accounts/me").await.expect(200);
        let created: Timestamp = account["createdAt"].as_str().unwrap().parse().unwrap();
        assert!(created < "2014-01-01".parse().unwrap());
        let paid = docs.app.post("/v1/reservations/64da254383ad1500284bd0c0/payments", &json!({
            "paymentMethod": {"method": "AMARYLLIS", "id": "64da2367d8d9771c02befbb2"},
            "amount": 1,
        })).await.expect(201);
        assert_eq!(paid["money"]["payments"][0]["createdAt"], "2023-08-14T13:07:00.000Z");
    }
}
