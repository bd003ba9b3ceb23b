//! The payment transactions report: what can be asked, what is refused, what is printed.

use axum::body::Body;
use axum::http::Request;
use chrono::Duration;
use contract::id::{GuestId, ListingId, ReservationId};
use money::Money;
use payments::{NewApplication, Settings};
use processors::TransactionStatus;
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::Engine;

use crate::recorded::{Reporting, add_provider, add_provider_with_status};
use crate::support::{GuestyDocs, Reply, TestApp};

/// The guide and the published schema name the report differently.
const PATHS: [&str; 2] = [
    "/v1/payment-transactions/report",
    "/v1/payment-transactions/reports",
];
/// What users are told.
const DOCUMENT: &str = include_str!("../../../../docs/transaction-report.md");
const MARCH: &str = "startDate=2026-03-01&endDate=2026-03-31";

/// Asks at both paths, which answer alike.
async fn ask(app: &TestApp, query: &str) -> Reply {
    let [singular, plural] = PATHS;
    let reply = app.get(&format!("{singular}?{query}")).await;
    let same = app.get(&format!("{plural}?{query}")).await;
    assert_eq!((reply.status, &reply.text), (same.status, &same.text));
    reply
}

/// The ids that a query finds, in their order.
async fn ids(app: &TestApp, query: &str) -> Vec<String> {
    let reply = ask(app, query).await.expect(200);
    let rows = reply.as_array().unwrap().iter();
    rows.map(|row| row["transactionId"].as_str().unwrap().to_owned())
        .collect()
}

pub fn refused(text: &str) -> Value {
    json!({
        "error": {
            "message": "Bad Request",
            "code": "VALIDATION_FAILED",
            "status": 400,
            "data": [text],
        }
    })
}

/// An account whose provider has the sub-account 1387.1 in pounds.
async fn set_up(this: &Reporting) {
    this.processor.open("1387.1", "GBP");
    add_provider(&this.app, this.app.account(), Some("1387")).await;
}

