//! The payouts reconciliation report: what can be asked, what is refused, what is printed.

use axum::body::Body;
use axum::http::Request;
use chrono::Duration;
use money::{Currency, Money};
use payments::{NewApplication, Settings};
use processors::sandbox::{Adjustment, Dispute, DisputeOutcome};
use processors::{
    Activity, Fee, MerchantId, PayoutId, PayoutStatus, Processor, Release, SubAccountId,
    TransactionId, TransactionKind,
};
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::Engine;

use crate::recorded::{Reporting, add_provider};
use crate::support::{GuestyDocs, Reply, TestApp};
use crate::transactions::{add_reservation, refused};

pub const PATH: &str = "/v1/payment-transactions/reports/payouts-reconciliation";
/// What users are told.
const DOCUMENT: &str = include_str!("../../../../docs/payouts-report.md");
const MARCH: &str = "startDate=2026-03-01&endDate=2026-03-31";
/// The fields that the guide has, in its order.
const GUIDE: [&str; 16] = [
    "transactionId",
    "reservationConfirmationCode",
    "amount",
    "currency",
    "last4",
    "bin",
    "subAccount",
    "merchantDate",
    "systemDate",
    "settlementDate",
    "paymentMethod",
    "processorARN",
    "dynamicDescriptor",
    "status",
    "transactionType",
    "authorizationOrErrorCode",
];
/// The fields that the published schema has, in its order.
const SCHEMA: [&str; 52] = [
    "payoutId",
    "payoutProcessDate",
    "payoutRejectOrReturnDate",
    "payoutName",
    "payoutDescriptor",
    "payoutMethod",
    "payoutAmount",
    "payoutStatus",
    "payoutAuthorizationOrErrorCode",
    "payoutProcessor",
    "activityType",
    "settlementDate",
    "transactionId",
    "merchantTransactionId",
    "processorTransactionId",
    "transactionSystemDate",
    "transactionMerchantDate",
    "transactionProcessorDate",
    "transactionType",
    "paymentType",
    "transactionPaymentMethod",
    "transactionAmount",
    "transactionProcessor",
    "feeName",
    "feeType",
    "feeCategory",
    "feeGroupName",
    "feeAmount",
    "feeSource",
    "feeTarget",
    "reserveCollectionDate",
    "reserveReleaseDate",
    "reserveReleaseType",
    "reserveReleaseAmount",
    "adjustmentId",
    "adjustmentDate",
    "adjustmentCategory",
    "adjustmentType",
    "adjustmentName",
    "adjustmentPaymentMethod",
    "adjustmentStatus",
    "payoutValue",
    "percentageLimit",
    "percentageLimitAdjustmentValue",
    "amountLimit",
    "amountLimitAdjustmentValue",
    "activeLimit",
    "adjustmentAmount",
    "activityAmount",
    "currency",
    "subAccount",
    "platformAccount",
];

async fn ask(app: &TestApp, query: &str) -> Reply {
    app.get(&format!("{PATH}?{query}")).await
}

pub async fn rows(app: &TestApp, query: &str) -> Vec<Value> {
    let reply = ask(app, query).await.expect(200);
    reply.as_array().unwrap().clone()
}

/// What each row is of and what it adds, and then what its payout is and comes to.
async fn equation(app: &TestApp, query: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows(app, query)
        .await
        .iter()
        .map(|row| {
            let kind = ["transactionType", "feeName", "activityType"];
            let kind = kind.iter().find(|name| row[**name].is_string()).unwrap();
            format!(
                "{} {}, {} {}",
                text(&row[*kind]),
                text(&row["activityAmount"]),
                text(&row["payoutStatus"]),
                text(&row["payoutAmount"])
            )
        })
        .collect()
}

/// An account whose provider has the sub-account 1387.1 in pounds.
async fn set_up(this: &Reporting) {
    this.processor.open("1387.1", "GBP");
    add_provider(&this.app, this.app.account(), Some("1387")).await;
}

