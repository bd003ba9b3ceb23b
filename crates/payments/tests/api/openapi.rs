//! The description of the API: that it says all of what is served, and nothing else.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use store::testing::{Engine, Fixture};
use tower::ServiceExt;

use crate::support::{GuestyDocs, TestApp};

/// An operation: method, path, and what is said of it.
type Operation = (Method, String, Map<String, Value>);

/// What is described does not depend on the engine.
async fn app() -> TestApp {
    TestApp::on(Engine::Sqlite).await
}

async fn description(app: &TestApp) -> Value {
    app.get("/openapi.json").await.expect(200)
}

fn operations(description: &Value) -> Vec<Operation> {
    let paths = description["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        let path = path.clone();
        item.into_iter().map(move |(method, said)| {
            let method = method.to_uppercase().parse().unwrap();
            (method, path.clone(), said.as_object().unwrap().clone())
        })
    };
    paths.iter().flat_map(of_path).collect()
}

/// What the router knows, as its own debug text shows it: `RouteId(7): "/v1/listings"`.
fn known(app: &TestApp) -> BTreeSet<String> {
    let router = format!("{:?}", app.platform.router());
    let paths = router.split("RouteId(").filter_map(|entry| {
        let (_, path) = entry.split_once("): \"")?;
        let (path, _) = path.split_once('"')?;
        let is_fallback = path == "/" || path.contains("__private__axum_fallback");
        (!is_fallback).then(|| path.to_owned())
    });
    paths.collect()
}

