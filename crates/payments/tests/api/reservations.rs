//! Reservations: making, changing and calling off.

use std::sync::Arc;

use insta::{allow_duplicates, assert_snapshot};
use payments::NewApplication;
use serde_json::{Value, json};
use store::on_both_engines;
use tokio::task::JoinSet;

use crate::support::{TestApp, redacted};

/// What differs from run to run in a reservation.
const VOLATILE: [&str; 7] = [
    "_id",
    "accountId",
    "listingId",
    "guestId",
    "bookerId",
    "confirmationCode",
    "unitId",
];

/// Makes a listing, and gives its id.
pub async fn listing(app: &TestApp, fields: Value) -> String {
    let made = app.post("/v1/listings", &fields).await.expect(200);
    made["_id"].as_str().unwrap().to_owned()
}

/// Four nights in a listing, confirmed.
pub fn stay(listing: &str) -> Value {
    json!({
        "listingId": listing, "status": "confirmed",
        "checkInDateLocalized": "2026-12-01", "checkOutDateLocalized": "2026-12-05",
        "guest": {"firstName": "Irving", "lastName": "Washington"}
    })
}

/// A stay with some of it said otherwise.
fn stay_with(listing: &str, change: &Value) -> Value {
    let mut stay = stay(listing);
    for (name, value) in change.as_object().unwrap() {
        stay[name] = value.clone();
    }
    stay
}

/// Makes a reservation.
pub async fn make(app: &TestApp, reservation: &Value) -> Value {
    app.post("/v1/reservations", reservation).await.expect(200)
}

fn path(reservation: &Value) -> String {
    format!("/v1/reservations/{}", reservation["_id"].as_str().unwrap())
}

