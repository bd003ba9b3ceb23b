//! Sources that misbehave: what they say is told, kept or refused, and the rest goes on.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, http};
use books::mirror::{AsOf, Flag, Kind, Lookup, Mirror, Reason};
use books::sync::{Part, Settings, Summary, Sync};
use data_encoding::HEXLOWER;
use futures_util::stream;
use guesty::seen::reservation::Reservation;
use guesty::seen::transaction::Transaction;
use guesty::{Field, Guesty, Reply};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::testing::{Engine, Fixture};
use store::{Clock, ManualClock, on_both_engines};

use crate::house::{House, Query, id, listing, payout_line, reservation, transaction};
use crate::support::Desk;

/// A source whose reservations, or some of them, are answered like this.
struct Rogue {
    desk: Desk,
    house: House,
}

impl Rogue {
    async fn with(instead: impl Fn(&str, &Query) -> Option<Response> + Send + 'static) -> Self {
        let house = House::open().await;
        house.with(|rooms| {
            rooms.listings = vec![listing(1)];
            rooms.reservations = (0..250)
                .map(|number| reservation(number, "2026-11-10", "100"))
                .collect();
            rooms.transactions = vec![transaction(1, "2026-11-05T10:00:00", None)];
            rooms.instead = Some(Box::new(instead));
        });
        let desk = Desk::on(Engine::Sqlite).await;
        Self { desk, house }
    }

    async fn read(&self) -> Summary {
        self.read_with(self.house.settings()).await
    }

    async fn read_with(&self, settings: guesty::Settings) -> Summary {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.desk.clock);
        let reader = Guesty::new(settings).unwrap().reader();
        let sync = Sync::new(&self.desk.chain, reader, clock, Settings::default());
        sync.run(&Part::ALL, None, &|_| ()).await.unwrap()
    }

    /// All but the reservations is in; what is said of those.
    async fn says_of_reservations(&self) -> String {
        let summary = self.read().await;
        assert_eq!(summary.of(Part::Properties).new, 1, "{summary:?}");
        assert_eq!(summary.of(Part::Payments).new, 1, "{summary:?}");
        assert_eq!(summary.total().removed, 0);
        assert!(!summary.is_complete());
        let of_reservations = |problem: &&books::sync::Problem| problem.part == Part::Reservations;
        assert!(
            summary
                .problems
                .iter()
                .all(|problem| of_reservations(&problem)),
            "{summary:?}"
        );
        summary
            .problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    }

    async fn reservations(&self) -> i64 {
        Mirror::of(&self.desk.chain)
            .count(Kind::Reservation)
            .await
            .unwrap()
    }

    async fn flags(&self, number: usize) -> Vec<String> {
        let mirror = Mirror::of(&self.desk.chain);
        let known = mirror
            .get::<Reservation>(&id(number), AsOf::Now)
            .await
            .unwrap();
        known.unwrap().flags.iter().map(Flag::to_string).collect()
    }
}

/// Only the pages of reservations from some row on.
fn pages_from(
    skip: usize,
    response: impl Fn(&Query) -> Response + Send + 'static,
) -> impl Fn(&str, &Query) -> Option<Response> + Send + 'static {
    move |path, query| {
        let is_page = path == "reservations" && query.get("limit").as_deref() == Some("100");
        (is_page && query.number("skip") >= skip).then(|| response(query))
    }
}

fn page(rows: &[Value], count: usize) -> Response {
    Json(json!({"results": rows, "count": count})).into_response()
}

fn stays(numbers: std::ops::Range<usize>) -> Vec<Value> {
    numbers
        .map(|number| reservation(number, "2026-11-10", "100"))
        .collect()
}

