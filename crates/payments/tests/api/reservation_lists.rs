//! Lists of reservations: filters, order, fields and pages.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use store::on_both_engines;

use crate::reservations::{listing, make, stay};
use crate::support::TestApp;

/// Fields of every kind, with how they compare.
const FIELDS: [(&str, Kind); 16] = [
    ("_id", Kind::Text),
    ("status", Kind::Text),
    ("source", Kind::Text),
    ("confirmationCode", Kind::Text),
    ("guest.fullName", Kind::Text),
    ("listing.nickname", Kind::Text),
    ("canceledBy", Kind::Text),
    ("checkIn", Kind::Text),
    ("checkInDateLocalized", Kind::Text),
    ("canceledAt", Kind::Text),
    ("guestsCount", Kind::Number),
    ("money.balanceDue", Kind::Number),
    ("money.totalPaid", Kind::Number),
    ("money.hostPayout", Kind::Number),
    ("money.isFullyPaid", Kind::Flag),
    ("money.isTouchedPayments", Kind::Flag),
];

/// Fields that can be searched for a part.
const TEXTS: [&str; 4] = ["status", "source", "guest.fullName", "listing.nickname"];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Number,
    Flag,
}

/// A dozen reservations that differ in everything that can be asked for.
async fn a_dozen(app: &TestApp) -> Vec<Value> {
    let sea = json!({"title": "Sea", "nickname": "By the SEA", "timezone": "Asia/Tokyo"});
    let homes = [
        listing(app, sea).await,
        listing(app, json!({"title": "Hill"})).await,
    ];
    let mut made = Vec::new();
    for n in 0..12_usize {
        let currency = ["USD", "JPY", "KWD"][n % 3];
        let fare = ["0", "100", "100.5", "2500"][n % 4];
        let fare = if currency == "JPY" { "100" } else { fare };
        let mut reservation = stay(&homes[n % 2]);
        reservation["status"] = ["confirmed", "inquiry", "reserved"][n / 4].into();
        reservation["source"] = ["Manual", "website", "100%_Émile", "a\\b"][n % 4].into();
        reservation["guest"]["lastName"] = ["Åse", "åse", "O'Hara", "100%"][(n / 2) % 4].into();
        reservation["guestsCount"] = (n % 5 + 1).into();
        reservation["checkInDateLocalized"] = format!("2026-12-0{}", n % 4 + 1).into();
        let money = format!(r#"{{"currency": "{currency}", "fareAccommodation": {fare}}}"#);
        reservation["money"] = serde_json::from_str(&money).unwrap();
        let id = make(app, &reservation).await["_id"]
            .as_str()
            .unwrap()
            .to_owned();
        if n % 4 == 0 {
            let off = json!({"status": "canceled", "canceledBy": "OWNER"});
            let path = format!("/v1/reservations/{id}");
            app.send(axum::http::Method::PUT, &path, Some(off.to_string()))
                .await;
        }
        if n % 3 == 1 {
            let paid = json!({"paymentMethod": {"method": "CHECK"}, "amount": n * 10});
            app.post(&format!("/v1/reservations/{id}/payments"), &paid)
                .await
                .expect(201);
        }
        made.push(id);
        app.clock.advance(chrono::Duration::seconds(1));
    }
    let all = app.get("/v1/reservations?limit=100").await.expect(200);
    let all = all["results"].as_array().unwrap().clone();
    assert_eq!(all.len(), made.len());
    all
}

fn at<'a>(reservation: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .fold(reservation, |value, name| &value[name])
}

/// A number in ten-thousandths.
fn number(value: &Value) -> i128 {
    let text = value.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}{fraction:0<4}").parse().unwrap()
}

fn compare(field: &Value, value: &Value) -> Option<std::cmp::Ordering> {
    match (field, value) {
        (Value::String(field), Value::String(value)) => Some(field.cmp(value)),
        (Value::Number(_), Value::Number(_)) => Some(number(field).cmp(&number(value))),
        (Value::Bool(field), Value::Bool(value)) => Some(field.cmp(value)),
        _ => None,
    }
}