on_both_engines! {
    async fn a_reservation_is_shown_with_guest_listing_and_money(app: TestApp) {
        let app = app.signed_in().await;
        let home = json!({
            "title": "House", "nickname": "H", "timezone": "America/New_York",
            "prices": {"currency": "CAD"}
        });
        let home = listing(&app, home).await;
        let wanted = json!({
            "listingId": home, "status": "confirmed", "source": "website",
            "checkInDateLocalized": "2026-12-01", "checkOutDateLocalized": "2026-12-05",
            "guestsCount": 3, "plannedArrival": "18:30",
            "guest": {"firstName": "Irving", "lastName": "Washington", "phone": "12128765234"},
            "money": {
                "fareAccommodation": 624, "fareCleaning": 197, "currency": "CAD",
                "invoiceItems": [
                    {"title": "TPS", "amount": 41.05, "normalType": "GST"},
                    {"title": "Dog", "amount": 30.5, "normalType": "AFE", "secondIdentifier": "PET"}
                ]
            },
            "notes": {"guest": "Late"}, "customFields": [], "numberOfGuests": {"numberOfAdults": 2},
            "confirmationCode": "MINE", "nightsCount": 99, "confirmedAt": "2001-01-01"
        });
        let made = make(&app, &wanted).await;
        assert_eq!(app.get(&path(&made)).await.expect(200), made);
        let list = app.get("/v1/reservations").await.expect(200);
        assert_eq!(list, json!({"results": [made], "count": 1, "limit": 25, "skip": 0}));
        allow_duplicates! {
        assert_snapshot!(redacted(made.clone(), &VOLATILE), @r#"
        {
          "_id": "[_id]",
          "accountId": "[accountId]",
          "listingId": "[listingId]",
          "guestId": "[guestId]",
          "status": "confirmed",
          "confirmationCode": "[confirmationCode]",
          "source": "website",
          "integration": {
            "platform": "manual"
          },
          "checkIn": "2026-12-01T23:30:00.000Z",
          "checkOut": "2026-12-05T15:00:00.000Z",
          "checkInDateLocalized": "2026-12-01",
          "checkOutDateLocalized": "2026-12-05",
          "plannedArrival": "18:30",
          "nightsCount": 4,
          "guestsCount": 3,
          "guest": {
            "_id": "[_id]",
            "fullName": "Irving Washington",
            "firstName": "Irving",
            "lastName": "Washington",
            "phone": "12128765234"
          },
          "listing": {
            "_id": "[_id]",
            "title": "House",
            "nickname": "H",
            "timezone": "America/New_York",
            "defaultCheckInTime": "15:00",
            "defaultCheckOutTime": "10:00"
          },
          "money": {
            "invoiceItems": [
              {
                "_id": "[_id]",
                "title": "Accommodation fare",
                "amount": 624,
                "currency": "CAD",
                "type": "ACCOMMODATION_FARE",
                "normalType": "AF",
                "isLocked": true,
                "isTax": false
              },
              {
                "_id": "[_id]",
                "title": "Cleaning fee",
                "amount": 197,
                "currency": "CAD",
                "type": "CLEANING_FEE",
                "normalType": "CF",
                "isLocked": true,
                "isTax": false
              },
              {
                "_id": "[_id]",
                "title": "TPS",
                "amount": 41.05,
                "currency": "CAD",
                "type": "TAX",
                "normalType": "GST",
                "isLocked": false,
                "isTax": true
              },
              {
                "_id": "[_id]",
                "title": "Dog",
                "amount": 30.5,
                "currency": "CAD",
                "type": "MANUAL",
                "normalType": "AFE",
                "secondIdentifier": "PET",
                "isLocked": false,
                "isTax": false
              }
            ],
            "payments": [],
            "autoPaymentsPolicy": [],
            "paymentProviderIds": [],
            "currency": "CAD",
            "fareAccommodation": 624,
            "fareAccommodationAdjustment": 0,
            "fareAccommodationDiscount": 0,
            "fareAccommodationAdjusted": 624,
            "fareCleaning": 197,
            "subTotalPrice": 851.5,
            "totalTaxes": 41.05,
            "hostServiceFee": 0,
            "hostServiceFeeTax": 0,
            "hostServiceFeeIncTax": 0,
            "hostPayout": 892.55,
            "totalPaid": 0,
            "totalRefunded": 0,
            "paymentsDue": 0,
            "balanceDue": 892.55,
            "isFullyPaid": false,
            "isTouchedPayments": false
          },
          "atTimeOfConfirmation": {
            "snapshotCreated": true,
            "taxes": []
          },
          "createdAt": "2026-11-21T12:00:00.000Z",
          "lastUpdatedAt": "2026-11-21T12:00:00.000Z",
          "confirmedAt": "2026-11-21T12:00:00.000Z",
          "notes": {
            "guest": "Late"
          },
          "customFields": [],
          "numberOfGuests": {
            "numberOfAdults": 2
          }
        }
        "#);
        }

        let code = made["confirmationCode"].as_str().unwrap();
        assert!(code.starts_with("GY-") && code.len() == 11, "{code}");
        let id = made["_id"].as_str().unwrap();
        let v3 = app.get(&format!("/v1/reservations-v3?reservationIds[]={id}")).await.expect(200);
        allow_duplicates! {
        assert_snapshot!(redacted(v3, &[&VOLATILE[..], &["unitTypeId"]].concat()), @r#"
        [
          {
            "_id": "[_id]",
            "accountId": "[accountId]",
            "bookerId": "[bookerId]",
            "confirmationCode": "[confirmationCode]",
            "status": "confirmed",
            "platform": "manual",
            "source": "website",
            "stay": [
              {
                "checkInDateLocalized": "2026-12-01",
                "checkOutDateLocalized": "2026-12-05",
                "guestsCount": 3,
                "unitTypeId": "[unitTypeId]",
                "unitId": "[unitId]",
                "eta": "2026-12-01T23:30:00.000Z",
                "etd": "2026-12-05T15:00:00.000Z",
                "numberOfGuests": {
                  "numberOfAdults": 2
                }
              }
            ],
            "confirmedAt": "2026-11-21T12:00:00.000Z",
            "notes": {
              "guest": "Late"
            },
            "customFields": [],
            "createdAt": "2026-11-21T12:00:00.000Z",
            "alteredAt": "2026-11-21T12:00:00.000Z"
          }
        ]
        "#);
        }
    }

    async fn a_reservation_of_a_known_guest_makes_nobody_known(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let guest = json!({"firstName": "Ida", "lastName": "Wells"});
        let guest = app.post("/v1/guests-crud", &guest).await.expect(200);
        let change = json!({"guestId": guest["_id"], "guest": null});
        let made = make(&app, &stay_with(&home, &change)).await;
        assert_eq!(made["guest"]["fullName"], "Ida Wells");
        assert_eq!(made["money"]["currency"], "USD");
        assert_eq!(made["money"]["isFullyPaid"], true);
        let kinds: Vec<String> = app.events().await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["listing.new", "guest.created", "reservation.new"]);
        let other = make(&app, &stay(&home)).await;
        let events = app.events().await;
        let subject = |value: &Value| value.as_str().unwrap().to_owned();
        assert_eq!(
            events[3..],
            [
                ("guest.created".to_owned(), subject(&other["guestId"])),
                ("reservation.new".to_owned(), subject(&other["_id"])),
            ]
        );
    }

    async fn a_change_changes_only_what_it_names(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House", "timezone": "Europe/Berlin"})).await;
        let money = json!({"money": {"fareAccommodation": 100.5, "fareCleaning": 20}});
        let made = make(&app, &stay_with(&home, &money)).await;
        assert_eq!(made["checkIn"], "2026-12-01T14:00:00.000Z");
        assert_eq!(made["checkOut"], "2026-12-05T09:00:00.000Z");

        let change = json!({"money": {"fareAccommodation": 80}, "checkOutDateLocalized": "2026-12-04"});
        let changed = app.put(&path(&made), &change).await.expect(200);
        assert_eq!(app.get(&path(&made)).await.expect(200), changed);
        assert_eq!(changed["nightsCount"], 3);
        assert_eq!(changed["checkOut"], "2026-12-04T09:00:00.000Z");
        assert_eq!(changed["money"]["hostPayout"], 100);
        assert_eq!(
            changed["money"]["invoiceItems"][0]["_id"],
            made["money"]["invoiceItems"][0]["_id"]
        );
        for unchanged in ["confirmationCode", "guest", "checkIn", "status", "source", "createdAt"] {
            assert_eq!(changed[unchanged], made[unchanged], "{unchanged}");
        }
        let earlier = json!({"checkIn": "2026-11-30T23:30:00Z", "plannedArrival": "20:00"});
        let earlier = app.put(&path(&made), &earlier).await.expect(200);
        // Half past eleven in Greenwich is half past midnight in Berlin.
        assert_eq!(earlier["checkInDateLocalized"], "2026-12-01");
        assert_eq!(earlier["checkIn"], "2026-12-01T19:00:00.000Z");
    }

    async fn what_is_shown_can_be_written_back(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let details = json!({
            "plannedArrival": "17:00", "notes": {"other": "x"},
            "money": {"fareAccommodation": 80, "fareCleaning": 9, "invoiceItems": [
                {"title": "More", "amount": 20, "normalType": "AFA"},
                {"title": "Tax", "amount": 5.55, "normalType": "VAT"}]}
        });
        let made = make(&app, &stay_with(&home, &details)).await;
        let before = app.events().await;
        app.clock.advance(chrono::Duration::hours(1));
        let written_back = app.put(&path(&made), &made).await.expect(200);
        assert_eq!(written_back, made);
        assert_eq!(app.events().await, before, "what changes nothing is no event");
        let changed = app.put(&path(&made), &json!({"source": "phone"})).await.expect(200);
        assert_eq!(changed["lastUpdatedAt"], "2026-11-21T13:00:00.000Z");
        let event = ("reservation.updated".to_owned(), made["_id"].as_str().unwrap().to_owned());
        assert_eq!(app.events().await[before.len()..], [event]);
    }

    async fn a_reservation_is_called_off_with_who_and_why(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let made = make(&app, &stay(&home)).await;
        let early = json!({"canceledBy": "GUEST"});
        let error = app.put(&path(&made), &early).await.expect(400);
        assert!(error.as_str().unwrap().contains("go with the status canceled"), "{error}");

        let off = json!({
            "status": "canceled", "canceledBy": "GUEST", "cancellationReason": "Personal changes"
        });
        let off = app.put(&path(&made), &off).await.expect(200);
        assert_eq!(off["status"], "canceled");
        assert_eq!(off["canceledBy"], "GUEST");
        assert_eq!(off["cancellationReason"], "Personal changes");
        assert_eq!(off["canceledAt"], "2026-11-21T12:00:00.000Z");
        assert_eq!(off["confirmedAt"], made["confirmedAt"]);

        let again = app.put(&path(&made), &json!({"status": "confirmed"})).await.expect(400);
        assert_eq!(again, "status: a reservation that is canceled cannot become confirmed");
        let other = make(&app, &stay(&home)).await;
        let off = app.put(&path(&other), &json!({"status": "canceled"})).await.expect(200);
        assert_eq!(off["canceledBy"], "TEAM_MEMBER");
    }

    async fn an_inquiry_is_confirmed_or_closed(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let inquiry = stay_with(&home, &json!({"status": "inquiry"}));
        let made = make(&app, &inquiry).await;
        assert_eq!(made.get("confirmedAt"), None);
        app.clock.advance(chrono::Duration::minutes(5));
        let confirmed = app.put(&path(&made), &json!({"status": "confirmed"})).await.expect(200);
        assert_eq!(confirmed["confirmedAt"], "2026-11-21T12:05:00.000Z");
        let made = make(&app, &inquiry).await;
        app.put(&path(&made), &json!({"status": "canceled"})).await.expect(400);
        app.put(&path(&made), &json!({"status": "closed"})).await.expect(200);
    }

    async fn wrong_reservations_are_refused_by_name_and_change_nothing(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let made = make(&app, &stay(&home)).await;
        let before = app.events().await;
        let unknown = "64da223eb3de7a002a462fcc";
        for (change, named) in [
            (json!({"listingId": "zebra"}), "listingId: \"zebra\" is not an id"),
            (json!({"listingId": unknown}), "listingId: there is no listing"),
            (json!({"guestId": unknown}), "guestId: there is no guest"),
            (json!({"status": "lost"}), "status: one of `inquiry`, "),
            (json!({"checkInDateLocalized": "1066-10-14"}), "checkInDateLocalized: not a date"),
            (json!({"checkInDateLocalized": "2026-13-01"}), "checkInDateLocalized: not a date"),
            (json!({"checkInDateLocalized": "2026-12-05"}), "is not after the check-in"),
            (json!({"checkOutDateLocalized": "2126-12-05"}), "a stay has at most"),
            (json!({"guestsCount": 0}), "guestsCount: "),
            (json!({"guestsCount": 1.5}), "guestsCount: "),
            (json!({"money": {"currency": "XXX"}}), "money.currency: "),
            (json!({"money": {"fareAccommodation": "100"}}), "money.fareAccommodation: "),
            (json!({"money": {"fareAccommodation": 1.005}}), "money.fareAccommodation: "),
            (json!({"money": {"fareAccommodation": -1}}), "money.fareAccommodation: "),
            (json!({"money": {"fareAccommodation": 10_000_000_001_u64}}), "beyond the limit"),
            (json!({"source": " "}), "source: it is empty"),
            (json!({"source": "a\u{0}"}), "NUL"),
        ] {
            for reply in [
                app.post("/v1/reservations", &stay_with(&home, &change)).await,
                app.put(&path(&made), &change).await,
            ] {
                let error = reply.expect(400);
                assert!(error.as_str().unwrap().contains(named), "{change}: {error}");
            }
        }
        for (change, named) in [
            (json!({"status": "canceled"}), "status: a reservation cannot begin as canceled"),
            (json!({"status": null}), "status: it is required"),
            (json!({"listingId": null}), "listingId: it is required"),
            (json!({"checkOutDateLocalized": null}), "checkOutDateLocalized: it is required"),
            (json!({"guest": null}), "guestId: it is required"),
            (json!({"guest": {}}), "firstName: a guest needs a first or last name"),
        ] {
            let error = app.post("/v1/reservations", &stay_with(&home, &change)).await.expect(400);
            assert!(error.as_str().unwrap().contains(named), "{change}: {error}");
        }
        let error = app.put(&path(&made), &json!({"money": {"currency": "EUR"}})).await.expect(400);
        assert!(error.as_str().unwrap().contains("cannot be changed to EUR"), "{error}");
        assert_eq!(app.get(&path(&made)).await.expect(200), made);
        assert_eq!(app.get("/v1/reservations").await.expect(200)["count"], 1);
        assert_eq!(app.events().await, before);
    }

    async fn currencies_have_their_own_digits(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let of = |currency: &str, fare: &str| {
            let money = format!(r#"{{"money": {{"currency": "{currency}", "fareAccommodation": {fare}}}}}"#);
            stay_with(&home, &serde_json::from_str(&money).unwrap())
        };
        for (currency, fare) in [("JPY", "500"), ("KWD", "5.125"), ("USD", "1200")] {
            let made = make(&app, &of(currency, fare)).await;
            assert_eq!(made["money"]["hostPayout"].to_string(), fare);
            assert_eq!(made["money"]["currency"], currency);
        }
        for (currency, fare) in [("JPY", "500.5"), ("KWD", "5.1255"), ("USD", "1e3")] {
            app.post("/v1/reservations", &of(currency, fare)).await.expect(400);
        }
    }

    async fn what_others_have_does_not_exist(app: TestApp) {
        let ours = app.signed_in().await;
        let theirs = app.signed_in().await;
        let their_home = listing(&theirs, json!({"title": "Theirs"})).await;
        let made = make(&theirs, &stay(&their_home)).await;
        ours.get(&path(&made)).await.expect(404);
        ours.put(&path(&made), &json!({"status": "canceled"})).await.expect(404);
        assert_eq!(ours.get("/v1/reservations").await.expect(200)["count"], 0);
        let id = made["_id"].as_str().unwrap();
        let v3 = format!("/v1/reservations-v3?reservationIds={id}");
        assert_eq!(ours.get(&v3).await.expect(200), json!([]));
        ours.post("/v1/reservations", &stay(&their_home)).await.expect(400);
        let our_home = listing(&ours, json!({"title": "Ours"})).await;
        let their_guest = stay_with(&our_home, &json!({"guestId": made["guestId"]}));
        ours.post("/v1/reservations", &their_guest).await.expect(400);
        let reply = ours.get("/v1/reservations/zebra").await.expect(400);
        assert!(reply.as_str().unwrap().contains("\"zebra\" is not an id"));
    }

    async fn an_application_of_some_listings_sees_no_others(app: TestApp) {
        let all = app.signed_in().await;
        let one = listing(&all, json!({"title": "One"})).await;
        let other = listing(&all, json!({"title": "Other"})).await;
        let seen = make(&all, &stay(&one)).await;
        let unseen = make(&all, &stay(&other)).await;
        let some = all
            .signed_in_as(NewApplication {
                listings: Some([one.parse().unwrap()].into()),
                ..NewApplication::named(all.account(), "Some")
            })
            .await;
        assert_eq!(some.get("/v1/reservations").await.expect(200)["results"], json!([seen]));
        some.get(&path(&unseen)).await.expect(404);
        some.put(&path(&unseen), &json!({"source": "x"})).await.expect(404);
        some.put(&path(&seen), &json!({"listingId": other})).await.expect(400);
        some.post("/v1/reservations", &stay(&other)).await.expect(400);
        make(&some, &stay(&one)).await;
        let ids = format!("{},{}", unseen["_id"].as_str().unwrap(), seen["_id"].as_str().unwrap());
        let v3 = some.get(&format!("/v1/reservations-v3?reservationIds={ids}")).await.expect(200);
        assert_eq!(v3.as_array().unwrap().len(), 1);
    }

    async fn the_third_version_takes_ten_ids_however_written(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let a = make(&app, &stay(&home)).await["_id"].as_str().unwrap().to_owned();
        let b = make(&app, &stay(&home)).await["_id"].as_str().unwrap().to_owned();
        for query in [
            format!("reservationIds[]={b}&reservationIds[]={a}"),
            format!("reservationIds[0]={b}&reservationIds[1]={a}"),
            format!("reservationIds%5B%5D={b}&reservationIds%5B%5D={a}"),
            format!("reservationIds={b}&reservationIds={a}"),
            format!("reservationIds={b},{a}"),
            format!("reservationIds={b},64da223eb3de7a002a462fcc,{a}"),
        ] {
            let found = app.get(&format!("/v1/reservations-v3?{query}")).await.expect(200);
            let ids: Vec<_> = found.as_array().unwrap().iter().map(|one| &one["_id"]).collect();
            assert_eq!(ids, [&json!(b), &json!(a)], "{query}");
        }
        let eleven = [a.as_str(); 11].join(",");
        for (query, named) in [
            (String::new(), "1 to 10 ids"),
            (format!("?reservationIds={eleven}"), "not 11"),
            ("?reservationIds=zebra".to_owned(), "\"zebra\" is not an id"),
        ] {
            let error = app.get(&format!("/v1/reservations-v3{query}")).await.expect(400);
            assert!(error.as_str().unwrap().contains(named), "{query}: {error}");
        }
    }

    async fn what_was_paid_survives_a_change(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let money = json!({"money": {"fareAccommodation": 100}});
        let made = make(&app, &stay_with(&home, &money)).await;
        let paid = json!({"paymentMethod": {"method": "BANK_TRANSFER"}, "amount": 70});
        app.post(&format!("{}/payments", path(&made)), &paid).await.expect(201);
        let changed = app.put(&path(&made), &json!({"money": {"fareCleaning": 30}})).await.expect(200);
        let money = &changed["money"];
        assert_eq!(money["hostPayout"], 130);
        assert_eq!(money["totalPaid"], 70);
        assert_eq!(money["balanceDue"], 60);
        assert_eq!(money["isFullyPaid"], false);
        assert_eq!(money["payments"][0]["amount"], 70);
        assert_eq!(money["payments"][0]["status"], "SUCCEEDED");
        let cheaper = json!({"money": {"fareAccommodation": 40, "fareCleaning": 0}});
        let money = &app.put(&path(&made), &cheaper).await.expect(200)["money"];
        assert_eq!(money["balanceDue"], -30);
        assert_eq!(money["isFullyPaid"], true);
    }

    async fn payments_and_changes_at_once_lose_nothing(app: TestApp) {
        const OF_EACH: usize = 8;
        let app = Arc::new(app.signed_in().await);
        let home = listing(&app, json!({"title": "House"})).await;
        let made = make(&app, &stay_with(&home, &json!({"money": {"fareAccommodation": 1000}}))).await;
        let mut tasks = JoinSet::new();
        for n in 0..OF_EACH {
            let (paying, changing, path) = (Arc::clone(&app), Arc::clone(&app), path(&made));
            let payments = format!("{path}/payments");
            tasks.spawn(async move {
                let paid = json!({"paymentMethod": {"method": "CHECK"}, "amount": 10});
                paying.post(&payments, &paid).await.expect(201);
            });
            tasks.spawn(async move {
                let change = json!({"guestsCount": n + 1, "money": {"fareCleaning": n + 1}});
                changing.put(&path, &change).await.expect(200);
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        let after = app.get(&path(&made)).await.expect(200);
        let (money, guests) = (&after["money"], after["guestsCount"].as_u64().unwrap());
        assert_eq!(money["payments"].as_array().unwrap().len(), OF_EACH);
        assert_eq!(money["totalPaid"], 80);
        assert_eq!(money["fareCleaning"], guests, "one change is kept whole");
        assert_eq!(money["hostPayout"], 1000 + guests);
        assert_eq!(money["balanceDue"], 920 + guests);
        let changes = app.events().await.into_iter();
        assert_eq!(changes.filter(|(kind, _)| kind == "reservation.updated").count(), OF_EACH);
    }
}