/// Reports a charge of a reservation, and a payout of it and all that comes with it: 100.00 less
/// 2.90, 0.30 and 10.00.
fn pay_out_charge(this: &Reporting, code: &str, at: &str) -> (String, String) {
    let charge = this
        .processor
        .report_with("1387.1", "2026-02-20T10:00:00Z", |record| {
            record.amount = Money::from_minor(10_000, record.amount.currency());
            record.confirmation_code = Some(code.to_owned());
        });
    let transaction = || TransactionId::new(&charge);
    let fee = |fee| Activity::Fee {
        transaction: transaction(),
        fee,
    };
    let lines = [
        (
            10_000,
            Activity::Transaction {
                transaction: transaction(),
                kind: TransactionKind::Charge,
            },
        ),
        (-290, fee(Fee::Percentage)),
        (-30, fee(Fee::Fixed)),
        (
            -1_000,
            Activity::ReserveHeld {
                transaction: transaction(),
                release_at: "2026-05-21T23:59:59Z".parse().unwrap(),
            },
        ),
    ];
    let payout = this.processor.pay_out("1387.1", at, lines);
    (payout, charge)
}

/// The ids of the adjustments that a query finds, in their order.
async fn adjustments(app: &TestApp, query: &str) -> Vec<String> {
    let rows = rows(app, query).await;
    let id = |row: &Value| row["adjustmentId"].as_str().unwrap().to_owned();
    rows.iter().map(id).collect()
}