/// A path with something in each of its places.
fn concrete(path: &str) -> String {
    let part = |part: &str| match part {
        "{file}" => "index.html".to_owned(),
        part if part.starts_with('{') => "64da254383ad1500284bd0c0".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Calls for every value in a JSON document, with the place where it stands.
fn walk(value: &Value, place: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(place, value);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                walk(value, &format!("{place}/{name}"), visit);
            }
        }
        Value::Array(items) => {
            for item in items {
                walk(item, place, visit);
            }
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_described_and_whatever_is_described_is_a_route() {
    let app = app().await.signed_in().await;
    let operations = operations(&description(&app).await);
    let described: BTreeSet<String> = operations.iter().map(|(_, path, _)| path.clone()).collect();
    let known = known(&app);
    assert!(described.is_subset(&known), "{described:?}");
    for path in &known {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let is_described = operations.iter().any(|(m, p, _)| *m == method && p == path);
            let reply = app.send(method.clone(), &concrete(path), None).await;
            let is_served = ![405, 501].contains(&reply.status.as_u16());
            assert_eq!(is_served, is_described, "{method} {path}: {}", reply.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_token_says_so() {
    let app = app().await;
    for (method, path, said) in operations(&description(&app).await) {
        let reply = app.send(method.clone(), &concrete(&path), None).await;
        let needs_token = said.get("security").is_some_and(|security| {
            security
                .as_array()
                .unwrap()
                .iter()
                .all(|one| one.get("token").is_some())
        });
        if path != "/oauth2/token" {
            let is_refused = reply.status == StatusCode::UNAUTHORIZED;
            assert_eq!(is_refused, needs_token, "{method} {path}");
        }
        let status = reply.status.as_str();
        assert!(
            said["responses"].get(status).is_some(),
            "{method} {path}: {status}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_described_with_the_kinds_that_can_be_added() {
    let app = GuestyDocs::on(Engine::Sqlite).await.app;
    let path = "/v1/invoice-items/reservation/{id}";
    let description = description(&app).await;
    let body = &description["paths"][path]["post"]["requestBody"]["content"]["application/json"];
    let named = body["schema"]["$ref"]
        .as_str()
        .unwrap()
        .trim_start_matches('#');
    let mut described = BTreeSet::new();
    walk(
        description.pointer(named).unwrap(),
        "",
        &mut |place, value| {
            if place.ends_with("/normalType") {
                let kinds = value["enum"].as_array().unwrap().iter();
                described.extend(kinds.map(|kind| kind.as_str().unwrap().to_owned()));
            }
        },
    );
    let at = path.replace("{id}", "64da254383ad1500284bd0c0");
    for kind in contract::invoice::NORMAL_TYPES {
        let line = json!({"title": "One", "amount": 1, "normalType": kind});
        let reply = app.post(&at, &line).await;
        // What an additional fee needs besides is refused by its own name.
        let is_taken = !reply.text.starts_with("\"normalType");
        assert_eq!(is_taken, described.contains(kind), "{kind}: {}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_to_come_back_is_told_when() {
    let description = description(&app().await).await;
    let mut told = 0;
    for (method, path, said) in operations(&description) {
        for status in ["409", "429", "503"] {
            if let Some(response) = said["responses"].get(status) {
                let header = response["headers"].get("Retry-After");
                assert!(header.is_some(), "{method} {path} {status}");
                told += 1;
            }
        }
    }
    assert!(told > 50, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_routes_are_these() {
    let app = app().await;
    let mut lines: Vec<String> = operations(&description(&app).await)
        .into_iter()
        .map(|(method, path, said)| format!("{method} {path} {}", said["operationId"]))
        .collect();
    lines.sort_by_key(|line| line.split(' ').nth(1).map(str::to_owned));
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_says_what_a_client_needs() {
    let app = app().await;
    let description = description(&app).await;
    let tags = description["tags"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for (method, path, said) in operations(&description) {
        let what = format!("{method} {path}");
        assert!(
            ids.insert(said["operationId"].to_string()),
            "{what}: its id is another's"
        );
        assert!(
            said["summary"].as_str().is_some_and(|text| text.len() > 5),
            "{what}"
        );
        for tag in said["tags"].as_array().unwrap() {
            assert!(
                tags.iter().any(|known| known["name"] == *tag),
                "{what}: {tag}"
            );
        }
        let parameters = said.get("parameters").and_then(Value::as_array);
        let declared: BTreeSet<&str> = parameters
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let placed: BTreeSet<&str> = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        assert_eq!(declared, placed, "{what}");
        for (status, response) in said["responses"].as_object().unwrap() {
            assert!(response["description"].is_string(), "{what} {status}");
            assert!(
                response["headers"].get("X-Request-Id").is_some(),
                "{what} {status}"
            );
            let needs_body = !["204", "303"].contains(&status.as_str());
            assert_eq!(
                needs_body,
                response.get("content").is_some(),
                "{what} {status}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_holds_together() {
    let app = app().await;
    let description = description(&app).await;
    assert_eq!(description["openapi"], "3.1.0");
    walk(&description, "", &mut |place, value| {
        if let Some(pointer) = value["$ref"].as_str() {
            let target = description.pointer(pointer.trim_start_matches('#'));
            assert!(target.is_some(), "{place}: {pointer} leads nowhere");
        }
        if place.ends_with("/description")
            && let Some(text) = value.as_str()
        {
            let is_for_readers = !text.contains("::") && !text.contains("[`");
            assert!(is_for_readers, "{place}: {text}");
        }
        if place.ends_with("/format") {
            let is_a_floats = value == "float" || value == "double";
            assert!(!is_a_floats, "{place}: clients would round amounts");
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_has_an_example_or_says_what_it_may_be() {
    let app = app().await;
    let description = description(&app).await;
    let mut bare = Vec::new();
    for (name, schema) in description["components"]["schemas"].as_object().unwrap() {
        if schema.get("example").or(schema.get("examples")).is_some() {
            continue;
        }
        let fields = schema.get("properties").and_then(Value::as_object);
        for (field, said) in fields.into_iter().flatten() {
            let kinds = said["type"].to_string();
            let is_plain = ["string", "integer", "number"]
                .iter()
                .any(|kind| kinds.contains(kind));
            let is_told = ["$ref", "enum", "const", "default", "example", "examples"]
                .iter()
                .any(|told| said.get(told).is_some());
            if is_plain && !is_told {
                bare.push(format!("{name}.{field}"));
            }
        }
    }
    assert!(bare.is_empty(), "without an example: {bare:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_loads_only_what_the_server_serves() {
    let app = app().await;
    let moved = app.get("/docs").await;
    assert_eq!(moved.status, StatusCode::SEE_OTHER);
    let also = app.get("/docs/").await;
    assert_eq!(
        also.headers[header::LOCATION],
        moved.headers[header::LOCATION]
    );
    let page = app
        .get(moved.headers[header::LOCATION].to_str().unwrap())
        .await;
    assert!(
        page.headers[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let policy = page.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    assert!(!policy.contains("http"), "{policy}");
    let mut assets = 0;
    for mark in ["src=\"", "href=\""] {
        for rest in page.text.split(mark).skip(1) {
            let asset = rest.split('"').next().unwrap();
            let file = asset.strip_prefix("./").unwrap_or(asset);
            assert!(!file.contains("//"), "{asset} is not the server's own");
            let request = Request::get(format!("/docs/{file}")).body(Body::empty());
            let reply = app
                .platform
                .router()
                .oneshot(request.unwrap())
                .await
                .unwrap();
            assert_eq!(reply.status(), StatusCode::OK, "{asset}");
            assert!(
                !reply
                    .into_body()
                    .collect()
                    .await
                    .unwrap()
                    .to_bytes()
                    .is_empty()
            );
            assets += 1;
        }
    }
    assert!(assets >= 5, "{}", page.text);
    let settings = app.get("/docs/swagger-initializer.js").await;
    assert!(settings.text.contains("/openapi.json"));
    assert!(!settings.text.contains("http"), "{}", settings.text);
}
