//! Wrong types in every field of every body, and in every parameter: what is refused is refused in the
//! words of JSON, and not in those of the language that the server is written in.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::{Value, json};
use store::testing::{Engine, Fixture};

use crate::support::{GuestyDocs, TestApp};

/// How deep fields are looked for: all that requests have.
const DEPTH_MAX: usize = 4;

/// Words that mean nothing to somebody who writes JSON.
const FOREIGN: [&str; 24] = [
    "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32",
    "f64", "struct", "enum", "tuple", "Option", "Vec", "newtype", "variant", "sequence", "map",
    "serde",
];

/// What may be sent where something else belongs.
fn wrong_values() -> Vec<Value> {
    vec![
        json!(-1),
        json!(1.5),
        json!(99_999_999),
        json!(true),
        json!("neither"),
        json!([]),
        json!([1, "a"]),
        json!({}),
        json!({"a": 1}),
    ]
}

/// A schema with what it refers to written out.
fn resolved<'a>(description: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    if let Some(pointer) = schema["$ref"].as_str() {
        let target = description.pointer(pointer.trim_start_matches('#'));
        return resolved(description, target.unwrap());
    }
    let mut parts = vec![schema];
    for together in ["allOf", "anyOf", "oneOf"] {
        let inner = schema[together].as_array().into_iter().flatten();
        parts.extend(inner.flat_map(|part| resolved(description, part)));
    }
    parts
}

/// Puts a value somewhere into a body.
type Around = Box<dyn Fn(Value) -> Value>;

/// Every field of a body, also of what stands in it, as what to put around its value.
fn places(description: &Value, schema: &Value, depth: usize) -> Vec<Around> {
    let mut places: Vec<Around> = vec![Box::new(|value| value)];
    if depth == 0 {
        return places;
    }
    for part in resolved(description, schema) {
        for (name, field) in part["properties"].as_object().into_iter().flatten() {
            for inner in places_below(description, field, depth) {
                let name = name.clone();
                places.push(Box::new(
                    move |value| json!({ name.as_str(): inner(value) }),
                ));
            }
        }
        if part["items"].is_object() {
            for inner in places_below(description, &part["items"], depth) {
                places.push(Box::new(move |value| json!([inner(value)])));
            }
        }
    }
    places
}

fn places_below(description: &Value, schema: &Value, depth: usize) -> Vec<Around> {
    places(description, schema, depth - 1)
}

/// A path of something that is there.
fn existing(path: &str) -> String {
    let id = if path.contains("guests") {
        "64da2084867c12ee0c2ca47f"
    } else if path.contains("reservation") {
        "64da254383ad1500284bd0c0"
    } else {
        "64da223eb3de7a002a462fcc"
    };
    let part = |part: &str| {
        if part.starts_with('{') {
            id.to_owned()
        } else {
            part.to_owned()
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The foreign words of a text, what it quotes left out.
fn foreign(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    let is_foreign = |word: &&str| FOREIGN.contains(word) || word.contains("::");
    words.filter(is_foreign).collect()
}

async fn requests(app: &TestApp) -> Vec<(Method, String, Option<String>)> {
    let description = app.get("/openapi.json").await.expect(200);
    let mut requests = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, said) in item.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let at = existing(path);
            for parameter in said["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                for value in ["x", "-1", "1.5", "99999999999999999999", "[1]", "{}", "%ff"] {
                    let query = format!("{at}?{name}={value}");
                    match parameter["in"].as_str() {
                        Some("query") => requests.push((method.clone(), query, None)),
                        Some("path") => {
                            let at = path.replace(&format!("{{{name}}}"), "x%7B1");
                            requests.push((method.clone(), existing(&at), None));
                        }
                        _ => {}
                    }
                }
            }
            // Emptying the account would leave nothing to ask about.
            let contents = said["requestBody"]["content"].as_object();
            for (kind, content) in contents.into_iter().flatten() {
                if kind != "application/json" || path == "/sandbox/reset" {
                    continue;
                }
                for around in places(&description, &content["schema"], DEPTH_MAX) {
                    for wrong in wrong_values() {
                        let body = around(wrong).to_string();
                        requests.push((method.clone(), at.clone(), Some(body)));
                    }
                }
            }
        }
    }
    requests
}

// What a body is refused for does not depend on the engine.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_speak_of_json_and_of_no_types_of_ours() {
    let app = GuestyDocs::on(Engine::Sqlite).await.app;
    let mut refused = 0;
    let mut bad = BTreeSet::new();
    for (method, path, body) in requests(&app).await {
        let shown = body.clone().unwrap_or_default();
        let reply = app.send(method.clone(), &path, body).await;
        assert!(
            reply.status.as_u16() < 500 || reply.status == 501,
            "{method} {path} {shown}: {}",
            reply.text
        );
        if reply.status == 400 {
            refused += 1;
            let words = foreign(&reply.text);
            if !words.is_empty() {
                bad.insert(format!("{} ({words:?})", reply.text));
            }
        }
    }
    assert!(refused > 1_000, "only {refused} were refused");
    assert!(bad.is_empty(), "{} texts: {bad:#?}", bad.len());
}
