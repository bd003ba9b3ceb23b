//! Automatic payments: planned by a policy, followed through, and left alone once a person has a hand
//! in them.

use std::sync::Arc;

use chrono::Duration;
use payments::{NewApplication, Settings};
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::advance::told_of_ours;
use crate::faults::{Fault, Line};
use crate::support::{GuestyDocs, TestApp};

const OF_ACCOUNT: &str = "/v1/accounts/me/auto-payments-policy";
const LISTING: &str = "64da223eb3de7a002a462fcc";
const GUEST: &str = "64da2084867c12ee0c2ca47f";
const METHOD: &str = "64da2367d8d9771c02befbb2";

fn of_listing() -> String {
    format!("/v1/listings/{LISTING}/auto-payments-policy")
}

/// 30 % at confirmation, the rest two weeks before arrival, at nine in the morning.
fn deposit_and_rest() -> Value {
    json!([
        {"type": "PERCENTAGE", "value": 30, "when": "CONFIRMATION"},
        {"type": "REST", "when": "BEFORE_CHECK_IN", "days": 14, "time": "09:00"},
    ])
}

/// The guide's portfolio, whose account has a policy. It is 2023-08-14T13:02 there, and the listing
/// stands in New York.
struct Hotel {
    app: TestApp,
}

impl Fixture for Hotel {
    async fn on(engine: Engine) -> Self {
        Self::of(GuestyDocs::on(engine).await.app).await
    }
}

/// The same, behind a line to the processor that breaks as told.
struct Remote {
    hotel: Hotel,
    line: Arc<Line>,
}

impl Fixture for Remote {
    async fn on(engine: Engine) -> Self {
        let mut line = None;
        let app = TestApp::with_processor(engine, Settings::default(), |sandbox| {
            Arc::<Line>::clone(line.insert(Line::new(sandbox)))
        })
        .await;
        let hotel = Hotel::of(GuestyDocs::in_app(app).await.app).await;
        Self {
            hotel,
            line: line.unwrap(),
        }
    }
}

impl Hotel {
    async fn of(app: TestApp) -> Self {
        let policy = json!({ "policy": deposit_and_rest() });
        app.put(OF_ACCOUNT, &policy).await.expect(200);
        Self { app }
    }

    /// How often the processor was asked to charge.
    async fn charges(&self) -> usize {
        let report = "/v1/payment-transactions/report?startDate=2023-08-14&endDate=2023-08-16";
        let rows = self.app.get(report).await.expect(200);
        let rows = rows.as_array().unwrap().iter();
        rows.filter(|row| row["transactionType"] == "Charge")
            .count()
    }

    /// Five nights at 200.00 from 1 October, of the guest whose card is stored.
    async fn book(&self, change: &Value) -> Value {
        let mut stay = json!({
            "listingId": LISTING, "guestId": GUEST, "status": "confirmed",
            "checkInDateLocalized": "2023-10-01", "checkOutDateLocalized": "2023-10-06",
            "money": {"fareAccommodation": 1000},
        });
        for (name, value) in change.as_object().unwrap() {
            stay[name] = value.clone();
        }
        self.app.post("/v1/reservations", &stay).await.expect(200)
    }

    async fn change(&self, reservation: &Value, change: &Value) -> Value {
        self.app.put(&path(reservation), change).await.expect(200)
    }

    async fn now(&self, reservation: &Value) -> Value {
        self.app.get(&path(reservation)).await.expect(200)
    }

    async fn advance(&self, by: &str) -> Value {
        let body = json!({ "by": by });
        self.app.post("/sandbox/advance", &body).await.expect(200)
    }

    /// Stores another card of the guest's: the newest is charged.
    async fn store_card(&self, guest: &str, token: &str) -> String {
        let path = format!("/v1/guests/{guest}/payment-methods");
        let method = json!({ "stripeCardToken": token });
        let made = self.app.post(&path, &method).await.expect(201);
        made["_id"].as_str().unwrap().to_owned()
    }

    async fn told(&self, kind: &str, subject: &Value) -> usize {
        let events = self.app.events().await.into_iter();
        let wanted = (kind.to_owned(), subject.as_str().unwrap().to_owned());
        events.filter(|event| *event == wanted).count()
    }
}

