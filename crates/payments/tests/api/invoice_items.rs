//! Invoice items, put on a reservation one by one.

use serde_json::{Value, json};
use store::on_both_engines;

use crate::reservations::{listing, make, stay};
use crate::support::TestApp;

fn path(reservation: &Value) -> String {
    format!(
        "/v1/invoice-items/reservation/{}",
        reservation["_id"].as_str().unwrap()
    )
}

on_both_engines! {
    async fn a_line_is_put_on_the_invoice_and_taxed(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let vat = json!({"type": "VAT", "units": "PERCENTAGE", "amount": 10,
                         "quantifier": "PER_STAY", "appliedOnFees": ["AF", "PET"]});
        app.post("/v1/taxes", &vat).await.expect(201);
        let mut asked = stay(&home);
        asked["money"] = json!({"fareAccommodation": 400});
        let made = make(&app, &asked).await;
        let events = app.events().await.len();
        let dog = json!({"title": "Dog", "amount": 30.5, "normalType": "AFE",
                         "secondIdentifier": "PET"});
        let shown = app.post(&path(&made), &dog).await.expect(201);
        let lines = |shown: &Value| -> Vec<String> {
            let items = shown["money"]["invoiceItems"].as_array().unwrap();
            let line = |item: &Value| format!("{} {}", item["title"].as_str().unwrap(), item["amount"]);
            items.iter().map(line).collect()
        };
        // 10 % of 400 + 30.50.
        assert_eq!(lines(&shown), ["Accommodation fare 400", "Dog 30.5", "VAT 43.05"]);
        let at = format!("/v1/reservations/{}", made["_id"].as_str().unwrap());
        assert_eq!(app.get(&at).await.expect(200), shown);
        assert_eq!(app.events().await[events].0, "reservation.updated");

        // A tax of the house's own stands beside the catalog's.
        let levy = json!({"title": "Levy", "amount": 2, "normalType": "LT"});
        let shown = app.post(&path(&made), &levy).await.expect(201);
        assert_eq!(lines(&shown)[1..], ["Dog 30.5", "Levy 2", "VAT 43.05"]);
        assert_eq!(app.put(&at, &shown).await.expect(200), shown, "written back");
    }

    async fn the_older_route_does_the_same_whatever_second_identifier_it_is_given(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let made = make(&app, &stay(&home)).await;
        let at = format!("/v1/reservations/{}", made["_id"].as_str().unwrap());
        let older = format!("{at}/invoiceItems");
        let fee = json!({"title": "Management fee", "amount": 98.52, "normalType": "AFE",
                         "description": "For all", "secondIdentifier": "MANAGEMENT"});
        app.post(&older, &fee).await.expect(200);
        let tax = json!({"title": "Levy", "amount": 2, "normalType": "LT",
                         "secondIdentifier": "MANAGEMENT"});
        let shown = app.post(&older, &tax).await.expect(200);
        assert_eq!(app.get(&at).await.expect(200), shown);
        let items = shown["money"]["invoiceItems"].as_array().unwrap();
        let added: Vec<_> = items[items.len() - 2..]
            .iter()
            .map(|item| (&item["title"], &item["amount"], &item["secondIdentifier"]))
            .collect();
        assert_eq!(added, [
            (&json!("Management fee"), &json!(98.52), &json!("MANAGEMENT")),
            (&json!("Levy"), &json!(2), &json!(null)),
        ]);
        let unnamed = json!({"title": "A", "amount": 1, "normalType": "AFE"});
        app.post(&older, &unnamed).await.expect(400);
    }

    async fn wrong_lines_are_refused_by_name_and_change_nothing(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let made = make(&app, &stay(&home)).await;
        for (line, named) in [
            (json!({"amount": 1, "normalType": "CF"}), "missing field `title`"),
            (json!({"title": "", "amount": 1, "normalType": "CF"}), "title: it is empty"),
            (json!({"title": "A", "amount": 1, "normalType": "AF"}), "normalType: not one to add"),
            (json!({"title": "A", "amount": 1, "normalType": "AFE"}), "secondIdentifier: an additional"),
            (json!({"title": "A", "amount": 1, "normalType": "AFE", "secondIdentifier": "DRAGON"}),
             "secondIdentifier: not known"),
            (json!({"title": "A", "amount": 1, "normalType": "CF", "secondIdentifier": "PET"}),
             "secondIdentifier: it goes with AFE only"),
            (json!({"title": "A", "amount": 1.005, "normalType": "CF"}), "amount: 1.005 has more"),
            (json!({"title": "A", "amount": -1, "normalType": "VAT"}), "amount: a fare"),
            (json!({"title": "A", "amount": -1, "normalType": "PCM"}), "money: the invoice comes to"),
        ] {
            let error = app.post(&path(&made), &line).await.expect(400);
            assert!(error.as_str().unwrap().contains(named), "{line}: {error}");
        }
        let at = format!("/v1/reservations/{}", made["_id"].as_str().unwrap());
        assert_eq!(app.get(&at).await.expect(200), made);
        let line = json!({"title": "A", "amount": 1, "normalType": "CF"});
        let stranger = app.signed_in().await;
        assert_eq!(stranger.post(&path(&made), &line).await.expect(404), "Reservation Not Found");
    }
}
