//! Taxes of the catalog, and reservations that are priced with them.

use insta::{allow_duplicates, assert_snapshot};
use payments::NewApplication;
use serde_json::{Value, json};
use store::on_both_engines;

use crate::reservations::{listing, make, stay};
use crate::support::{TestApp, redacted};

const UNKNOWN: &str = "64da223eb3de7a002a462fcc";

/// A percentage of the fare.
fn percentage(kind: &str, amount: f64) -> Value {
    json!({"type": kind, "units": "PERCENTAGE", "amount": amount, "quantifier": "PER_STAY",
           "appliedOnFees": ["AF"]})
}

/// Money for each guest and night.
fn per_guest_per_night(kind: &str, amount: f64) -> Value {
    json!({"type": kind, "units": "FIXED", "amount": amount, "quantifier": "PER_GUEST_PER_NIGHT"})
}

/// Makes a tax, and gives its path.
async fn tax(app: &TestApp, tax: &Value) -> String {
    let made = app.post("/v1/taxes", tax).await.expect(201);
    format!("/v1/taxes/{}", made["_id"].as_str().unwrap())
}

/// Four nights of two guests for 400.00, not confirmed yet.
fn asked_for(listing: &str) -> Value {
    let mut asked = stay(listing);
    asked["status"] = "inquiry".into();
    asked["guestsCount"] = 2.into();
    asked["money"] = json!({"fareAccommodation": 400});
    asked
}

fn path(reservation: &Value) -> String {
    format!("/v1/reservations/{}", reservation["_id"].as_str().unwrap())
}

/// The invoice in short.
fn lines(reservation: &Value) -> Vec<String> {
    let items = reservation["money"]["invoiceItems"].as_array().unwrap();
    let line = |item: &Value| {
        format!(
            "{} {}",
            item["normalType"].as_str().unwrap(),
            item["amount"]
        )
    };
    items.iter().map(line).collect()
}