on_both_engines! {
    async fn each_wrong_request_gets_its_documented_text(this: Reporting) {
        set_up(&this).await;
        let dates = "startDate=2026-03-01&endDate=2026-03-02";
        let required = "Date range or reservation confirmation code is required";
        let code_with_dates =
            "Cannot filter by date range and confirmation code at the same time";
        let code_with_sub_account =
            "Cannot use confirmation code with date range or sub account ID";
        let sub_account = "Invalid sub account ID (format must be accountId.subAccountId)";
        let take = "take must be between 1 and 100";
        let skip = "skip must be 0 or more";
        for (query, text) in [
            ("", required),
            ("subAccountId=1387.1", required),
            ("startDate=2026-03-01", required),
            ("endDate=2026-03-01", required),
            ("startDate=&endDate=&reservationConfirmationCode=", required),
            ("startDate=2026-03-01&endDate=", required),
            ("startDate=2026-03-01&endDate=2026-04-02", "Date range cannot exceed 1 month"),
            (
                "startDate=2026-03-01T00:00:00&endDate=2026-04-01T00:00:01",
                "Date range cannot exceed 1 month",
            ),
            ("startDate=2025-01-01&endDate=2026-01-01", "Date range cannot exceed 1 month"),
            ("startDate=2026-03-02&endDate=2026-03-01", "End date cannot be before start date"),
            (
                "startDate=2026-03-02T10:00:01&endDate=2026-03-02T10:00:00",
                "End date cannot be before start date",
            ),
            (
                "startDate=2026-03-02T10:00:00.001&endDate=2026-03-02T10:00:00.000",
                "End date cannot be before start date",
            ),
            ("startDate=01.03.2026&endDate=2026-03-02", "Invalid date format"),
            ("startDate=2026-03-01&endDate=soon", "Invalid date format"),
            ("startDate=2026-02-30&endDate=2026-03-02", "Invalid date format"),
            ("startDate=0001-01-01&endDate=0001-01-02", "Invalid date format"),
            ("startDate=1772323200000&endDate=1772323300000", "Invalid date format"),
            ("startDate=2026-03-01%00&endDate=2026-03-02", "Invalid date format"),
            (&format!("{dates}&subAccountId=1387"), sub_account),
            (&format!("{dates}&subAccountId=1387."), sub_account),
            (&format!("{dates}&subAccountId=1387.1.2"), sub_account),
            (&format!("{dates}&subAccountId=1387.one"), sub_account),
            (&format!("{dates}&subAccountId=-1.2"), sub_account),
            (&format!("{dates}&reservationConfirmationCode=HA-1"), code_with_dates),
            ("startDate=2026-03-01&reservationConfirmationCode=HA-1", code_with_dates),
            (
                "subAccountId=1387.1&reservationConfirmationCode=HA-1",
                code_with_sub_account,
            ),
            (
                &format!("{dates}&subAccountId=1387.1&reservationConfirmationCode=HA-1"),
                code_with_sub_account,
            ),
            (&format!("{dates}&take=0"), take),
            (&format!("{dates}&take=101"), take),
            (&format!("{dates}&take=-1"), take),
            (&format!("{dates}&take=ten"), take),
            (&format!("{dates}&take=2.5"), take),
            (&format!("{dates}&take=99999999999999999999"), take),
            (&format!("{dates}&skip=-1"), skip),
            (&format!("{dates}&skip=1e3"), skip),
            (&format!("{dates}&skip=0x10"), skip),
            (
                "reservationConfirmationCode=HA%00",
                "reservationConfirmationCode must not contain a NUL character",
            ),
            (&format!("{dates}&skip=1&skip=2"), "skip must be given only once"),
            (&format!("{dates}&startDate=2026-03-02"), "startDate must be given only once"),
        ] {
            let reply = ask(&this.app, query).await;
            assert_eq!(reply.expect(400), refused(text), "{query}");
            // The first word may be any parameter's name.
            let (_, documented) = text.split_once(' ').unwrap();
            assert!(DOCUMENT.contains(documented), "no document says: {text}");
        }
    }

    async fn of_several_faults_the_first_check_speaks(this: Reporting) {
        for (query, text) in [
            ("skip=x&take=0", "skip must be 0 or more"),
            ("take=0&startDate=x", "take must be between 1 and 100"),
            ("startDate=x&subAccountId=x", "Invalid date format"),
            (
                "startDate=2026-03-01&subAccountId=x&reservationConfirmationCode=A",
                "Invalid sub account ID (format must be accountId.subAccountId)",
            ),
            // Without a provider, yet the request comes first.
            ("take=1", "Date range or reservation confirmation code is required"),
            (MARCH, "Payment provider not found"),
        ] {
            assert_eq!(ask(&this.app, query).await.expect(400), refused(text), "{query}");
        }
    }

    async fn a_parameter_that_nobody_knows_is_passed_over(this: Reporting) {
        set_up(&this).await;
        let id = this.processor.report("1387.1", "2026-03-05T10:00:00Z");
        assert_eq!(ids(&this.app, &format!("{MARCH}&foo=bar&foo=%ZZ&&=")).await, [id]);
    }

    async fn an_account_without_an_active_provider_has_no_report(this: Reporting) {
        let account = this.app.account();
        this.processor.open("1387.1", "GBP");
        add_provider_with_status(&this.app, account, Some("1387"), "INACTIVE").await;
        let stranger = this.app.signed_in().await;
        add_provider(&this.app, stranger.account(), Some("1387")).await;
        let reply = ask(&this.app, MARCH).await;
        assert_eq!(reply.expect(400), refused("Payment provider not found"));
        let reply = ask(&this.app, "reservationConfirmationCode=HA-1").await;
        assert_eq!(reply.expect(400), refused("Payment provider not found"));
    }

    async fn a_provider_that_is_not_set_up_is_the_documented_500(this: Reporting) {
        let misconfigured = json!({
            "error": {
                "message": "Payment provider has no account or sub account",
                "status": 500,
            }
        });
        for merchant in [None, Some("1999")] {
            let app = this.app.signed_in().await;
            add_provider(&app, app.account(), merchant).await;
            assert_eq!(ask(&app, MARCH).await.expect(500), misconfigured, "{merchant:?}");
        }

        // It is no more when a sub-account is opened, or when another provider is set up.
        let app = this.app.signed_in().await;
        add_provider(&app, app.account(), Some("1500")).await;
        assert_eq!(ask(&app, MARCH).await.expect(500), misconfigured);
        this.processor.open("1500.1", "EUR");
        this.app.platform.run_imports().await;
        assert_eq!(ask(&app, MARCH).await.expect(200), json!([]));
        add_provider(&app, app.account(), None).await;
        assert_eq!(ask(&app, MARCH).await.expect(200), json!([]));
    }

    async fn a_caller_without_a_good_token_is_told_so(this: Reporting) {
        let nobody = json!({
            "error": {
                "message": "You need to be authenticated to access this endpoint",
                "code": "UNAUTHORIZED",
                "status": 401,
            }
        });
        let expired = json!({
            "message": "You don't have permission to access, please contact Guesty support."
        });
        assert_eq!(ask(&this.app.with_token("x.y.z"), MARCH).await.expect(401), nobody);
        for path in PATHS {
            let without_token = Request::get(path).body(Body::empty()).unwrap();
            assert_eq!(this.app.request(without_token).await.expect(401), nobody);
        }
        this.app.clock.advance(Duration::hours(25));
        assert_eq!(ask(&this.app.with_this_token_only(), MARCH).await.expect(403), expired);
    }

    async fn a_row_has_the_documented_fields_in_their_order(this: Reporting) {
        this.processor.open("1387.1", "USD");
        this.processor.open("1387.2", "GBP");
        add_provider(&this.app, this.app.account(), Some("1387")).await;
        let id = this.processor.report_with("1387.2", "2025-09-15T02:20:45.999Z", |record| {
            record.amount = Money::from_minor(100_000, record.amount.currency());
            record.system_at = "2025-09-15T02:20:48Z".parse().unwrap();
            record.settled_at = Some("2025-09-15T23:59:59Z".parse().unwrap());
        });
        let reply = ask(&this.app, "startDate=2025-09-15&endDate=2025-09-15").await;
        reply.expect(200);
        assert_eq!(
            reply.text,
            format!(
                "[{{\"transactionId\":\"{id}\",\
                 \"reservationConfirmationCode\":\"HA-123abc\",\
                 \"amount\":1000.00,\
                 \"currency\":\"GBP\",\
                 \"last4\":\"0042\",\
                 \"bin\":\"424242\",\
                 \"subAccount\":\"1387.2 - My Company - GBP\",\
                 \"merchantDate\":\"2025-09-15T02:20:45\",\
                 \"systemDate\":\"2025-09-15T02:20:48\",\
                 \"settlementDate\":\"2025-09-15T23:59:59\",\
                 \"paymentMethod\":\"Visa\",\
                 \"processorARN\":\"74537604221222132710572\",\
                 \"dynamicDescriptor\":\"MY COMPANY\",\
                 \"status\":\"Processed\",\
                 \"transactionType\":\"Charge\",\
                 \"authorizationOrErrorCode\":\"275640\"}}]"
            )
        );
    }

    async fn what_is_not_known_is_null_and_no_reservation_is_empty(this: Reporting) {
        set_up(&this).await;
        this.processor.report_with("1387.1", "2026-03-05T10:00:00Z", |record| {
            record.amount = Money::zero(record.amount.currency());
            record.status = TransactionStatus::Declined;
            record.confirmation_code = None;
            record.arn = None;
        });
        let reply = ask(&this.app, MARCH).await.expect(200);
        assert_eq!(reply[0]["settlementDate"], Value::Null);
        assert_eq!(reply[0]["processorARN"], Value::Null);
        assert_eq!(reply[0]["reservationConfirmationCode"], "");
        assert_eq!(reply[0]["status"], "Declined");
        assert_eq!(reply[0]["amount"].to_string(), "0.00");
    }

    async fn amounts_have_the_digits_of_their_currency(this: Reporting) {
        for (number, currency) in [(1, "USD"), (2, "JPY"), (3, "KWD")] {
            this.processor.open(&format!("1387.{number}"), currency);
        }
        add_provider(&this.app, this.app.account(), Some("1387")).await;
        for number in 1..=3 {
            let sub_account = format!("1387.{number}");
            this.processor.report_with(&sub_account, "2026-03-05T10:00:00Z", |record| {
                record.amount = Money::from_minor(1_000_000_000_050, record.amount.currency());
            });
        }
        let reply = ask(&this.app, MARCH).await;
        let rows = reply.expect(200);
        let amounts = rows.as_array().unwrap().iter().map(|row| row["amount"].to_string());
        assert_eq!(
            amounts.collect::<Vec<_>>(),
            ["10000000000.50", "1000000000050", "1000000000.050"],
            "{}",
            reply.text
        );
    }

    async fn a_bare_end_date_includes_its_day_and_a_time_its_second(this: Reporting) {
        set_up(&this).await;
        let instants = [
            "2026-02-28T23:59:59.999Z",
            "2026-03-01T00:00:00.000Z",
            "2026-03-01T12:30:15.500Z",
            "2026-03-31T23:59:59.999Z",
            "2026-04-01T00:00:00.000Z",
        ];
        let known = instants.map(|at| this.processor.report("1387.1", at));
        for (start, end, expected) in [
            ("2026-03-01", "2026-03-31", 1..4),
            ("2026-03-01", "2026-03-01", 1..3),
            ("2026-03-01", "2026-04-01", 1..5),
            ("2026-03-01T00:00:00", "2026-03-31T23:59:59", 1..4),
            ("2026-03-01T00:00:00Z", "2026-03-31T23:59:59.998Z", 1..3),
            ("2026-02-28T23:59:59", "2026-03-01T12:30:15", 0..3),
            ("2026-03-01T12:30:15.501", "2026-03-31", 3..4),
            ("2026-03-01T12:30:15.500", "2026-03-01T12:30:15.500", 2..3),
            ("2026-03-01T13:30:15%2B01:00", "2026-03-01", 2..3),
            // A + that the client did not escape.
            ("2026-03-01T13:30:15+01:00", "2026-03-01", 2..3),
            ("2026-03-01T12:30", "2026-03-01T12:31", 2..3),
            ("2026-03-01T12:00", "2026-03-01", 2..3),
        ] {
            let found = ids(&this.app, &format!("startDate={start}&endDate={end}")).await;
            assert_eq!(found, known[expected], "{start} to {end}");
        }
    }

    async fn a_range_of_31_days_is_the_longest(this: Reporting) {
        set_up(&this).await;
        for (start, end, status) in [
            ("2026-03-01", "2026-04-01", 200),
            ("2026-03-01", "2026-04-02", 400),
            ("2026-02-01", "2026-03-04", 200),
            ("2026-02-01", "2026-03-05", 400),
            ("2026-03-01T08:00:00", "2026-04-01T08:00:00", 200),
            ("2026-03-01T08:00:00", "2026-04-01T08:00:01", 400),
            ("2026-03-01T08:00:00", "2026-04-01", 200),
            ("2026-03-01", "2026-04-01T00:00:00", 200),
            ("2026-03-01", "2026-04-01T00:00:01", 400),
        ] {
            let reply = ask(&this.app, &format!("startDate={start}&endDate={end}")).await;
            assert_eq!(reply.status.as_u16(), status, "{start} to {end}: {}", reply.text);
        }
    }

    async fn a_page_has_25_rows_unless_told_otherwise_and_100_at_most(this: Reporting) {
        set_up(&this).await;
        let known: Vec<_> = (0..130)
            .map(|n| this.processor.report("1387.1", &format!("2026-03-{:02}T10:00:00Z", n / 5 + 1)))
            .collect();
        for (page, expected) in [
            ("", 0..25),
            ("&take=1", 0..1),
            ("&take=100", 0..100),
            ("&skip=25", 25..50),
            ("&skip=129", 129..130),
            ("&skip=130", 130..130),
            ("&skip=40&take=7", 40..47),
            ("&skip=&take=", 0..25),
            ("&skip=99999999999999999999", 130..130),
        ] {
            let by_dates = ids(&this.app, &format!("{MARCH}{page}")).await;
            assert_eq!(by_dates, known[expected.clone()], "{page}");
            let code = "reservationConfirmationCode=HA-123abc";
            let by_code = ids(&this.app, &format!("{code}{page}")).await;
            assert_eq!(by_code, known[expected.clone()], "{page}");
            let sub_account = format!("{MARCH}&subAccountId=1387.1{page}");
            assert_eq!(ids(&this.app, &sub_account).await, known[expected], "{page}");
        }
    }

    async fn filters_find_a_sub_accounts_rows_or_a_reservations(this: Reporting) {
        this.processor.open("1387.1", "USD");
        this.processor.open("1387.2", "GBP");
        this.processor.open("1387.10", "EUR");
        add_provider(&this.app, this.app.account(), Some("1387")).await;
        let report = |sub_account, code: &str, at| {
            this.processor.report_with(sub_account, at, |record| {
                record.confirmation_code = Some(code.to_owned());
            })
        };
        let one = report("1387.1", "GY-one", "2026-03-01T10:00:00Z");
        let two = report("1387.2", "GY-two", "2026-03-02T10:00:00Z");
        let ten = report("1387.10", "GY-two", "2026-03-03T10:00:00Z");
        let old = report("1387.1", "GY-two", "2020-01-01T10:00:00Z");
        for (query, expected) in [
            (MARCH.to_owned(), vec![&one, &two, &ten]),
            (format!("{MARCH}&subAccountId=1387.1"), vec![&one]),
            (format!("{MARCH}&subAccountId=1387.10"), vec![&ten]),
            (format!("{MARCH}&subAccountId=1387.3"), vec![]),
            ("reservationConfirmationCode=GY-one".to_owned(), vec![&one]),
            // Of all times.
            ("reservationConfirmationCode=GY-two".to_owned(), vec![&old, &two, &ten]),
            ("reservationConfirmationCode=gy-two".to_owned(), vec![]),
            ("reservationConfirmationCode=GY-%25".to_owned(), vec![]),
        ] {
            let found = ids(&this.app, &query).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
        }
    }

    async fn another_accounts_rows_are_never_shown(this: Reporting) {
        set_up(&this).await;
        this.processor.open("1400.1", "GBP");
        let stranger = this.app.signed_in().await;
        add_provider(&stranger, stranger.account(), Some("1400")).await;
        let ours = this.processor.report("1387.1", "2026-03-01T10:00:00Z");
        let theirs = this.processor.report("1400.1", "2026-03-01T10:00:00Z");
        for query in [MARCH, "reservationConfirmationCode=HA-123abc"] {
            assert_eq!(ids(&this.app, query).await, [ours.as_str()]);
            assert_eq!(ids(&stranger, query).await, [theirs.as_str()]);
        }
        assert_eq!(ids(&this.app, &format!("{MARCH}&subAccountId=1400.1")).await, [""; 0]);
    }

    async fn two_accounts_of_one_merchant_each_see_all_of_it(this: Reporting) {
        set_up(&this).await;
        let partner = this.app.signed_in().await;
        add_provider(&partner, partner.account(), Some("1387")).await;
        let row = this.processor.report("1387.1", "2026-03-01T10:00:00Z");
        assert_eq!(ids(&this.app, MARCH).await, [row.as_str()]);
        assert_eq!(ids(&partner, MARCH).await, [row.as_str()]);
    }

    async fn an_application_for_some_listings_sees_their_reservations_rows(this: Reporting) {
        set_up(&this).await;
        let account = this.app.account();
        let seen: ListingId = add_reservation(&this.app, "GY-seen").await;
        add_reservation(&this.app, "GY-hidden").await;
        let report = |code: Option<&str>, at| {
            this.processor.report_with("1387.1", at, |record| {
                record.confirmation_code = code.map(str::to_owned);
            })
        };
        report(Some("GY-hidden"), "2026-03-01T10:00:00Z");
        let first = report(Some("GY-seen"), "2026-03-02T10:00:00Z");
        report(None, "2026-03-03T10:00:00Z");
        report(Some("GY-gone"), "2026-03-04T10:00:00Z");
        let second = report(Some("GY-seen"), "2026-03-05T10:00:00Z");

        let limited = NewApplication {
            listings: Some([seen].into()),
            ..NewApplication::named(account, "One house")
        };
        let limited = this.app.signed_in_as(limited).await;
        let both = [first.as_str(), second.as_str()];
        for (query, expected) in [
            (MARCH.to_owned(), &both[..]),
            (format!("{MARCH}&skip=1"), &both[1..]),
            (format!("{MARCH}&subAccountId=1387.1&take=1"), &both[..1]),
            (format!("{MARCH}&subAccountId=1387.2"), &[]),
            ("reservationConfirmationCode=GY-seen".to_owned(), &both[..]),
            ("reservationConfirmationCode=GY-hidden".to_owned(), &[]),
            ("reservationConfirmationCode=GY-gone".to_owned(), &[]),
        ] {
            assert_eq!(ids(&limited, &query).await, expected, "{query}");
        }
        assert_eq!(ids(&this.app, MARCH).await.len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_prints_amounts_as_text() {
    let settings = Settings {
        report_amounts_as_text: true,
        ..Settings::default()
    };
    let this = Reporting::with(Engine::Sqlite, settings).await;
    set_up(&this).await;
    this.processor.report("1387.1", "2026-03-05T10:00:00Z");
    let reply = ask(&this.app, MARCH).await.expect(200);
    assert_eq!(reply[0]["amount"], "12.34");
}

on_both_engines! {
    async fn a_payments_whole_life_is_reported_step_by_step_and_at_once(docs: GuestyDocs) {
        const PAYMENTS: &str = "/v1/reservations/64da254383ad1500284bd0c0/payments";
        const DAY: &str = "startDate=2023-08-14&endDate=2023-08-14";
        let app = &docs.app;
        let card = json!({"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"});
        let charge = json!({"paymentMethod": card, "amount": 500});
        let hold = json!({"paymentMethod": card, "amount": 120.5, "isAuthorizationHold": true});

        let mut expected = Vec::new();
        for (body, step) in [(charge, "Charge 500.00"), (hold, "Authorization 120.50")] {
            let reply = app.post(PAYMENTS, &body).await.expect(201);
            let made = reply["money"]["payments"].as_array().unwrap().last().unwrap();
            let payment = format!("{PAYMENTS}/{}", made["_id"].as_str().unwrap());
            expected.push(step);
            assert_eq!(steps(app, DAY).await, expected);
            if body["isAuthorizationHold"] == true {
                let part = json!({"amount": 100});
                app.post(&format!("{payment}/capture"), &part).await.expect(201);
                expected.push("Partial Capture 100.00");
                assert_eq!(steps(app, DAY).await, expected);
            }
            app.post(&format!("{payment}/refund"), &json!({"amount": 40.05})).await.expect(201);
            // The payment is not settled yet.
            expected.push("Partial Void 40.05");
            assert_eq!(steps(app, DAY).await, expected);
        }
        assert_eq!(steps(app, "reservationConfirmationCode=r2B9jZYJK").await, expected);

        let rows = ask(app, DAY).await.expect(200);
        assert_eq!(rows[0]["subAccount"].as_str().unwrap().split(" - ").last(), Some("USD"));
        assert_eq!(rows[0]["merchantDate"], "2023-08-14T13:02:00");
        assert_eq!(rows[0]["last4"], "4242");
        assert_eq!(rows[0]["paymentMethod"], "Visa");
    }
}

/// The kind and the amount of each row.
async fn steps(app: &TestApp, query: &str) -> Vec<String> {
    let rows = ask(app, query).await.expect(200);
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| {
        format!(
            "{} {}",
            row["transactionType"].as_str().unwrap(),
            row["amount"]
        )
    })
    .collect()
}

/// A reservation with this code in a listing of its own.
pub async fn add_reservation(app: &TestApp, code: &str) -> ListingId {
    let account = app.account();
    let listing: ListingId = store::new_id();
    let guest: GuestId = store::new_id();
    let reservation: ReservationId = store::new_id();
    for statement in [
        format!(
            "INSERT INTO listing (id, account_id, title, is_active, is_listed, currency, \
             timezone, tags, search, body, created_ms, updated_ms) VALUES \
             ('{listing}', '{account}', 'House', TRUE, TRUE, 'GBP', 'UTC', '', '', '{{}}', 0, 0)"
        ),
        format!(
            "INSERT INTO guest (id, account_id, full_name, body, created_ms, updated_ms) \
             VALUES ('{guest}', '{account}', 'Ida', '{{}}', 0, 0)"
        ),
        format!(
            "INSERT INTO reservation (id, account_id, listing_id, guest_id, status, \
             confirmation_code, source, check_in, check_out, check_in_ms, check_out_ms, \
             guests_count, currency, amount_scale, total_minor, \
             paid_minor, refunded_minor, is_touched, body, created_ms, updated_ms) VALUES \
             ('{reservation}', '{account}', '{listing}', '{guest}', 'confirmed', '{code}', \
             'Manual', '2026-03-01', '2026-03-05', 0, 0, 2, 'GBP', 100, 0, 0, 0, FALSE, '{{}}', \
             0, 0)"
        ),
    ] {
        app.sql(statement).await;
    }
    listing
}