/// What the filters mean, by the letter.
fn holds(reservation: &Value, filter: &Value) -> bool {
    let field = at(reservation, filter["field"].as_str().unwrap());
    let value = &filter["value"];
    let order = |value: &Value| compare(field, value);
    let contains = || {
        let (Value::String(field), Value::String(value)) = (field, value) else {
            return false;
        };
        field
            .to_ascii_lowercase()
            .contains(&value.to_ascii_lowercase())
    };
    match filter["operator"].as_str().unwrap() {
        "$eq" => field == value || order(value).is_some_and(std::cmp::Ordering::is_eq),
        "$not" => field != value && order(value).is_none_or(std::cmp::Ordering::is_ne),
        "$gt" => order(value).is_some_and(std::cmp::Ordering::is_gt),
        "$gte" => order(value).is_some_and(std::cmp::Ordering::is_ge),
        "$lt" => order(value).is_some_and(std::cmp::Ordering::is_lt),
        "$lte" => order(value).is_some_and(std::cmp::Ordering::is_le),
        "$between" => {
            order(&filter["from"]).is_some_and(std::cmp::Ordering::is_ge)
                && order(&filter["to"]).is_some_and(std::cmp::Ordering::is_le)
        }
        "$in" => {
            let values = value.as_array().unwrap();
            values
                .iter()
                .any(|value| order(value).is_some_and(std::cmp::Ordering::is_eq))
        }
        "$contains" => contains(),
        "$notcontains" => !contains(),
        other => panic!("{other}"),
    }
}

/// A value as some reservation has it in this field, whatever kind the field is.
fn some_value(all: &[Value], field: &str) -> BoxedStrategy<Value> {
    let values: Vec<Value> = all
        .iter()
        .map(|reservation| at(reservation, field).clone())
        .filter(|value| !value.is_null())
        .collect();
    prop::sample::select(values).boxed()
}

fn comparison(all: &[Value]) -> BoxedStrategy<Value> {
    let all = all.to_vec();
    prop::sample::select(FIELDS.to_vec())
        .prop_flat_map(move |(field, kind)| {
            let mut operators = vec!["$eq", "$not", "$in"];
            if kind != Kind::Flag {
                operators.extend(["$gt", "$gte", "$lt", "$lte", "$between"]);
            }
            let value = some_value(&all, field);
            (
                Just(field),
                prop::sample::select(operators),
                value.clone(),
                value,
                prop::bool::weighted(0.1),
            )
        })
        .prop_map(|(field, operator, value, other, is_null)| match operator {
            "$between" => json!({"field": field, "operator": operator, "from": value, "to": other}),
            "$in" => json!({"field": field, "operator": operator, "value": [value, other]}),
            "$eq" | "$not" if is_null => {
                json!({"field": field, "operator": operator, "value": null})
            }
            _ => json!({"field": field, "operator": operator, "value": value}),
        })
        .boxed()
}

fn part() -> BoxedStrategy<Value> {
    let parts = [
        "e", "E", "%", "_", "100%", "é", "Å", "åse", "\\", "the sea", "O'", "",
    ];
    (
        prop::sample::select(TEXTS.to_vec()),
        prop::sample::select(vec!["$contains", "$notcontains"]),
        prop::sample::select(parts.to_vec()),
    )
        .prop_map(
            |(field, operator, part)| json!({"field": field, "operator": operator, "value": part}),
        )
        .boxed()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The ids that a query gives, in its order.
async fn ids(app: &TestApp, query: &str) -> Vec<String> {
    let list = app
        .get(&format!("/v1/reservations?{query}"))
        .await
        .expect(200);
    ids_of(list["results"].as_array().unwrap())
}

fn ids_of<'a>(reservations: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    reservations
        .into_iter()
        .map(|reservation| reservation["_id"].as_str().unwrap().to_owned())
        .collect()
}