on_both_engines! {
    async fn a_tax_is_made_changed_and_taken_away(app: TestApp) {
        let app = app.signed_in().await;
        assert_eq!(app.get("/v1/taxes/account").await.expect(200), json!([]));
        let mut written = percentage("CITY_TAX", 7.125);
        written["name"] = "City".into();
        written["unitTypeId"] = "".into();
        written["conditionalOverrides"] = json!({"viewType": "NIGHTS_IN_DATES", "rules": [{
            "dateRange": {"from": "12-31", "to": "02-01"},
            "nightRanges": [{"from": 1, "to": 7, "amount": 3.5}, {"from": 8, "amount": 0}]}]});
        let made = app.post("/v1/taxes", &written).await.expect(201);
        allow_duplicates! {
        assert_snapshot!(redacted(made.clone(), &["_id", "accountId"]), @r#"
        {
          "_id": "[_id]",
          "accountId": "[accountId]",
          "type": "CITY_TAX",
          "name": "City",
          "units": "PERCENTAGE",
          "amount": 7.125,
          "quantifier": "PER_STAY",
          "appliedToAllFees": false,
          "appliedOnFees": [
            "AF"
          ],
          "isAppliedByDefault": false,
          "appliedByDefaultOnChannels": [],
          "isInclusive": false,
          "conditionalOverrides": {
            "viewType": "NIGHTS_IN_DATES",
            "rules": [
              {
                "dateRange": {
                  "from": "12-31",
                  "to": "02-01"
                },
                "nightRanges": [
                  {
                    "from": 1,
                    "to": 7,
                    "amount": 3.5
                  },
                  {
                    "from": 8,
                    "amount": 0
                  }
                ]
              }
            ]
          },
          "isDeleted": false
        }
        "#);
        }
        assert_eq!(app.get("/v1/taxes/account").await.expect(200), json!([made]));

        let at = format!("/v1/taxes/{}", made["_id"].as_str().unwrap());
        let change = json!({"amount": 8, "name": "", "conditionalOverrides": null});
        let changed = app.patch_with(&at, &change).await.expect(200);
        assert_eq!(changed["amount"], 8);
        assert_eq!(changed["appliedOnFees"], json!(["AF"]));
        assert_eq!((changed.get("name"), changed.get("conditionalOverrides")), (None, None));
        assert_eq!(app.get("/v1/taxes/account").await.expect(200), json!([changed]));

        assert_eq!(app.delete(&at).await.expect(200)["isDeleted"], true);
        assert_eq!(app.get("/v1/taxes/account").await.expect(200), json!([]));
        assert_eq!(app.delete(&at).await.expect(404), "Tax not found");
        assert_eq!(app.patch_with(&at, &change).await.expect(404), "Tax not found");
        // Its type and its name are free again.
        app.post("/v1/taxes", &written).await.expect(201);
    }

    async fn a_level_has_one_tax_of_a_type_and_an_account_one_of_a_name(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let named = |kind: &str, name: &str, level: &str| {
            let mut tax = percentage(kind, 5.0);
            tax["name"] = name.into();
            tax["unitTypeId"] = level.into();
            tax
        };
        tax(&app, &named("VAT", "A", "")).await;
        let other = tax(&app, &named("CITY_TAX", "B", "")).await;
        tax(&app, &named("VAT", "C", &home)).await;
        for (refused, reason) in [
            (named("VAT", "D", ""), "type: there is a tax VAT on this level already"),
            (named("VAT", "D", &home), "type: there is a tax VAT on this level already"),
            (named("OTHER", "C", ""), "name: there is a tax C in this account already"),
            (named("OTHER", "A", &home), "name: there is a tax A in this account already"),
        ] {
            let error = app.post("/v1/taxes", &refused).await.expect(400);
            assert!(error.as_str().unwrap().starts_with(reason), "{error}");
        }
        app.patch_with(&other, &json!({"type": "VAT"})).await.expect(400);
        app.patch_with(&other, &json!({"name": "C"})).await.expect(400);
        app.patch_with(&other, &json!({"unitTypeId": home})).await.expect(400);
        app.patch_with(&other, &json!({"type": "CITY_TAX", "name": "B"})).await.expect(200);
    }

    async fn a_listing_has_the_accounts_taxes_until_it_is_to_have_its_own(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        tax(&app, &percentage("VAT", 10.0)).await;
        let mut own = percentage("CITY_TAX", 5.0);
        own["unitTypeId"] = home.clone().into();
        let own = app.post("/v1/taxes", &own).await.expect(201);
        let at = format!("/v1/taxes/unit-type/{home}");
        let level = format!("/v1/taxes/level-configurations/unit-type/{home}");
        assert_eq!(app.get(&at).await.expect(200), json!([own]));
        assert_eq!(app.get(&format!("{at}/actual")).await.expect(200)[0]["type"], "VAT");
        assert_eq!(app.get(&level).await.expect(200)["levelEntityType"], "ACCOUNT");
        assert_eq!(lines(&make(&app, &asked_for(&home)).await), ["AF 400", "VAT 40"]);

        let configuration = json!({"unitTypeId": home, "levelEntityType": "UNIT_TYPE"});
        let set = app.put("/v1/taxes/level-configurations", &configuration).await.expect(200);
        assert_eq!(set["levelEntityType"], "UNIT_TYPE");
        assert_eq!(app.get(&level).await.expect(200), set);
        assert_eq!(app.get(&format!("{at}/actual")).await.expect(200), json!([own]));
        assert_eq!(lines(&make(&app, &asked_for(&home)).await), ["AF 400", "CT 20"]);
        let back = json!({"unitTypeId": home, "levelEntityType": "ACCOUNT"});
        app.put("/v1/taxes/level-configurations", &back).await.expect(200);
        assert_eq!(app.get(&format!("{at}/actual")).await.expect(200)[0]["type"], "VAT");

        let unknown = json!({"unitTypeId": UNKNOWN, "levelEntityType": "ACCOUNT"});
        app.put("/v1/taxes/level-configurations", &unknown).await.expect(400);
        for path in ["unit-type/X", "unit-type/X/actual", "level-configurations/unit-type/X"] {
            let path = format!("/v1/taxes/{}", path.replace('X', UNKNOWN));
            assert_eq!(app.get(&path).await.expect(404), "Listing not found", "{path}");
        }
    }

    async fn a_reservation_is_priced_until_it_is_confirmed_and_keeps_that_catalog(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let vat = tax(&app, &percentage("VAT", 10.0)).await;
        tax(&app, &per_guest_per_night("CITY_TAX", 1.5)).await;
        let made = make(&app, &asked_for(&home)).await;
        // 10 % of 400; 1.50 for 2 guests and 4 nights.
        assert_eq!(lines(&made), ["AF 400", "VAT 40", "CT 12"]);
        assert_eq!(made["money"]["totalTaxes"], 52);
        assert_eq!(made["money"]["balanceDue"], 452);
        assert_eq!(made.get("atTimeOfConfirmation"), None);

        let change = json!({"guestsCount": 3, "checkOutDateLocalized": "2026-12-06",
                            "money": {"fareAccommodation": 500}});
        let changed = app.put(&path(&made), &change).await.expect(200);
        // 1.50 for 3 guests and 5 nights.
        assert_eq!(lines(&changed), ["AF 500", "VAT 50", "CT 22.5"]);
        for line in 0..3 {
            let id = |shown: &Value| shown["money"]["invoiceItems"][line]["_id"].clone();
            assert_eq!(id(&changed), id(&made), "a line stays that line");
        }

        app.patch_with(&vat, &json!({"amount": 20})).await.expect(200);
        let same = app.put(&path(&made), &json!({"notes": {"other": "x"}})).await.expect(200);
        assert_eq!(lines(&same), lines(&changed), "a note is no reason to price anew");
        let confirmed = app.put(&path(&made), &json!({"status": "confirmed"})).await.expect(200);
        assert_eq!(lines(&confirmed), ["AF 500", "VAT 100", "CT 22.5"]);
        let snapshot = &confirmed["atTimeOfConfirmation"];
        assert_eq!(snapshot["snapshotCreated"], true);
        assert_eq!(snapshot["taxes"], app.get("/v1/taxes/account").await.expect(200));

        app.delete(&vat).await.expect(200);
        tax(&app, &percentage("STATE_TAX", 3.0)).await;
        let dearer = json!({"money": {"fareAccommodation": 600}});
        let dearer = app.put(&path(&made), &dearer).await.expect(200);
        assert_eq!(lines(&dearer), ["AF 600", "VAT 120", "CT 22.5"]);
        assert_eq!(&dearer["atTimeOfConfirmation"], snapshot);
        assert_eq!(app.put(&path(&made), &dearer).await.expect(200), dearer, "written back");
        assert_eq!(lines(&make(&app, &asked_for(&home)).await), ["AF 400", "CT 12", "ST 12"]);
    }

    async fn taxes_that_a_client_writes_are_the_only_ones(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        tax(&app, &percentage("VAT", 10.0)).await;
        let with = |items: Value| {
            let mut asked = asked_for(&home);
            asked["money"]["invoiceItems"] = items;
            asked
        };
        let own = json!([{"title": "Levy", "amount": 7.77, "normalType": "LT"}]);
        let own = make(&app, &with(own)).await;
        assert_eq!(lines(&own), ["AF 400", "LT 7.77"]);
        let dearer = json!({"money": {"fareAccommodation": 500}, "status": "confirmed"});
        let dearer = app.put(&path(&own), &dearer).await.expect(200);
        assert_eq!(lines(&dearer), ["AF 500", "LT 7.77"]);

        let dog = json!([{"title": "Dog", "amount": 30, "normalType": "AFE",
                          "secondIdentifier": "PET"}]);
        let priced = make(&app, &with(dog)).await;
        assert_eq!(lines(&priced), ["AF 400", "AFE 30", "VAT 40"]);
        // The catalog's line written otherwise is the client's from then on.
        let mut items = priced["money"]["invoiceItems"].clone();
        items[2]["amount"] = json!(0);
        let items = json!({"money": {"invoiceItems": items}});
        let exempt = app.put(&path(&priced), &items).await.expect(200);
        assert_eq!(lines(&exempt), ["AF 400", "AFE 30", "VAT 0"]);
        let longer = json!({"money": {"fareAccommodation": 900}});
        let longer = app.put(&path(&priced), &longer).await.expect(200);
        assert_eq!(lines(&longer), ["AF 900", "AFE 30", "VAT 0"]);
    }

    async fn a_tax_in_the_fare_is_taken_out_of_it(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let mut vat = percentage("VAT", 25.0);
        vat["isInclusive"] = true.into();
        tax(&app, &vat).await;
        let made = make(&app, &asked_for(&home)).await;
        // 400 = 320 + 25 %.
        assert_eq!(lines(&made), ["AF 400", "AFA -80", "VAT 80"]);
        let money = &made["money"];
        assert_eq!(money["fareAccommodation"], 400);
        assert_eq!(money["fareAccommodationAdjusted"], 320);
        assert_eq!((&money["totalTaxes"], &money["hostPayout"]), (&json!(80), &json!(400)));
        assert_eq!(app.put(&path(&made), &made).await.expect(200), made, "written back");
    }

    async fn wrong_taxes_are_refused_by_name(app: TestApp) {
        let app = app.signed_in().await;
        let good = percentage("VAT", 10.0);
        let night = json!({"nightRanges": [{"from": 1, "amount": 1}]});
        let dates = json!({"from": "01-01", "to": "02-01"});
        let mut dated = night.clone();
        dated["dateRange"] = dates.clone();
        let when = |view: &str, rules: Value| {
            json!({"conditionalOverrides": {"viewType": view, "rules": rules}})
        };
        for (change, named) in [
            (json!({"type": null}), "type: it is required"),
            (json!({"type": "TITHE"}), "type: one of `LOCAL_TAX`, "),
            (json!({"units": null}), "units: it is required"),
            (json!({"quantifier": "PER_DOG"}), "quantifier: one of `PER_NIGHT`, "),
            (json!({"amount": null}), "amount: it is required"),
            (json!({"amount": "10"}), "amount: a JSON number without quotes, such as 100.5 is expected"),
            (json!({"amount": 0}), "amount: it must be more than 0"),
            (json!({"amount": -1}), "amount: it cannot be less than 0"),
            (json!({"amount": 100.01}), "amount: a percentage cannot be more than 100"),
            (json!({"amount": 0.000_000_1}), "amount: "),
            (json!({"units": "FIXED", "amount": 1.005}), "amount: 1.005 has more decimal places"),
            (json!({"name": " "}), "name: it is blank"),
            (json!({"name": "a".repeat(41)}), "name: longer than 40 characters"),
            (json!({"unitTypeId": "x"}), "unitTypeId: \"x\" is not an id"),
            (json!({"unitTypeId": UNKNOWN}), "unitTypeId: there is no such listing"),
            (json!({"appliedOnFees": ["VAT"]}), "appliedOnFees: \"VAT\" is no fee"),
            (json!({"isAppliedByDefault": true}), "isAppliedByDefault: it cannot be true"),
            (json!({"appliedByDefaultOnChannels": ["airbnb"]}), "appliedByDefaultOnChannels: it must"),
            (json!({"appliedByDefaultOnChannels": ["fax"]}), "appliedByDefaultOnChannels[0]: one of `manual`, "),
            (json!({"channelOverrides": [{"channel": "agoda"}, {"channel": "agoda"}]}),
             "channelOverrides: a channel stands in it twice"),
            (when("LOS", json!([])), "conditionalOverrides.maxNightCountToApplyOn: LOS needs it"),
            (when("LOS", json!([night])), "conditionalOverrides.rules: LOS takes none"),
            (when("NIGHTS", json!([])), "conditionalOverrides.rules: NIGHTS needs 1 to"),
            (when("NIGHTS", json!([dated])), "conditionalOverrides.rules[0].dateRange: NIGHTS takes"),
            (when("DATES", json!([night])), "conditionalOverrides.rules[0].dateRange: DATES needs"),
            (when("DATES", json!([{"dateRange": dates, "nightRanges": [{"from": 2, "amount": 1}]}])),
             "conditionalOverrides.rules[0].nightRanges: DATES takes one alone"),
            (when("NIGHTS", json!([{"nightRanges": [{"from": 3, "to": 2, "amount": 1}]}])),
             "conditionalOverrides.rules[0].nightRanges[0]: nights are counted from 1"),
            (when("NIGHTS", json!([{"nightRanges": [{"from": 1, "amount": 101}]}])),
             "conditionalOverrides.rules[0].nightRanges[0].amount: a percentage"),
            (when("DATES", json!([{"dateRange": {"from": "02-30", "to": "03-01"}}])),
             "conditionalOverrides.rules[0].dateRange.from: not a day of the year"),
            (json!({"units": "FIXED", "conditionalOverrides": {"viewType": "NIGHTS", "rules": [night]}}),
             "conditionalOverrides.viewType: NIGHTS needs PERCENTAGE"),
            (json!({"conditionalOverrides": {"viewType": "DATES", "maxNightCountToApplyOn": 3}}),
             "conditionalOverrides.maxNightCountToApplyOn: it goes with LOS"),
        ] {
            let mut wrong = good.clone();
            wrong.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let error = app.post("/v1/taxes", &wrong).await.expect(400);
            assert!(error.as_str().unwrap().starts_with(named), "{change}: {error}");
        }
        assert_eq!(app.get("/v1/taxes/account").await.expect(200), json!([]));
    }

    async fn another_account_and_another_listing_have_nothing_to_do_with_it(app: TestApp) {
        let ours = app.signed_in().await;
        let (mine, other) = (listing(&ours, json!({"title": "A"})).await,
                             listing(&ours, json!({"title": "B"})).await);
        let at = tax(&ours, &percentage("VAT", 10.0)).await;
        let mut own = percentage("CITY_TAX", 5.0);
        own["unitTypeId"] = other.clone().into();
        let of_other = tax(&ours, &own).await;

        let theirs = app.signed_in().await;
        assert_eq!(theirs.get("/v1/taxes/account").await.expect(200), json!([]));
        theirs.delete(&at).await.expect(404);
        theirs.patch_with(&at, &json!({"amount": 1})).await.expect(404);
        theirs.get(&format!("/v1/taxes/unit-type/{mine}")).await.expect(404);
        // The same type and name in another account.
        theirs.post("/v1/taxes", &percentage("VAT", 10.0)).await.expect(201);

        let some = ours.signed_in_as(NewApplication {
            listings: Some([mine.parse().unwrap()].into()),
            ..NewApplication::named(ours.account(), "Some")
        }).await;
        assert_eq!(some.get("/v1/taxes/account").await.expect(200)[0]["type"], "VAT");
        some.post("/v1/taxes", &percentage("OTHER", 10.0)).await.expect(403);
        for refused in [&at, &of_other] {
            some.delete(refused).await.expect(404);
            some.patch_with(refused, &json!({"amount": 1})).await.expect(404);
        }
        some.post("/v1/taxes", &own).await.expect(400);
        own["unitTypeId"] = mine.into();
        tax(&some, &own).await;
    }

    async fn of_two_taxes_of_a_type_at_once_one_is_refused(app: TestApp) {
        let app = app.signed_in().await;
        let vat = percentage("VAT", 10.0);
        let (one, other) = tokio::join!(app.post("/v1/taxes", &vat), app.post("/v1/taxes", &vat));
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 400]);
    }
}