on_both_engines! {
    async fn each_wrong_request_gets_its_documented_text(this: Reporting) {
        set_up(&this).await;
        let dates = "startDate=2026-03-01&endDate=2026-03-02";
        let required = "Date range is required";
        let combined = "reservationConfirmationCode cannot be combined with other filters";
        let sub_account = "subAccountId must be in the format number.number";
        let month = "Date range cannot exceed 1 month";
        let order = "End date cannot be before start date";
        let take = "take must be between 1 and 100";
        let skip = "skip must be 0 or more";
        for (query, text) in [
            ("", required),
            ("subAccountId=1387.1", required),
            ("payoutId=1387001136900000001", required),
            ("startDate=2026-03-01", required),
            ("endDate=2026-03-01", required),
            ("startDate=&endDate=&reservationConfirmationCode=", required),
            ("startDate=2026-03-01&endDate=2026-04-02", month),
            ("startDate=2026-03-01T00:00:00&endDate=2026-04-01T00:00:01", month),
            ("startDate=2026-03-02&endDate=2026-03-01", order),
            ("startDate=01.03.2026&endDate=2026-03-02", "Invalid date format"),
            ("startDate=2026-03-01&endDate=2026-02-30", "Invalid date format"),
            (&format!("{dates}&subAccountId=1387"), sub_account),
            (&format!("{dates}&subAccountId=1387.one"), sub_account),
            (&format!("{dates}&subAccountId=1387.1.2"), sub_account),
            (&format!("{dates}&reservationConfirmationCode=HA-1"), combined),
            ("startDate=2026-03-01&reservationConfirmationCode=HA-1", combined),
            ("subAccountId=1387.1&reservationConfirmationCode=HA-1", combined),
            ("payoutId=1&reservationConfirmationCode=HA-1", combined),
            (&format!("{dates}&take=0"), take),
            (&format!("{dates}&take=101"), take),
            (&format!("{dates}&skip=-1"), skip),
            (&format!("{dates}&payoutId=1%00"), "payoutId must not contain a NUL character"),
            (
                "reservationConfirmationCode=HA%00",
                "reservationConfirmationCode must not contain a NUL character",
            ),
            (&format!("{dates}&payoutId=1&payoutId=1"), "payoutId must be given only once"),
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
                "subAccountId must be in the format number.number",
            ),
            // Without a provider, yet the request comes first.
            ("take=1", "Date range is required"),
            (MARCH, "Payment provider not found"),
        ] {
            assert_eq!(ask(&this.app, query).await.expect(400), refused(text), "{query}");
        }
        add_provider(&this.app, this.app.account(), None).await;
        let reply = ask(&this.app, MARCH).await.expect(500);
        assert_eq!(
            reply["error"]["message"],
            "Payment provider has no account or sub account"
        );
    }

    async fn a_caller_without_a_good_token_is_told_so(this: Reporting) {
        let nobody = json!({
            "error": {
                "message": "You need to be authenticated to access this endpoint",
                "code": "UNAUTHORIZED",
                "status": 401,
            }
        });
        assert_eq!(ask(&this.app.with_token("x.y.z"), MARCH).await.expect(401), nobody);
        let without_token = Request::get(PATH).body(Body::empty()).unwrap();
        assert_eq!(this.app.request(without_token).await.expect(401), nobody);
        this.app.clock.advance(Duration::hours(25));
        let expired = ask(&this.app.with_this_token_only(), MARCH).await.expect(403);
        assert_eq!(expired, json!({
            "message": "You don't have permission to access, please contact Guesty support."
        }));
    }

    async fn every_row_has_the_schemas_fields_and_then_the_guides(this: Reporting) {
        set_up(&this).await;
        pay_out_charge(&this, "HA-1", "2026-03-02T12:00:00Z");
        let reply = ask(&this.app, MARCH).await;
        reply.expect(200);
        let mut expected = SCHEMA.to_vec();
        expected.extend(GUIDE.iter().filter(|name| !SCHEMA.contains(name)));
        for row in reply.text.trim_matches(['[', ']']).split("},{") {
            // No value of these rows has a comma before a quotation mark.
            let fields = row.trim_matches(['{', '}']).split(",\"");
            let names: Vec<_> = fields
                .map(|field| field.trim_matches('"').split('"').next().unwrap())
                .collect();
            assert_eq!(names, expected);
        }
        for name in expected {
            assert!(DOCUMENT.contains(&format!("`{name}`")), "no document has {name}");
        }
    }

    async fn a_row_that_is_no_transaction_has_nothing_in_the_guides_fields(this: Reporting) {
        set_up(&this).await;
        pay_out_charge(&this, "HA-1", "2026-03-02T12:00:00Z");
        let found = rows(&this.app, MARCH).await;
        assert_eq!(found.len(), 4);
        for row in &found[1..] {
            for name in GUIDE {
                let is_said = ["currency", "subAccount"].contains(&name);
                assert_eq!(row[name].is_null(), !is_said, "{name} of {row}");
            }
            assert_eq!(row["merchantTransactionId"], "HA-1");
        }
        for name in GUIDE {
            assert!(!found[0][name].is_null() || name == "settlementDate", "{name}");
        }
    }

    async fn filters_find_a_days_rows_a_sub_accounts_a_payouts_or_a_reservations(this: Reporting) {
        this.processor.open("1387.2", "EUR");
        set_up(&this).await;
        let (payout, _) = pay_out_charge(&this, "HA-1", "2026-03-02T12:00:00Z");
        pay_out_charge(&this, "HA-2", "2026-03-03T12:00:00Z");
        this.processor.pay_out_adjustments("1387.2", "2026-03-03T15:00:00Z", 2);
        pay_out_charge(&this, "HA-1", "2025-01-03T12:00:00Z");
        let first = "startDate=2026-03-02&endDate=2026-03-02";
        for (query, count) in [
            (MARCH.to_owned(), 10),
            (first.to_owned(), 4),
            ("startDate=2026-03-03&endDate=2026-03-03".to_owned(), 6),
            ("startDate=2026-03-03T13:00:00&endDate=2026-03-04".to_owned(), 2),
            ("startDate=2026-03-02T12:00:00&endDate=2026-03-03T12:00:00".to_owned(), 8),
            ("startDate=2026-03-02T12:00:01&endDate=2026-03-03T11:59:59".to_owned(), 0),
            (format!("{MARCH}&subAccountId=1387.1"), 8),
            (format!("{MARCH}&subAccountId=1387.2"), 2),
            (format!("{MARCH}&subAccountId=1387.3"), 0),
            (
                "startDate=2026-03-03T13:00:00&endDate=2026-03-04&subAccountId=1387.2".to_owned(),
                2,
            ),
            (
                "startDate=2026-03-03T13:00:00&endDate=2026-03-04&subAccountId=1387.1".to_owned(),
                0,
            ),
            (format!("{MARCH}&payoutId={payout}"), 4),
            (format!("{MARCH}&payoutId={payout}&skip=3"), 1),
            (format!("{MARCH}&payoutId={payout}&subAccountId=1387.1&take=2"), 2),
            (format!("{MARCH}&payoutId={payout}&subAccountId=1387.2"), 0),
            (format!("{MARCH}&payoutId=1"), 0),
            (format!("startDate=2026-03-03&endDate=2026-03-03&payoutId={payout}"), 0),
            // Of all times, with fees and reserve.
            ("reservationConfirmationCode=HA-1".to_owned(), 8),
            ("reservationConfirmationCode=HA-1&skip=5&take=2".to_owned(), 2),
            ("reservationConfirmationCode=HA-2".to_owned(), 4),
            ("reservationConfirmationCode=ha-2".to_owned(), 0),
        ] {
            assert_eq!(rows(&this.app, &query).await.len(), count, "{query}");
        }
    }

    async fn a_page_has_25_rows_unless_told_otherwise_wherever_it_begins(this: Reporting) {
        set_up(&this).await;
        let mut known = Vec::new();
        for (day, count) in (1..).zip([1, 60, 2, 1, 1, 50, 15]) {
            let at = format!("2026-03-{day:02}T12:00:00Z");
            known.extend(this.processor.pay_out_adjustments("1387.1", &at, count));
        }
        for (page, expected) in [
            ("", 0..25),
            ("&take=100", 0..100),
            ("&take=1&skip=60", 60..61),
            ("&take=1&skip=61", 61..62),
            ("&skip=50", 50..75),
            ("&skip=64&take=51", 64..115),
            ("&skip=65&take=50", 65..115),
            ("&skip=129", 129..130),
            ("&skip=130", 130..130),
            ("&skip=99999999999999999999", 130..130),
        ] {
            for filter in ["", "&subAccountId=1387.1"] {
                let found = adjustments(&this.app, &format!("{MARCH}{filter}{page}")).await;
                assert_eq!(found, known[expected.clone()], "{filter}{page}");
            }
            // With a day of which only a part is asked for at each end.
            let window = "startDate=2026-03-01T11:00:00&endDate=2026-03-07T13:00:00";
            let found = adjustments(&this.app, &format!("{window}{page}")).await;
            assert_eq!(found, known[expected], "{page}");
        }
    }

    async fn another_accounts_payouts_are_never_shown(this: Reporting) {
        set_up(&this).await;
        this.processor.open("1400.1", "GBP");
        let stranger = this.app.signed_in().await;
        add_provider(&stranger, stranger.account(), Some("1400")).await;
        let (ours, _) = pay_out_charge(&this, "HA-1", "2026-03-02T12:00:00Z");
        let theirs = this.processor.pay_out_adjustments("1400.1", "2026-03-02T12:00:00Z", 1);
        assert_eq!(rows(&this.app, MARCH).await.len(), 4);
        assert_eq!(adjustments(&stranger, MARCH).await, theirs);
        for query in [
            format!("{MARCH}&payoutId={ours}"),
            format!("{MARCH}&subAccountId=1387.1"),
            "reservationConfirmationCode=HA-1".to_owned(),
        ] {
            assert_eq!(rows(&stranger, &query).await.len(), 0, "{query}");
        }
    }

    async fn an_application_for_some_listings_sees_their_reservations_rows(this: Reporting) {
        set_up(&this).await;
        let seen = add_reservation(&this.app, "GY-seen").await;
        add_reservation(&this.app, "GY-hidden").await;
        let (payout, _) = pay_out_charge(&this, "GY-seen", "2026-03-02T12:00:00Z");
        let (hidden, _) = pay_out_charge(&this, "GY-hidden", "2026-03-03T12:00:00Z");
        this.processor.pay_out_adjustments("1387.1", "2026-03-03T12:00:00Z", 3);
        pay_out_charge(&this, "GY-seen", "2026-03-04T12:00:00Z");
        let limited = NewApplication {
            listings: Some([seen].into()),
            ..NewApplication::named(this.app.account(), "One house")
        };
        let limited = this.app.signed_in_as(limited).await;
        for (query, count) in [
            (MARCH.to_owned(), 8),
            (format!("{MARCH}&skip=3"), 5),
            (format!("{MARCH}&subAccountId=1387.1&skip=5"), 3),
            (format!("{MARCH}&payoutId={payout}"), 4),
            (format!("{MARCH}&payoutId={hidden}"), 0),
            ("reservationConfirmationCode=GY-seen".to_owned(), 8),
            ("reservationConfirmationCode=GY-hidden".to_owned(), 0),
        ] {
            let found = rows(&limited, &query).await;
            assert_eq!(found.len(), count, "{query}");
            assert!(found.iter().all(|row| row["merchantTransactionId"] == "GY-seen"));
        }
        assert_eq!(rows(&this.app, MARCH).await.len(), 15);
    }

    async fn a_charge_of_100_00_is_paid_out_as_86_80_row_by_row(docs: GuestyDocs) {
        let app = &docs.app;
        charge(app, "100").await;
        let merchant = MerchantId::new("1387");
        // Monday the 14th is settled, and paid out on the Monday after it.
        pass(app, &merchant, "2023-08-21T11:59:59Z").await;
        assert_eq!(rows(app, "startDate=2023-08-14&endDate=2023-09-14").await.len(), 0);
        pass(app, &merchant, "2023-08-21T12:00:00Z").await;
        let expected = [
            "Charge 100.00, Processed 86.80",
            // 2.9 % of 100.00
            "Percentage Fee -2.90, Processed 86.80",
            "Fixed Fee -0.30, Processed 86.80",
            // 10 % of 100.00
            "Reserve Held -10.00, Processed 86.80",
        ];
        let day = "startDate=2023-08-21&endDate=2023-08-21";
        assert_eq!(equation(app, day).await, expected);
        let by_code = equation(app, "reservationConfirmationCode=r2B9jZYJK").await;
        assert_eq!(by_code, expected);
        let found = rows(app, day).await;
        assert_eq!(found[0]["merchantTransactionId"], "r2B9jZYJK");
        assert_eq!(found[0]["settlementDate"], "2023-08-14T23:59:59");
        assert_eq!(found[0]["payoutProcessDate"], "2023-08-21T12:00:00");
        assert_eq!(found[0]["platformAccount"].as_str().unwrap().split(" - ").next(),
            Some("5213a2d206112710005d96ff"));

        // The 90th day after the 14th of August is the 12th of November; a week later is the 19th, a
        // Sunday.
        pass(app, &merchant, "2023-11-20T12:00:00Z").await;
        let released = equation(app, "startDate=2023-11-01&endDate=2023-11-30").await;
        assert_eq!(released, ["Reserve Released 10.00, Processed 10.00"]);
    }

    async fn a_rejected_payout_shows_why_and_is_sent_again_under_another_id(docs: GuestyDocs) {
        let app = &docs.app;
        charge(app, "100").await;
        let merchant = MerchantId::new("1387");
        pass(app, &merchant, "2023-08-21T12:00:00Z").await;
        let day = "startDate=2023-08-21&endDate=2023-08-21";
        let before = rows(app, day).await;
        let rejected = PayoutId::new(before[0]["payoutId"].as_str().unwrap());
        let again = app
            .sandbox
            .reject_payout(&rejected, "R02", "2023-08-21T16:00:00Z".parse().unwrap())
            .await
            .unwrap();
        app.platform.run_imports().await;

        let found = rows(app, day).await;
        assert_eq!(found.len(), 4);
        for row in &found {
            assert_eq!(row["payoutId"], rejected.as_str());
            assert_eq!(row["payoutStatus"], "Rejected by Processor");
            assert_eq!(row["payoutRejectOrReturnDate"], "2023-08-21T16:00:00");
            assert_eq!(row["payoutAuthorizationOrErrorCode"], "R02");
            assert_eq!(row["payoutName"], "Payout");
        }
        let next_day = "startDate=2023-08-22&endDate=2023-08-22";
        let pending = rows(app, next_day).await;
        assert_eq!(pending.len(), 4);
        for row in &pending {
            assert_eq!(row["payoutId"], again.as_str());
            assert_eq!(row["payoutStatus"], "Pending Due Date");
            assert_eq!(row["payoutAuthorizationOrErrorCode"], Value::Null);
            assert_eq!(row["payoutName"], format!("Re-issue of {rejected}"));
        }
        pass(app, &merchant, "2023-08-22T12:00:00Z").await;
        let sent = rows(app, next_day).await;
        for (before, row) in pending.iter().zip(&sent) {
            assert_eq!(row["payoutStatus"], "Processed");
            assert!(row["payoutAuthorizationOrErrorCode"].is_string());
            assert_eq!(row["transactionId"], before["transactionId"]);
            assert_eq!(row["activityAmount"], before["activityAmount"]);
        }
        assert_eq!(sent.len(), 4);
    }

    async fn a_chargeback_is_in_both_reports_and_told_of_once(docs: GuestyDocs) {
        let app = &docs.app;
        let payment = charge(app, "100").await;
        let merchant = MerchantId::new("1387");
        pass(app, &merchant, "2023-08-15T00:00:00Z").await;
        let sales = "startDate=2023-08-14&endDate=2023-08-14";
        let sales = format!("/v1/payment-transactions/reports?{sales}&subAccountId=1387.1");
        let sales = app.get(&sales).await.expect(200);
        let dispute = Dispute {
            transaction: TransactionId::new(sales[0]["transactionId"].as_str().unwrap()),
            case_id: "CASE-1".to_owned(),
            reason: "10.4".to_owned(),
            at: "2023-08-15T10:00:00Z".parse().unwrap(),
        };
        let reservation = "/v1/reservations/64da254383ad1500284bd0c0";
        let before = app.get(reservation).await.expect(200);
        let chargeback = app.sandbox.dispute(dispute).await.unwrap();
        app.platform.run_imports().await;
        assert_eq!(app.get(reservation).await.expect(200)["money"], before["money"]);
        let won = "2023-08-16T10:00:00Z".parse().unwrap();
        app.sandbox.resolve_dispute(&chargeback, DisputeOutcome::Won, won).await.unwrap();
        // What was taken back waits until there is enough for it.
        let dollars = SubAccountId::new("1387.1");
        adjust(app, &dollars, "USD".parse().unwrap(), 1, 20_000).await;
        // Settled, both come again.
        pass(app, &merchant, "2023-08-23T12:00:00Z").await;
        app.another_node().await.run_imports().await;

        let told = app.event_bodies("payments.disputes").await;
        let body = |kind: &str| json!({
            "type": kind, "amount": 100, "currency": "USD", "reason": "10.4", "caseId": "CASE-1",
        });
        let expected = [
            (payment.clone(), body("Chargeback")),
            (payment, body("Reversal Chargeback")),
        ];
        assert_eq!(told, expected);

        let all = "startDate=2023-08-15&endDate=2023-08-31";
        let found = rows(app, all).await;
        let of_case: Vec<_> = found
            .iter()
            .filter(|row| row["merchantTransactionId"] == "CASE-1")
            .map(|row| {
                let name = if row["feeName"].is_null() { "transactionType" } else { "feeName" };
                format!("{} {}", row[name].as_str().unwrap(), row["activityAmount"].as_str().unwrap())
            })
            .collect();
        assert_eq!(
            of_case,
            ["Chargeback -100.00", "Dispute Fee -15.00", "Reversal Chargeback 100.00"]
        );
        let by_code = rows(app, "reservationConfirmationCode=r2B9jZYJK").await;
        assert_eq!(by_code.len(), 4 + of_case.len());
    }

    async fn the_rows_of_each_payout_sum_to_it_in_every_currency(docs: GuestyDocs) {
        let app = &docs.app;
        let merchant = MerchantId::new("1387");
        let accounts = app.sandbox.sub_accounts(&merchant).await.unwrap();
        charge(app, "0.07").await;
        charge(app, "333.33").await;
        for account in &accounts {
            for (n, minor) in [(1, 12_345), (2, -2_345), (3, 1)] {
                adjust(app, &account.id, account.currency, n, minor).await;
            }
        }
        pass(app, &merchant, "2023-12-31T00:00:00Z").await;
        let mut sums = std::collections::BTreeMap::<String, (i128, i128)>::new();
        for month in ["08", "09", "10", "11", "12"] {
            for skip in [0, 100] {
                let query = format!(
                    "startDate=2023-{month}-01&endDate=2023-{month}-30&take=100&skip={skip}"
                );
                for row in rows(app, &query).await {
                    let minor = |name: &str| -> i128 {
                        row[name].as_str().unwrap().replace('.', "").parse().unwrap()
                    };
                    let id = row["payoutId"].as_str().unwrap().to_owned();
                    let sum = sums.entry(id).or_default();
                    sum.0 += minor("activityAmount");
                    sum.1 = minor("payoutAmount");
                }
            }
        }
        assert!(sums.len() > accounts.len());
        for (payout, (of_rows, of_payout)) in sums {
            assert_eq!(of_rows, of_payout, "{payout}");
        }
    }
}