fn html(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (
        status,
        [(header::CONTENT_TYPE, "text/html")],
        "<html><h1>Bad gateway</h1></html>",
    )
        .into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_no_open_api_is_told_once_and_not_asked_again() {
    let rogue = Rogue::with(|_, _| Some(html(200))).await;
    rogue
        .house
        .with(|rooms| rooms.no_token = Some((StatusCode::OK, "text/html", "<html>Hello</html>")));
    let summary = rogue.read().await;
    let problems: Vec<String> = summary.problems.iter().map(ToString::to_string).collect();
    assert!(
        problems[0].contains("check whether the address"),
        "{problems:?}"
    );
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(
        problems[3].contains("no access to the source"),
        "{problems:?}"
    );
    assert_eq!(rogue.house.with(|rooms| rooms.tokens), 1);
    assert_eq!(rogue.desk.chain.tip().await.unwrap().length, 0);
}

/// How something is answered.
type How = Box<dyn Fn() -> Response + Send>;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_no_answer_stops_its_list_alone() {
    let cut_off = || {
        let chunks = [
            Ok(Bytes::from_static(br#"{"results":[{"_id":"#)),
            Err(std::io::Error::other("gone")),
        ];
        Body::from_stream(stream::iter(chunks)).into_response()
    };
    let packed = || {
        (
            [(header::CONTENT_ENCODING, "gzip")],
            vec![0x1f_u8, 0x8b, 8, 0],
        )
            .into_response()
    };
    let cases: [(How, &str); 8] = [
        (Box::new(|| html(200)), "check whether the address"),
        (Box::new(|| html(502)), "the source is in trouble"),
        (Box::new(cut_off), "broke off"),
        (
            Box::new(|| r#"{"results":[{"_id":"0"#.into_response()),
            "broke off",
        ),
        (Box::new(packed), "packed with gzip"),
        (Box::new(|| "It works!".into_response()), "no JSON"),
        (
            Box::new(|| Json(json!({"message": "hello"})).into_response()),
            "another shape",
        ),
        (
            Box::new(|| StatusCode::FORBIDDEN.into_response()),
            "may not do this",
        ),
    ];
    for (how, told) in cases {
        let rogue = Rogue::with(pages_from(99, move |_| how())).await;
        let said = rogue.says_of_reservations().await;
        assert!(said.contains(told), "{said}");
        assert_eq!(rogue.reservations().await, 100, "{told}");
        rogue.house.with(|rooms| rooms.instead = None);
        assert!(rogue.read().await.is_complete());
        assert_eq!(rogue.reservations().await, 250);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_cut_off() {
    let endless = |_: &Query| {
        let chunk = Bytes::from(vec![b' '; 64 * 1024]);
        Body::from_stream(stream::repeat(Ok::<_, Infallible>(chunk))).into_response()
    };
    let rogue = Rogue::with(pages_from(0, endless)).await;
    let settings = guesty::Settings {
        body_bytes_max: 1024 * 1024,
        ..rogue.house.settings()
    };
    let summary = rogue.read_with(settings).await;
    let said = summary.problems[0].to_string();
    assert!(said.contains("larger than 1 MiB"), "{said}");
    assert_eq!(summary.of(Part::Payments).new, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_never_ends_is_given_up() {
    // The same rows in ever another order, so that no page equals another.
    let circles = |query: &Query| {
        let mut rows = stays(0..100);
        rows.rotate_left(query.number("skip") % 100);
        page(&rows, 1_000_000)
    };
    let said = Rogue::with(pages_from(0, circles))
        .await
        .says_of_reservations()
        .await;
    assert!(said.contains("the same rows again and again"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_lies_hides_nothing() {
    for (count, is_told) in [
        (0, false),
        (3, false),
        (100, false),
        (300, true),
        (usize::MAX >> 11, true),
    ] {
        let lie = move |query: &Query| {
            let skip = query.number("skip").min(250);
            page(&stays(skip..(skip + 100).min(250)), count)
        };
        let rogue = Rogue::with(pages_from(0, lie)).await;
        let summary = rogue.read().await;
        assert_eq!(rogue.reservations().await, 250, "{count}");
        assert_eq!(!summary.is_complete(), is_told, "{count}: {summary:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_may_be_longer_or_shorter_than_asked_for() {
    for size in [7, 250] {
        let other = move |query: &Query| {
            let skip = query.number("skip").min(250);
            page(&stays(skip..(skip + size).min(250)), 250)
        };
        let rogue = Rogue::with(pages_from(0, other)).await;
        assert_eq!(rogue.read().await.problems, [], "{size}");
        assert_eq!(rogue.reservations().await, 250, "{size}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_come_twice_or_are_none_harm_no_other() {
    let odd = |query: &Query| {
        let skip = query.number("skip");
        let mut rows = stays(skip.min(250)..(skip + 100).min(250));
        if let [first, second, .., last] = rows.as_mut_slice() {
            // One stands there twice, one is of another page, one is no id and one has none.
            last["_id"] = first["_id"].clone();
            second["_id"] = json!(id(3));
            rows[30]["_id"] = json!(if skip == 0 { "zzz?" } else { "abc" });
            rows[31]["_id"] = json!({"$oid": "1"});
            rows[32].as_object_mut().unwrap().remove("_id");
        }
        page(&rows, 250)
    };
    let rogue = Rogue::with(pages_from(0, odd)).await;
    let said = rogue.says_of_reservations().await;
    // Of what was asked for, that is told which tells it from other pages.
    let page = "reservations, GET /v1/reservations?limit=100&skip=0: a reservation without an id";
    assert!(said.contains(page), "{said}");
    let again = rogue.read().await;
    assert_eq!(
        (again.total().new, again.total().removed),
        (0, 0),
        "{again:?}"
    );
    assert!(rogue.reservations().await > 230);
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_are_exact_or_flagged_whatever_they_look_like() {
    let amounts = [
        ("100", None),
        ("\"100\"", None),
        ("-0.10", None),
        ("1e2", Some("1e+2")),
        ("99999999999999999999999999999999.99", None),
        ("\"12,50\"", Some("12,50")),
        ("1e400", Some("1e+400")),
        ("\"1e400\"", Some("1e400")),
        ("\"NaN\"", Some("NaN")),
        ("\"$ 5\"", Some("$ 5")),
        ("true", Some("true")),
        ("[1]", Some("[1]")),
        ("{\"value\":1}", Some("{\"value\":1}")),
    ];
    let rows: Vec<String> = (amounts.iter().enumerate())
        .map(|(number, (amount, _))| {
            let stay = reservation(number, "2026-11-10", "AMOUNT").to_string();
            stay.replace("\"AMOUNT\"", amount)
        })
        .collect();
    let body = format!(
        r#"{{"results":[{}],"count":{}}}"#,
        rows.join(","),
        rows.len()
    );
    let rogue = Rogue::with(pages_from(0, move |_| body.clone().into_response())).await;
    assert_eq!(rogue.read().await.problems, []);
    for (number, (amount, odd)) in amounts.iter().enumerate() {
        let told = odd.map(|odd| format!("money.totalPaid cannot be read: {odd:?}"));
        assert_eq!(rogue.flags(number).await, Vec::from_iter(told), "{amount}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_document_names_is_kept_and_flagged() {
    let rogue = Rogue::with(pages_from(0, |_| {
        let mut rows = stays(0..4);
        rows[0]["status"] = json!("teleported");
        rows[1]["money"]["currency"] = json!("XQX");
        rows[2].as_object_mut().unwrap().remove("listingId");
        rows[3]["money"]["payments"] = json!([{"_id": id(7), "status": "EATEN", "amount": 1}]);
        page(&rows, 4)
    }))
    .await;
    let summary = rogue.read().await;
    assert_eq!(
        (
            summary.problems.len(),
            summary.of(Part::Reservations).flagged
        ),
        (0, 4)
    );
    let told = [
        "status is none of the documented values: \"teleported\"",
        "money.currency is no currency of ISO 4217: \"XQX\"",
        "listingId is missing",
        "money.payments.0.status is none of the documented values: \"EATEN\"",
    ];
    for (number, told) in told.iter().enumerate() {
        assert_eq!(rogue.flags(number).await, [*told]);
        let flagged = &summary.flagged[number];
        assert_eq!(
            (&flagged.kind[..], &flagged.id),
            ("reservation", &id(number))
        );
        let named = format!("reservation GY-{number}: {told}");
        assert_eq!(flagged.to_string(), named);
    }
    assert!(!summary.is_understood() && summary.is_complete());
    assert_eq!((summary.flagged.len(), summary.flagged_beyond()), (4, 0));
    let kept = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&kept).unwrap(), summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_very_much_that_is_not_understood_the_first_is_named_and_the_rest_counted() {
    let rogue = Rogue::with(pages_from(0, |_| {
        let mut rows = stays(0..30);
        for row in &mut rows {
            row["status"] = json!("é".repeat(5000));
            let payment = json!({"_id": id(7), "status": "EATEN", "amount": 1});
            row["money"]["payments"] = json!(vec![payment; 30]);
        }
        page(&rows, 30)
    }))
    .await;
    rogue.house.with(|rooms| {
        rooms.transactions = vec![transaction(1, "2026-11-05T10:00:00", None)];
        rooms.transactions[0]["currency"] = json!("XQX");
    });
    let summary = rogue.read().await;
    assert_eq!((summary.flagged.len(), summary.flagged_beyond()), (20, 11));
    let flagged = &summary.flagged[0];
    assert_eq!((flagged.flags.len(), flagged.flags_beyond), (10, 21));
    assert!(flagged.to_string().len() < 2000, "{flagged}");
    // The same of other items of a list is said once.
    assert_eq!(flagged.to_string().matches("EATEN").count(), 1, "{flagged}");
    assert!(
        flagged.to_string().ends_with(" more like it; and 21 more"),
        "{flagged}"
    );

    // Of a report that is read as a whole too; of what was not read in a run, nothing is said.
    let reader = Guesty::new(rogue.house.settings()).unwrap().reader();
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&rogue.desk.clock);
    let sync = Sync::new(&rogue.desk.chain, reader, clock, Settings::default());
    let payments = sync.run(&[Part::Payments], None, &|_| ()).await.unwrap();
    let named: Vec<_> = payments.flagged.iter().map(ToString::to_string).collect();
    assert_eq!(named.len(), 1, "{named:?}");
    assert!(
        named[0].contains("currency is no currency of ISO 4217: \"XQX\""),
        "{named:?}"
    );
    let properties = sync.run(&[Part::Properties], None, &|_| ()).await.unwrap();
    assert!(properties.is_understood() && properties.flagged.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_hours_apart_do_not_matter() {
    for date in [
        "Fri, 20 Nov 2026 23:00:00 GMT",
        "Sun, 22 Nov 2026 09:00:00 GMT",
        "yesterday",
    ] {
        let rogue = Rogue::with(|_, _| None).await;
        rogue.house.with(|rooms| {
            let rows = rooms.reservations.clone();
            rooms.instead = Some(Box::new(pages_from(0, move |query| {
                let rows: Vec<&Value> = rows.iter().skip(query.number("skip")).take(100).collect();
                let body = Json(json!({"results": rows, "count": 250}));
                ([(http::header::DATE, date)], body).into_response()
            })));
        });
        assert_eq!(rogue.read().await.problems, [], "{date}");
        assert_eq!(rogue.reservations().await, 250, "{date}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_is_lost_in_the_middle_is_told_and_found_again() {
    for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
        let rogue = Rogue::with(pages_from(198, move |_| status.into_response())).await;
        let summary = rogue.read().await;
        assert!(!summary.is_complete());
        assert_eq!(summary.total().removed, 0);
        // Of a permission, the rest is not to blame.
        let is_all = status == StatusCode::UNAUTHORIZED;
        assert_eq!(
            summary.of(Part::Payments).new,
            u64::from(!is_all),
            "{summary:?}"
        );
        rogue.house.with(|rooms| rooms.instead = None);
        assert_eq!(rogue.read().await.problems, []);
        assert_eq!(rogue.reservations().await, 250);
    }
}

on_both_engines! {
    async fn texts_that_a_database_cannot_keep_or_find_spoil_no_page(desk: Desk) {
        let long = |bytes: usize| {
            let digests = (0_usize..).flat_map(|number| Sha256::digest(number.to_be_bytes()));
            HEXLOWER.encode(&digests.take(bytes).collect::<Vec<u8>>())
        };
        let stay = |number: usize, field: &str, value: String| {
            let mut stay = reservation(number, "2026-11-10", "100");
            stay[field] = json!(value);
            stay
        };
        let rows = [
            reservation(1, "2026-11-10", "100"),
            stay(2, "confirmationCode", "A\0B".to_owned()),
            stay(3, "confirmationCode", long(5_000)),
            stay(4, "_id", "4\0".to_owned()),
            stay(5, "_id", long(5_000)),
        ];
        let charge = |number: usize, field: &str, value: &str| {
            let mut charge = transaction(number, "2026-11-10T00:00:00", None);
            charge[field] = json!(value);
            charge
        };
        let charges = [
            charge(1, "transactionId", "7\0"),
            charge(2, "transactionId", "7\0\0"),
            charge(3, "transactionId", &long(5_000)),
            charge(4, "reservationConfirmationCode", "A\0B"),
        ];
        let reply = |request: &str, body: Value| Reply {
            request: request.to_owned(),
            status: 200,
            body: Bytes::from(body.to_string()),
            received_at: "2026-11-21T12:00:00.000Z".parse().unwrap(),
            sent_at: None,
            request_id: None,
        };
        let report = "/v1/payment-transactions/report?startDate=2026-11-01&endDate=2026-11-30";
        let replies = [
            reply("/v1/reservations?skip=0", json!({"results": rows})),
            reply(report, json!({"results": charges})),
        ];
        let mirror = Mirror::of(&desk.chain);
        for again in [false, true] {
            let counts = mirror.take_in(&replies).await.unwrap();
            let expected = if again { (0, 9, 8) } else { (9, 0, 8) };
            assert_eq!((counts.new, counts.unchanged, counts.flagged), expected);
        }
        let known = mirror.page::<Reservation>("", 10, AsOf::Now).await.unwrap();
        let codes = known.iter().map(|known| known.value.confirmation_code.text().to_owned());
        let codes: Vec<String> = codes.collect();
        for code in ["A\0B".to_owned(), long(5_000)] {
            assert!(codes.contains(&code), "the state has it whole");
            let found = mirror.find::<Reservation>(Lookup::Code(code.clone()), AsOf::Now);
            let found = found.await.unwrap().remove(0);
            let mut keys = found.flags.iter().filter_map(|flag| match &flag.reason {
                Reason::Unwieldy(key) => Some(key.clone()),
                _ => None,
            });
            let key = keys.next().unwrap();
            let by_key = mirror.find::<Reservation>(Lookup::Code(key), AsOf::Now);
            assert_eq!(by_key.await.unwrap()[0].id, found.id);
            assert_eq!(mirror.history(Kind::Reservation, &code).await.unwrap().len(), 1);
        }
        for odd in ["4\0".to_owned(), long(5_000)] {
            let found = mirror.get::<Reservation>(&odd, AsOf::Now).await.unwrap().unwrap();
            assert_eq!(found.value.id, Field::Odd(odd.clone()));
            let shown = mirror.get::<Reservation>(&found.id, AsOf::Now).await.unwrap();
            assert_eq!(shown.unwrap().value.id, Field::Odd(odd));
        }
        for odd in ["7\0".to_owned(), "7\0\0".to_owned(), long(5_000)] {
            let found = mirror.get::<Transaction>(&odd, AsOf::Now).await.unwrap().unwrap();
            assert_eq!(found.value.transaction_id.text(), odd);
            assert_eq!(found.flags[0].field, "transactionId");
        }
        let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
        assert_eq!(rebuilt.before, Some(rebuilt.after));
    }
}

fn junk() -> impl Strategy<Value = Value> {
    let texts = [
        "null",
        "{}",
        "[]",
        "\"\"",
        "\"x\"",
        "-1",
        "1e400",
        "true",
        "[null]",
        "{\"a\":{\"b\":[0]}}",
        "\"2026-13-45\"",
        "0.1",
        "\"\\u0000\"",
        "\"é\"",
        "123456789012345678901234567890",
    ];
    prop::sample::select(texts.to_vec()).prop_map(|text| serde_json::from_str(text).unwrap())
}

/// Puts something else in the place of one of all values in a value; or takes it away.
fn spoil(value: &mut Value, place: &mut usize, with: Option<&Value>) -> bool {
    match value {
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().cloned().collect();
            names.into_iter().any(|name| {
                if *place == 0 {
                    match with {
                        Some(with) => fields.insert(name, with.clone()),
                        None => fields.remove(&name),
                    };
                    return true;
                }
                *place -= 1;
                fields
                    .get_mut(&name)
                    .is_some_and(|inner| spoil(inner, place, with))
            })
        }
        Value::Array(items) => items.iter_mut().any(|item| spoil(item, place, with)),
        _ => false,
    }
}

fn whole_stay() -> Value {
    let mut stay = reservation(1, "2026-11-10", "100");
    stay["guest"] = json!({"_id": id(8), "fullName": "Ada"});
    stay["money"]["invoiceItems"] = json!([{"_id": id(5), "amount": 10.5, "currency": "USD",
        "normalType": "AF", "nightsBreakdown": [{"date": "2026-11-10", "amount": 10.5}]}]);
    stay["money"]["payments"] = json!([{"_id": id(6), "status": "SUCCEEDED", "amount": "100",
        "paymentMethod": {"method": "STRIPE"}, "attempts": [{"_id": id(9), "status": "SUCCEEDED"}]}]);
    stay
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in any place of an object: the other objects of the page are in, the spoilt
    /// one is too or it is told that it cannot be read, and the chain folds to the same mirror.
    #[test]
    fn any_field_may_be_missing_or_anything(
        kind in 0..5_usize,
        spoilt in prop::collection::vec((0..40_usize, prop::option::of(junk())), 1..4),
    ) {
        const DATES: &str = "startDate=2026-11-01&endDate=2026-11-30";
        let (request, rows) = match kind {
            0 => ("/v1/reservations?skip=0".to_owned(),
                [whole_stay(), reservation(2, "2026-11-11", "1"), reservation(3, "2026-11-12", "1")]),
            1 => ("/v1/listings?skip=0".to_owned(), [listing(1), listing(2), listing(3)]),
            2 => ("/v1/taxes/account".to_owned(), [1, 2, 3].map(|number| json!({
                "_id": id(number), "type": "VAT", "amount": 7.7, "units": "PERCENTAGE",
                "quantifier": "PER_STAY", "appliedToAllFees": true}))),
            3 => (format!("/v1/payment-transactions/reports?{DATES}"),
                [1, 2, 3].map(|number| transaction(number, "2026-11-05T10:00:00", None))),
            _ => (format!("/v1/payment-transactions/reports/payouts-reconciliation?{DATES}"),
                [1, 2, 3].map(|number| payout_line(number, "Fee", "Processed", "2026-11-12T12:00:00"))),
        };
        let mut rows = rows.to_vec();
        for (mut place, with) in spoilt {
            spoil(&mut rows[0], &mut place, with.as_ref());
        }
        let reply = Reply {
            request,
            status: 200,
            body: Bytes::from(json!(rows).to_string()),
            received_at: "2026-11-21T12:00:00.000Z".parse().unwrap(),
            sent_at: None,
            request_id: None,
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let desk = Desk::on(Engine::Sqlite).await;
            let mirror = Mirror::of(&desk.chain);
            let counts = mirror.take_in(std::slice::from_ref(&reply)).await.unwrap();
            prop_assert!(counts.new >= 2, "{counts:?}");
            let again = mirror.take_in(&[reply]).await.unwrap();
            prop_assert!(!again.is_change(), "{again:?}");
            let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
            prop_assert_eq!(rebuilt.before, Some(rebuilt.after));
            Ok(())
        })?;
    }
}

/// `cargo test --release -p books how_much_memory -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; measures"]
async fn how_much_memory_a_month_of_very_many_rows_takes() {
    const ROWS: usize = 300_000;
    let rogue = Rogue::with(|path, query| {
        let is_month = path == "payment-transactions/reports"
            && query.get("startDate").as_deref() == Some("2026-11-01");
        let skip = query.number("skip").min(ROWS);
        let rows = skip..(skip + 100).min(ROWS);
        let row = |number| transaction(number, "2026-11-05T10:00:00", None);
        is_month.then(|| Json(rows.map(row).collect::<Vec<_>>()).into_response())
    })
    .await;
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.unwrap().trim().to_owned()
    };
    println!("at most {} before", peak());
    for _ in 0..2 {
        let began = std::time::Instant::now();
        let summary = rogue.read().await;
        assert_eq!(summary.problems, []);
        println!(
            "{:?} in {:?}, at most {}",
            summary.of(Part::Payments),
            began.elapsed(),
            peak()
        );
    }
}
