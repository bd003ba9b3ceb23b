//! What of the Open API is served, and what is not: as the router says, and as the document does.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::json;
use store::on_both_engines;

use crate::support::TestApp;

const DOCUMENT: &str = include_str!("../../../../docs/compatibility.md");
const STATUSES: [&str; 6] = [
    "seed",
    "documented",
    "observed",
    "inferred",
    "ours",
    "missing",
];
const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// A route, and whether it is served.
type Route = (String, Method, bool);

/// The rows of the document's tables of routes: methods, path, status.
fn documented() -> BTreeSet<(String, String, bool)> {
    let mut routes = BTreeSet::new();
    for row in DOCUMENT.lines() {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let ["", methods, path, status, _, ""] = cells[..] else {
            continue;
        };
        if !path.starts_with("`/") {
            continue;
        }
        assert!(STATUSES.contains(&status), "{row}");
        for method in methods.trim_matches('`').split(' ') {
            let path = path.trim_matches('`').to_owned();
            let is_new = routes.insert((path, method.to_owned(), status != "missing"));
            assert!(is_new, "twice: {row}");
        }
    }
    routes
}

/// The templates of the router's paths, as it prints them.
fn templates(app: &TestApp) -> BTreeSet<String> {
    let printed = format!("{:?}", app.platform.router());
    let (routes, _fallback) = printed.split_once("fallback_router").unwrap();
    let texts = routes.split('"').filter(|text| text.starts_with('/'));
    texts.map(str::to_owned).collect()
}

/// A path of a template.
fn path_of(template: &str) -> String {
    let segments = template.split('/').map(|segment| match segment {
        parameter if parameter.starts_with('{') => "64da254383ad1500284bd0ff",
        fixed => fixed,
    });
    segments.collect::<Vec<_>>().join("/")
}

/// What the router does with each of its paths, asked in each way.
async fn routes(app: &TestApp) -> Vec<Route> {
    let mut routes = Vec::new();
    for template in templates(app) {
        for method in METHODS {
            let reply = app.send(method.clone(), &path_of(&template), None).await;
            match reply.status.as_u16() {
                405 => {}
                501 => {
                    let error = &reply.json()["error"];
                    assert_eq!(error["code"], "NOT_IMPLEMENTED");
                    let message = error["message"].as_str().unwrap();
                    assert!(
                        message.starts_with(&format!("{method} {template} ")),
                        "{message}"
                    );
                    routes.push((template.clone(), method, false));
                }
                _ => {
                    assert!(!reply.text.contains("Cannot find"), "{method} {template}");
                    routes.push((template.clone(), method, true));
                }
            }
        }
    }
    routes
}

on_both_engines! {
    async fn every_route_is_in_the_document_as_it_answers(app: TestApp) {
        let app = app.signed_in().await;
        let routes = routes(&app).await.into_iter();
        let routes: BTreeSet<_> = routes
            .map(|(path, method, is_served)| (path, method.to_string(), is_served))
            .collect();
        let documented = documented();
        let unsaid: Vec<_> = routes.difference(&documented).collect();
        let untrue: Vec<_> = documented.difference(&routes).collect();
        assert!(
            unsaid.is_empty() && untrue.is_empty(),
            "docs/compatibility.md lacks {unsaid:#?}, and says without truth {untrue:#?}"
        );
    }

    async fn a_route_that_is_not_served_names_itself_to_those_who_may_ask(app: TestApp) {
        let path = "/v1/owners/64da254383ad1500284bd0ff/documents";
        app.get(path).await.expect(401);
        let app = app.signed_in().await;
        let refused = app.get(path).await.expect(501);
        assert_eq!(refused, json!({"error": {
            "code": "NOT_IMPLEMENTED",
            "message": "GET /v1/owners/{id}/documents is a route of the Open API that this platform \
                        does not serve: see its table of compatibility",
            "status": 501,
        }}));
        app.patch(path).await.expect(405);
        app.get("/v1/landlords").await.expect(404);
    }

    async fn a_path_may_be_served_in_one_way_and_not_in_another(app: TestApp) {
        let app = app.signed_in().await;
        app.get("/v1/reservations-v3?reservationIds=64da254383ad1500284bd0ff").await.expect(200);
        app.post("/v1/reservations-v3", &json!({})).await.expect(501);
        app.delete("/v1/reservations-v3").await.expect(405);
    }
}