/// Charges the guide's guest, and says the payment's id.
async fn charge(app: &TestApp, amount: &str) -> String {
    let amount: serde_json::Number = serde_json::from_str(amount).unwrap();
    let body = json!({
        "paymentMethod": {"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"},
        "amount": amount,
    });
    let payments = "/v1/reservations/64da254383ad1500284bd0c0/payments";
    let reply = app.post(payments, &body).await.expect(201);
    let made = reply["money"]["payments"]
        .as_array()
        .unwrap()
        .last()
        .unwrap();
    made["_id"].as_str().unwrap().to_owned()
}

async fn adjust(app: &TestApp, account: &SubAccountId, currency: Currency, n: i32, minor: i64) {
    let adjustment = Adjustment {
        sub_account: account.clone(),
        id: format!("ADJ-{n}"),
        category: "Correction".to_owned(),
        amount: Money::from_minor(minor, currency),
        at: "2023-08-16T10:00:00Z".parse().unwrap(),
    };
    app.sandbox.adjust(adjustment).await.unwrap();
}

/// Lets the sandbox's time pass, and imports what came of it.
pub async fn pass(app: &TestApp, merchant: &MerchantId, until: &str) {
    let until = until.parse().unwrap();
    app.sandbox.run_until(merchant, until).await.unwrap();
    app.platform.run_imports().await;
}