fn path(reservation: &Value) -> String {
    format!("/v1/reservations/{}", reservation["_id"].as_str().unwrap())
}

fn payments(reservation: &Value) -> &Vec<Value> {
    reservation["money"]["payments"].as_array().unwrap()
}

/// The amount, the status and the date of each payment.
fn plan(reservation: &Value) -> Vec<(String, &str, &str)> {
    payments(reservation).iter().map(one_of_plan).collect()
}

fn one_of_plan(payment: &Value) -> (String, &str, &str) {
    (
        payment["amount"].to_string(),
        payment["status"].as_str().unwrap(),
        payment["shouldBePaidAt"].as_str().unwrap(),
    )
}

fn planned<'a>(amount: &str, status: &'a str, at: &'a str) -> (String, &'a str, &'a str) {
    (amount.to_owned(), status, at)
}

on_both_engines! {
    async fn a_policy_holds_for_the_account_and_a_listing_has_its_own(hotel: Hotel) {
        let app = &hotel.app;
        let of_account = json!({
            "level": "ACCOUNT", "policy": deposit_and_rest(), "currency": "USD"
        });
        assert_eq!(app.get(OF_ACCOUNT).await.expect(200), of_account);
        assert_eq!(app.get(&of_listing()).await.expect(200), of_account);

        let at_the_end = json!([{"type": "PERCENTAGE", "value": 100, "when": "AFTER_CHECK_OUT"}]);
        let own = app.put(&of_listing(), &json!({"policy": at_the_end})).await.expect(200);
        assert_eq!(own, json!({
            "level": "LISTING", "currency": "USD", "policy": [{
                "type": "PERCENTAGE", "value": 100, "when": "AFTER_CHECK_OUT",
                "days": 0, "time": "12:00",
            }],
        }));
        assert_eq!(app.get(&of_listing()).await.expect(200), own);
        assert_eq!(app.get(OF_ACCOUNT).await.expect(200), of_account);
        // What was shown can be written back.
        assert_eq!(app.put(&of_listing(), &own).await.expect(200), own);

        let booked = hotel.book(&json!({})).await;
        assert_eq!(booked["money"]["autoPaymentsPolicy"], own["policy"]);
        assert_eq!(plan(&booked), [planned("1000", "PENDING", "2023-10-06T16:00:00.000Z")]);

        app.put(&of_listing(), &json!({"policy": []})).await.expect(200);
        let booked = hotel.book(&json!({})).await;
        assert_eq!(booked["money"]["autoPaymentsPolicy"], json!([]));
        assert_eq!(plan(&booked), [], "the listing wants no automatic payments");

        assert_eq!(app.delete(&of_listing()).await.expect(200), of_account);
        assert_eq!(plan(&hotel.book(&json!({})).await).len(), 2);
    }

    async fn a_policy_that_cannot_be_is_refused_and_says_why(hotel: Hotel) {
        let app = &hotel.app;
        for (policy, why) in [
            (json!([{"type": "PERCENTAGE", "value": 30, "when": "CONFIRMATION"}]), "must sum to 100"),
            (json!([{"type": "REST", "when": "CONFIRMATION", "value": 3}]), "policy[0].value"),
            (json!([{"type": "REST", "when": "SOMEDAY"}]), "SOMEDAY"),
            (json!([{"type": "REST", "when": "BEFORE_CHECK_IN", "time": "25:00"}]), "HH:MM"),
            (json!([{"type": "FIXED", "value": 1e3, "when": "CONFIRMATION"}]), "must be the REST"),
        ] {
            let refused = app.put(OF_ACCOUNT, &json!({ "policy": policy })).await.expect(400);
            assert!(refused.as_str().unwrap().contains(why), "{policy}: {refused}");
        }
        app.put(OF_ACCOUNT, &json!({})).await.expect(400);
        let kept = app.get(OF_ACCOUNT).await.expect(200);
        assert_eq!(kept["policy"], deposit_and_rest(), "what was refused changed nothing");
    }

    async fn policies_are_nobody_elses(hotel: Hotel) {
        let other = hotel.app.signed_in().await;
        let policy = json!({ "policy": [] });
        other.get(&of_listing()).await.expect(404);
        other.put(&of_listing(), &policy).await.expect(404);
        other.delete(&of_listing()).await.expect(404);
        assert_eq!(other.get(OF_ACCOUNT).await.expect(200)["policy"], json!([]));

        let mut narrow = NewApplication::named(hotel.app.account(), "One listing");
        narrow.listings = Some([LISTING.parse().unwrap()].into());
        let narrow = hotel.app.signed_in_as(narrow).await;
        narrow.put(OF_ACCOUNT, &policy).await.expect(403);
        narrow.put(&of_listing(), &policy).await.expect(200);
    }

    async fn confirming_plans_the_payments_by_the_propertys_clock(hotel: Hotel) {
        let reserved = hotel.book(&json!({"status": "reserved"})).await;
        assert_eq!(plan(&reserved), [], "nothing is planned before it is confirmed");
        assert_eq!(reserved["money"]["autoPaymentsPolicy"], json!([]));

        let confirmed = hotel.change(&reserved, &json!({"status": "confirmed"})).await;
        // Nine in New York is 13:00 UTC until 5 November.
        assert_eq!(plan(&confirmed), [
            planned("300", "PENDING", "2023-08-14T13:02:00.000Z"),
            planned("700", "PENDING", "2023-09-17T13:00:00.000Z"),
        ]);
        let money = &confirmed["money"];
        assert_eq!(money["autoPaymentsPolicy"], deposit_and_rest());
        assert_eq!(money["isTouchedPayments"], false);
        assert_eq!(money["paymentsDue"], 1000);
        assert_eq!(payments(&confirmed)[0]["paymentMethod"]["_id"], METHOD);
        assert_eq!(
            hotel.told("reservation.updated", &confirmed["_id"]).await, 2,
            "the confirmation is told, and the payments"
        );

        let advanced = hotel.advance("60d").await;
        assert_eq!(told_of_ours(&advanced), [
            ("2023-08-14T13:02:00.000Z", "payment", "SUCCEEDED"),
            ("2023-09-17T13:00:00.000Z", "payment", "SUCCEEDED"),
        ]);
        let paid = hotel.now(&confirmed).await;
        assert_eq!(paid["money"]["isFullyPaid"], true);
        assert_eq!(paid["money"]["isTouchedPayments"], false);
    }

    async fn what_is_due_already_is_due_at_once(hotel: Hotel) {
        let soon = json!({
            "checkInDateLocalized": "2023-08-20", "checkOutDateLocalized": "2023-08-25",
        });
        let booked = hotel.book(&soon).await;
        let now = "2023-08-14T13:02:00.000Z";
        assert_eq!(plan(&booked), [planned("300", "PENDING", now), planned("700", "PENDING", now)]);
    }

    async fn a_reservation_without_a_policy_that_fits_is_left_alone(hotel: Hotel) {
        let airbnb = hotel.book(&json!({"source": "Airbnb"})).await;
        assert_eq!(plan(&airbnb), [], "its guests pay where they book");

        let fixed = json!({"policy": [
            {"type": "FIXED", "value": 150, "when": "CONFIRMATION"},
            {"type": "REST", "when": "AFTER_CHECK_IN", "days": 1},
        ]});
        hotel.app.put(OF_ACCOUNT, &fixed).await.expect(200);
        let euros = json!({"money": {"fareAccommodation": 1000, "currency": "EUR"}});
        assert_eq!(plan(&hotel.book(&euros).await), [], "150 US dollars are not 150 euros");
        assert_eq!(plan(&hotel.book(&json!({})).await), [
            planned("150", "PENDING", "2023-08-14T13:02:00.000Z"),
            planned("850", "PENDING", "2023-10-02T16:00:00.000Z"),
        ]);
    }

    async fn what_waits_follows_the_total_and_the_dates(hotel: Hotel) {
        let booked = hotel.book(&json!({})).await;
        hotel.advance("1m").await;
        let paid = ("300".to_owned(), "SUCCEEDED", "2023-08-14T13:02:00.000Z");

        // 1,200 less the 300 that came in.
        let dearer = json!({"money": {"fareAccommodation": 1200}});
        let changed = hotel.change(&booked, &dearer).await;
        assert_eq!(plan(&changed), [
            paid.clone(), planned("900", "PENDING", "2023-09-17T13:00:00.000Z"),
        ]);
        let item = json!({"title": "Dog", "amount": 0.05, "normalType": "AFE",
                          "secondIdentifier": "PET"});
        let items = format!("/v1/invoice-items/reservation/{}", booked["_id"].as_str().unwrap());
        let changed = hotel.app.post(&items, &item).await.expect(201);
        assert_eq!(payments(&changed)[1]["amount"].to_string(), "900.05");

        let later = json!({
            "checkInDateLocalized": "2023-11-20", "checkOutDateLocalized": "2023-11-25",
        });
        let changed = hotel.change(&booked, &later).await;
        // Nine in New York is 14:00 UTC in winter.
        assert_eq!(plan(&changed), [
            paid.clone(), planned("900.05", "PENDING", "2023-11-06T14:00:00.000Z"),
        ]);
        let told = hotel.told("reservation.updated", &booked["_id"]).await;
        hotel.change(&booked, &json!({"notes": {"guest": "Late"}})).await;
        assert_eq!(
            hotel.told("reservation.updated", &booked["_id"]).await, told + 1,
            "what changes nothing of the payments says nothing of them"
        );

        // All that is left is a charge of 250, of which 300 are paid.
        let cheaper = json!({"money": {"fareAccommodation": 250, "invoiceItems": []}});
        let changed = hotel.change(&booked, &cheaper).await;
        assert_eq!(changed["money"]["balanceDue"], -50);
        assert_eq!(plan(&changed), [
            paid.clone(), planned("900.05", "CANCELLED", "2023-11-06T14:00:00.000Z"),
        ]);
        let dearer = json!({"money": {"fareAccommodation": 500}});
        let changed = hotel.change(&booked, &dearer).await;
        assert_eq!(plan(&changed)[2], planned("200", "PENDING", "2023-11-06T14:00:00.000Z"));

        // All is paid, and the stay gets dearer: the difference is due at once.
        hotel.advance("90d").await;
        let changed = hotel.change(&booked, &json!({"money": {"fareAccommodation": 510}})).await;
        assert_eq!(plan(&changed)[3], planned("10", "PENDING", "2023-11-12T13:03:00.000Z"));
        assert_eq!(changed["money"]["isTouchedPayments"], false);
    }

    async fn any_change_by_hand_turns_them_off(hotel: Hotel) {
        let dearer = json!({"money": {"fareAccommodation": 2000}});
        for what in ["record", "charge", "plan", "edit", "cancel"] {
            let booked = hotel.book(&json!({})).await;
            let all = format!("{}/payments", path(&booked));
            let second = format!("{all}/{}", payments(&booked)[1]["_id"].as_str().unwrap());
            let card = json!({"method": "STRIPE", "id": METHOD});
            let reply = match what {
                "record" => hotel.app.post(&all, &json!({
                    "paymentMethod": {"method": "CHECK"}, "amount": 100
                })).await,
                "charge" => hotel.app.post(&all, &json!({
                    "paymentMethod": card, "amount": 100
                })).await,
                "plan" => hotel.app.post(&all, &json!({
                    "paymentMethod": card, "amount": 100, "shouldBePaidAt": "2023-12-01"
                })).await,
                "edit" => hotel.app.put(&second, &json!({"amount": 650})).await,
                _ => hotel.app.patch(&format!("{second}/cancel")).await,
            };
            assert!(reply.status.is_success(), "{what}: {}", reply.text);
            let before = hotel.now(&booked).await;
            assert_eq!(before["money"]["isTouchedPayments"], true, "{what}");
            let after = hotel.change(&booked, &dearer).await;
            assert_eq!(payments(&after), payments(&before), "{what}");
            let after = hotel.change(&booked, &json!({"status": "canceled"})).await;
            assert_eq!(payments(&after), payments(&before), "{what}");
        }
    }

    async fn a_refund_turns_them_off(hotel: Hotel) {
        let booked = hotel.book(&json!({})).await;
        hotel.advance("1m").await;
        let paid = payments(&booked)[0]["_id"].as_str().unwrap();
        let refund = format!("{}/payments/{paid}/refund", path(&booked));
        hotel.app.post(&refund, &json!({"amount": 50})).await.expect(201);
        let after = hotel.change(&booked, &json!({"money": {"fareAccommodation": 2000}})).await;
        assert_eq!(after["money"]["isTouchedPayments"], true);
        assert_eq!(plan(&after)[1], planned("700", "PENDING", "2023-09-17T13:00:00.000Z"));
    }

    async fn a_payment_recorded_before_the_confirmation_leaves_it_to_people(hotel: Hotel) {
        let reserved = hotel.book(&json!({"status": "reserved"})).await;
        let all = format!("{}/payments", path(&reserved));
        let check = json!({"paymentMethod": {"method": "CHECK"}, "amount": 100});
        hotel.app.post(&all, &check).await.expect(201);
        let confirmed = hotel.change(&reserved, &json!({"status": "confirmed"})).await;
        assert_eq!(payments(&confirmed).len(), 1);
        assert_eq!(confirmed["money"]["isTouchedPayments"], true);
    }

    async fn a_declined_card_is_tried_three_times_an_hour_apart(hotel: Hotel) {
        hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({})).await;
        let advanced = hotel.advance("30m").await;
        assert_eq!(told_of_ours(&advanced), [("2023-08-14T13:02:00.000Z", "payment", "PENDING")]);
        let tried = hotel.now(&booked).await;
        assert_eq!(plan(&tried)[0], planned("300", "PENDING", "2023-08-14T14:02:00.000Z"));
        assert_eq!(payments(&tried)[0]["attempts"][0]["status"], "FAILED");
        let failing = payments(&booked)[0]["_id"].clone();
        assert_eq!(hotel.told("payments.failed", &failing).await, 0);

        let advanced = hotel.advance("1d").await;
        assert_eq!(told_of_ours(&advanced), [
            ("2023-08-14T14:02:00.000Z", "payment", "PENDING"),
            ("2023-08-14T15:02:00.000Z", "payment", "FAILED"),
        ]);
        let failed = hotel.now(&booked).await;
        let attempts = payments(&failed)[0]["attempts"].as_array().unwrap().clone();
        let keys: Vec<_> = attempts.iter().map(|attempt| &attempt["_id"]).collect();
        assert_eq!(keys.len(), 3);
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2], "{keys:?}");
        assert_eq!(hotel.told("payments.failed", &failing).await, 1);
        assert_eq!(hotel.charges().await, 3);

        // What was tried in vain is for people to collect: the rest stays what it was.
        assert_eq!(failed["money"]["balanceDue"], 1000);
        assert_eq!(failed["money"]["paymentsDue"], 700);
        let dearer = hotel.change(&booked, &json!({"money": {"fareAccommodation": 1100}})).await;
        assert_eq!(dearer["money"]["paymentsDue"], 800);
    }

    async fn the_second_try_may_succeed(hotel: Hotel) {
        hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({})).await;
        hotel.advance("30m").await;
        // The guest's newest card is charged from now on, of those that are planned too: none of
        // theirs has become unusable, so these stay with theirs.
        hotel.store_card(GUEST, "pm_card_visa").await;
        let kept = hotel.now(&booked).await;
        assert_eq!(payments(&kept)[1]["paymentMethodId"], payments(&booked)[1]["paymentMethodId"]);
        assert_eq!(plan(&hotel.book(&json!({})).await)[0].1, "PENDING");
        let advanced = hotel.advance("10m").await;
        assert_eq!(told_of_ours(&advanced)[0].2, "SUCCEEDED", "the new stay has the new card");
    }

    async fn a_hard_decline_ends_it_at_once(hotel: Hotel) {
        hotel.store_card(GUEST, "pm_card_chargeDeclinedStolenCard").await;
        let booked = hotel.book(&json!({})).await;
        let advanced = hotel.advance("1d").await;
        assert_eq!(told_of_ours(&advanced), [("2023-08-14T13:02:00.000Z", "payment", "FAILED")]);
        assert_eq!(hotel.told("payments.failed", &payments(&booked)[0]["_id"]).await, 1);
    }

    async fn a_payment_planned_by_hand_is_tried_once(hotel: Hotel) {
        let card = hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({"status": "reserved"})).await;
        let all = format!("{}/payments", path(&booked));
        hotel.app.post(&all, &json!({
            "paymentMethod": {"method": "STRIPE", "id": card}, "amount": 100,
            "shouldBePaidAt": "2023-08-15",
        })).await.expect(201);
        let advanced = hotel.advance("2d").await;
        assert_eq!(told_of_ours(&advanced), [("2023-08-15T00:00:00.000Z", "payment", "FAILED")]);
    }

    async fn the_server_tries_again_by_itself(hotel: Hotel) {
        hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({})).await;
        let platform = &hotel.app.platform;
        assert_eq!(platform.run_due().await.unwrap(), 1);
        assert_eq!(platform.run_due().await.unwrap(), 0, "not before an hour has gone by");
        hotel.app.clock.advance(Duration::hours(1));
        assert_eq!(platform.run_due().await.unwrap(), 1);
        assert_eq!(plan(&hotel.now(&booked).await)[0].1, "PENDING");
        hotel.app.clock.advance(Duration::hours(1));
        assert_eq!(platform.run_due().await.unwrap(), 1);
        assert_eq!(plan(&hotel.now(&booked).await)[0].1, "FAILED");
        hotel.app.clock.advance(Duration::hours(2));
        assert_eq!(platform.run_due().await.unwrap(), 0);
    }

    async fn a_try_without_an_answer_counts_once_it_is_known_to_have_failed(remote: Remote) {
        let Remote { hotel, line } = remote;
        hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({})).await;
        let (platform, clock) = (&hotel.app.platform, &hotel.app.clock);
        line.break_with(Fault::RequestLost);
        platform.run_due().await.unwrap();
        let attempts = |reservation: &Value| -> Vec<String> {
            let attempts = payments(reservation)[0]["attempts"].as_array().unwrap();
            attempts.iter().map(|one| one["status"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(attempts(&hotel.now(&booked).await), ["PENDING"]);
        clock.advance(Duration::minutes(90));
        // It is sent again, under its own key: that is no second try.
        platform.run_due().await.unwrap();
        assert_eq!(attempts(&hotel.now(&booked).await), ["FAILED"]);
        assert_eq!(plan(&hotel.now(&booked).await)[0].1, "PENDING");
        for _ in 0..3 {
            clock.advance(Duration::hours(1));
            platform.run_due().await.unwrap();
        }
        let failed = hotel.now(&booked).await;
        assert_eq!(attempts(&failed), ["FAILED", "FAILED", "FAILED"]);
        assert_eq!(plan(&failed)[0].1, "FAILED");
        assert_eq!(hotel.charges().await, 3);
    }

    async fn a_processor_that_is_away_for_an_hour_keeps_nobody_from_paying(remote: Remote) {
        let Remote { hotel, line } = remote;
        let booked = hotel.book(&json!({})).await;
        let (platform, clock) = (&hotel.app.platform, &hotel.app.clock);
        line.break_with(Fault::Unavailable);
        platform.run_due().await.unwrap();
        assert_eq!(plan(&hotel.now(&booked).await)[0].1, "PENDING");
        clock.advance(Duration::hours(1));
        platform.run_due().await.unwrap();
        assert_eq!(plan(&hotel.now(&booked).await)[0].1, "SUCCEEDED");
        assert_eq!(hotel.charges().await, 1);
    }

    async fn what_no_provider_can_charge_fails_and_says_why(hotel: Hotel) {
        let kronur = json!({"money": {"fareAccommodation": 90000, "currency": "ISK"}});
        let booked = hotel.book(&kronur).await;
        let platform = &hotel.app.platform;
        platform.run_due().await.unwrap();
        let failed = hotel.now(&booked).await;
        assert_eq!(plan(&failed)[0].1, "FAILED");
        assert_eq!(payments(&failed)[0]["attempts"], json!([]), "nobody was asked for money");
        let told = hotel.app.event_bodies("payments.failed").await;
        assert_eq!(told.len(), 1);
        let why = told[0].1["failureReason"].as_str().unwrap();
        assert!(why.contains("no sub-account in ISK"), "{why}");
        assert_eq!(platform.run_due().await.unwrap(), 0, "it is not looked at again");
    }

    async fn without_a_card_they_wait_for_one(hotel: Hotel) {
        let guest = json!({"firstName": "Nora", "lastName": "Cardless"});
        let booked = hotel.book(&json!({"guest": guest, "guestId": null})).await;
        let first = &payments(&booked)[0];
        assert_eq!(first["paymentMethod"]["method"], "CASH");
        assert_eq!(first["status"], "PENDING");
        assert_eq!(told_of_ours(&hotel.advance("2h").await), [], "there is nothing to charge");

        let guest = booked["guestId"].as_str().unwrap();
        let card = hotel.store_card(guest, "pm_card_visa").await;
        let carded = hotel.now(&booked).await;
        for payment in payments(&carded) {
            assert_eq!(payment["paymentMethodId"], card);
            assert_eq!(payment["status"], "PENDING");
        }
        assert_eq!(carded["money"]["isTouchedPayments"], false);
        let advanced = hotel.advance("1h").await;
        assert_eq!(told_of_ours(&advanced), [("2023-08-14T15:02:00.000Z", "payment", "SUCCEEDED")]);
    }

    async fn a_person_can_give_a_waiting_payment_its_card(hotel: Hotel) {
        let guest = json!({"firstName": "Nora", "lastName": "Cardless"});
        let booked = hotel.book(&json!({"guest": guest, "guestId": null})).await;
        let second = payments(&booked)[1]["_id"].as_str().unwrap();
        let second = format!("{}/payments/{second}", path(&booked));
        // Touched before the card is there: nothing follows by itself any more.
        hotel.app.put(&second, &json!({"note": "by phone"})).await.expect(200);
        let guest = booked["guestId"].as_str().unwrap();
        let card = hotel.store_card(guest, "pm_card_visa").await;
        let after = hotel.now(&booked).await;
        assert_eq!(payments(&after)[1]["paymentMethod"]["method"], "CASH");
        let given = json!({"paymentMethod": {"method": "STRIPE", "id": card}});
        hotel.app.put(&second, &given).await.expect(200);
        let after = hotel.now(&booked).await;
        assert_eq!(payments(&after)[1]["paymentMethodId"], card);
        let advanced = hotel.advance("60d").await;
        assert_eq!(told_of_ours(&advanced), [("2023-09-17T13:00:00.000Z", "payment", "SUCCEEDED")]);
    }

    async fn whether_the_card_or_the_confirmation_comes_first_the_card_is_charged(hotel: Hotel) {
        for round in 0..4 {
            let name = format!("Guest {round}");
            let guest = json!({"firstName": "Both", "lastName": name});
            let first = hotel.book(&json!({
                "guest": guest, "guestId": null, "status": "reserved",
            })).await;
            let guest = first["guestId"].as_str().unwrap();
            let stay = json!({"guestId": guest, "status": "reserved"});
            let second = hotel.book(&stay).await;
            let confirmed = json!({"status": "confirmed"});
            // Whoever is first: at once, and each in its own transaction.
            tokio::join!(
                hotel.change(&first, &confirmed),
                hotel.store_card(guest, "pm_card_visa"),
                hotel.change(&second, &confirmed),
            );
            for booked in [&first, &second] {
                let booked = hotel.now(booked).await;
                assert_eq!(payments(&booked).len(), 2);
                for payment in payments(&booked) {
                    assert_eq!(payment["paymentMethod"]["method"], "STRIPE", "{payment}");
                }
            }
        }
    }

    async fn another_guest_is_charged_by_their_own_card(hotel: Hotel) {
        let booked = hotel.book(&json!({})).await;
        let other = json!({"firstName": "Nora", "lastName": "Newcomer"});
        let other = hotel.app.post("/v1/guests-crud", &other).await.expect(200);
        let changed = hotel.change(&booked, &json!({"guestId": other["_id"]})).await;
        for payment in payments(&changed) {
            assert_eq!(payment["paymentMethod"]["method"], "CASH", "they have no card yet");
        }
        let card = hotel.store_card(other["_id"].as_str().unwrap(), "pm_card_visa").await;
        for payment in payments(&hotel.now(&booked).await) {
            assert_eq!(payment["paymentMethodId"], card);
        }
    }

    async fn who_edits_a_payment_takes_it_over(hotel: Hotel) {
        hotel.store_card(GUEST, "pm_card_chargeDeclined").await;
        let booked = hotel.book(&json!({})).await;
        let second = payments(&booked)[1]["_id"].as_str().unwrap();
        let second = format!("{}/payments/{second}", path(&booked));
        hotel.app.put(&second, &json!({"shouldBePaidAt": "2023-08-20"})).await.expect(200);
        let advanced = hotel.advance("30d").await;
        let fates: Vec<_> = told_of_ours(&advanced).into_iter().map(|(at, _, fate)| (at, fate)).collect();
        // The one that was edited is tried once, the other still three times.
        assert_eq!(fates, [
            ("2023-08-14T13:02:00.000Z", "PENDING"),
            ("2023-08-14T14:02:00.000Z", "PENDING"),
            ("2023-08-14T15:02:00.000Z", "FAILED"),
            ("2023-08-20T00:00:00.000Z", "FAILED"),
        ]);
    }

    async fn cancelling_calls_off_what_waits_and_leaves_what_people_planned(hotel: Hotel) {
        let booked = hotel.book(&json!({})).await;
        hotel.advance("1m").await;
        let cancelled = hotel.change(&booked, &json!({"status": "canceled"})).await;
        let states: Vec<_> = plan(&cancelled).into_iter().map(|(_, status, _)| status).collect();
        assert_eq!(states, ["SUCCEEDED", "CANCELLED"]);
        assert_eq!(cancelled["money"]["isTouchedPayments"], false);
        assert_eq!(told_of_ours(&hotel.advance("60d").await), []);

        hotel.app.put(OF_ACCOUNT, &json!({"policy": []})).await.expect(200);
        let later = json!({
            "checkInDateLocalized": "2024-03-01", "checkOutDateLocalized": "2024-03-05",
        });
        let manual = hotel.book(&later).await;
        let all = format!("{}/payments", path(&manual));
        hotel.app.post(&all, &json!({
            "paymentMethod": {"method": "STRIPE", "id": METHOD}, "amount": 100,
            "shouldBePaidAt": "2024-01-01",
        })).await.expect(201);
        let cancelled = hotel.change(&manual, &json!({"status": "canceled"})).await;
        assert_eq!(plan(&cancelled), [planned("100", "PENDING", "2024-01-01T00:00:00.000Z")]);
    }

    async fn a_stay_that_is_triggered_is_paid_by_the_policy(hotel: Hotel) {
        let direct = json!({"name": "direct-booking"});
        let triggered = hotel.app.post("/sandbox/trigger", &direct).await.expect(200);
        let id = triggered["reservation"].as_str().unwrap();
        let booked = hotel.app.get(&format!("/v1/reservations/{id}")).await.expect(200);
        assert_eq!(booked["money"]["paymentsDue"], booked["money"]["balanceDue"]);
        assert_eq!(booked["money"]["isTouchedPayments"], false);
        for payment in payments(&booked) {
            assert_eq!(payment["paymentMethodId"], triggered["paymentMethod"]);
        }
    }

    async fn an_account_that_is_emptied_has_no_policies_left(hotel: Hotel) {
        hotel.app.put(&of_listing(), &json!({"policy": []})).await.expect(200);
        hotel.book(&json!({})).await;
        hotel.app.post("/sandbox/reset", &json!({"yes": true})).await.expect(200);
        assert_eq!(hotel.app.get(OF_ACCOUNT).await.expect(200)["policy"], json!([]));
    }
}