on_both_engines! {
    async fn filters_mean_what_they_say(app: TestApp) {
        let app = app.signed_in().await;
        let all = a_dozen(&app).await;
        let filters = prop::collection::vec(prop_oneof![3 => comparison(&all), 1 => part()], 1..4);
        let mut runner = TestRunner::deterministic();
        let mut found = 0;
        for _ in 0..300 {
            let filters = filters.new_tree(&mut runner).unwrap().current();
            let holding = |one: &&Value| filters.iter().all(|filter| holds(one, filter));
            let expected = ids_of(all.iter().filter(holding));
            let text = json!(filters).to_string();
            let query = format!("fields=_id&limit=100&filters={}", encoded(&text));
            assert_eq!(ids(&app, &query).await, expected, "{text}");
            found += expected.len();
        }
        assert!(found > 300, "the filters must find something now and then: {found}");
    }

    async fn orders_are_total(app: TestApp) {
        let app = app.signed_in().await;
        let all = a_dozen(&app).await;
        for (field, _) in FIELDS {
            for sign in ["", "-"] {
                let mut expected = all.clone();
                expected.sort_by(|one, other| {
                    let (one, other) = (at(one, field), at(other, field));
                    // What is not there comes before all that is.
                    let order = compare(one, other)
                        .unwrap_or_else(|| other.is_null().cmp(&one.is_null()));
                    if sign == "-" { order.reverse() } else { order }
                });
                let sorted = ids(&app, &format!("sort={sign}{field}")).await;
                assert_eq!(sorted, ids_of(&expected), "{sign}{field}");
            }
        }
    }

    async fn pages_neither_repeat_nor_skip_while_reservations_come(app: TestApp) {
        let app = app.signed_in().await;
        let home = listing(&app, json!({"title": "House"})).await;
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(make(&app, &stay(&home)).await);
        }
        let mut seen = Vec::new();
        while seen.len() < made.len() {
            let page = ids(&app, &format!("limit=2&skip={}", seen.len())).await;
            seen.extend(page);
            if made.len() < 9 {
                made.push(make(&app, &stay(&home)).await);
            }
        }
        assert_eq!(seen, ids_of(&made));
        let list = app.get("/v1/reservations?limit=2&skip=8").await.expect(200);
        assert_eq!((&list["count"], &list["limit"], &list["skip"]), (&json!(9), &json!(2), &json!(8)));
        assert_eq!(list["results"].as_array().unwrap().len(), 1);
        assert_eq!(ids(&app, "skip=1000000000").await, Vec::<String>::new());
    }

    async fn fields_cut_replies_down(app: TestApp) {
        let app = app.signed_in().await;
        let made = a_dozen(&app).await.remove(1);
        let id = made["_id"].as_str().unwrap();
        let expected = json!({
            "_id": id, "status": "confirmed", "guest": {"fullName": "Irving Åse"},
            "money": {"payments": [{"amount": 10}], "balanceDue": 90}
        });
        for separator in ["+", "%20", ","] {
            let fields = ["status", "guest.fullName", "money.payments.amount", "money.balanceDue", "x.y"];
            let path = format!("/v1/reservations/{id}?fields={}", fields.join(separator));
            let one = app.get(&path).await.expect(200);
            assert_eq!(one, expected, "{separator}");
        }
        let list = app.get("/v1/reservations?fields=money.currency&limit=1").await.expect(200);
        let first = &list["results"][0];
        assert_eq!(first["money"], json!({"currency": "USD"}));
        assert_eq!(first.as_object().unwrap().len(), 2);
    }

    async fn wrong_queries_are_refused_by_name(app: TestApp) {
        let app = app.signed_in().await;
        let filter = |text: &str| format!("filters={}", encoded(text));
        for (query, named) in [
            ("limit=0".to_owned(), "limit must be a whole number from 1 to 100"),
            ("limit=101".to_owned(), "limit must be"),
            ("limit=ten".to_owned(), "limit must be"),
            ("skip=-1".to_owned(), "skip must be"),
            ("sort=shoeSize".to_owned(), "\"shoeSize\" is not known"),
            (filter("["), "filters must be a JSON list"),
            (filter("nonsense"), "filters must be a JSON list"),
            (
                filter(r#"[{"field":"shoeSize","operator":"$eq","value":1}]"#),
                "the field \"shoeSize\" is not known",
            ),
            (
                filter(r#"[{"field":"status","operator":"$like","value":"c"}]"#),
                "the operator \"$like\" is not known",
            ),
            (
                filter(r#"[{"field":"money.balanceDue","operator":"$gt","value":"many"}]"#),
                "a number without quotes",
            ),
        ] {
            let error = app.get(&format!("/v1/reservations?{query}")).await.expect(400);
            assert!(error.as_str().unwrap().contains(named), "{query}: {error}");
        }
        app.get("/v1/reservations?viewId=7&colour=blue").await.expect(200);
        let deep = encoded(&"[".repeat(20_000));
        app.get(&format!("/v1/reservations?filters={deep}")).await.expect(400);
    }
}