/// Each kind of activity, as it goes over the wire.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_each_activity_on_the_wire() {
    let this = Reporting::with(Engine::Sqlite, Settings::default()).await;
    set_up(&this).await;
    let (payout, charge) = pay_out_charge(&this, "HA-123abc", "2026-03-02T12:00:00Z");
    this.processor.change(&charge, |record| {
        record.settled_at = Some("2026-02-23T23:59:59Z".parse().unwrap());
    });
    this.processor.pay_out(
        "1387.1",
        "2026-03-03T12:00:00Z",
        [
            (
                1_000,
                Activity::ReserveReleased {
                    transaction: TransactionId::new(&charge),
                    collected_at: "2025-11-28T23:59:59Z".parse().unwrap(),
                    release: Release::Scheduled,
                },
            ),
            (
                -505,
                Activity::Adjustment {
                    id: "ADJ-7".to_owned(),
                    category: "Terminal rent".to_owned(),
                },
            ),
        ],
    );
    this.app.platform.run_imports().await;
    this.processor.change_payout(&payout, |payout| {
        payout.status = PayoutStatus::RejectedByProcessor;
        payout.rejected_at = Some("2026-03-03T09:30:00Z".parse().unwrap());
        payout.authorization_or_error_code = String::from("R02");
    });
    this.app.platform.run_imports().await;
    let reply = ask(&this.app, MARCH).await;
    reply.expect(200);
    let account = this.app.account().to_string();
    let text = reply.text.replace(&account, "[account]");
    insta::assert_snapshot!(text.replace(",\"", ",\n\"").replace("},{", "},\n{"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_prints_the_guides_amount_as_text_too() {
    let settings = Settings {
        report_amounts_as_text: true,
        ..Settings::default()
    };
    let this = Reporting::with(Engine::Sqlite, settings).await;
    set_up(&this).await;
    pay_out_charge(&this, "HA-1", "2026-03-02T12:00:00Z");
    let found = rows(&this.app, MARCH).await;
    assert_eq!(found[0]["amount"], "100.00");
    assert_eq!(found[0]["activityAmount"], "100.00");
}
