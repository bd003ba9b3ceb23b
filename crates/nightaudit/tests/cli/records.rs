//! `sync`, `verify`, `rebuild` and `history`: what the books come to know, and how they prove it.

use std::process::Command;

use axum::Router;
use axum::response::Html;
use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::estate::{ACCOUNT, Estate, connect, start, sync};
use crate::relay::Relay;
use crate::support::{Credentials, Home, Ran, Server};

const RESERVATION: &str = "64da254383ad1500284bd0c0";

async fn pay(server: &Server, credentials: &Credentials, amount: &str) {
    let token = server.token(credentials).await;
    let amount: Value = serde_json::from_str(amount).unwrap();
    let method = json!({"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"});
    let payment = json!({"paymentMethod": method, "amount": amount});
    let path = format!("/v1/reservations/{RESERVATION}/payments");
    let (status, paid) = server.post(&path, &token, &payment).await;
    assert_eq!(status, 201, "{paid}");
}

pub fn total(report: &Value, what: &str) -> u64 {
    let parts = report["parts"].as_object().unwrap().values();
    parts.map(|part| part[what].as_u64().unwrap()).sum()
}

/// The change of a field in a step of a history.
fn change<'a>(step: &'a Value, field: &str) -> (Option<&'a str>, Option<&'a str>) {
    let mut values = step["values"].as_array().unwrap().iter();
    let value = values.find(|value| value["field"] == field).unwrap();
    (value["before"].as_str(), value["after"].as_str())
}

/// The values of an object then, by their fields.
fn then(home: &Home, code: &str, at: &str) -> Value {
    let history = [
        "history",
        "reservation",
        code,
        "--as-known-on",
        at,
        "--format",
        "json",
    ];
    home.run(&history).expect(0).json()["objects"][0]["values"].clone()
}

/// After which a run that could not say that it ended is out of the way.
fn a_minute_passes(books: &Home) {
    books.meddle("UPDATE sync_run SET until_ms = 0 WHERE ended_ms IS NULL");
}

fn verdict(ran: &Ran) -> Value {
    ran.json()["connections"][0].clone()
}

on_both_engines! {
    async fn a_history_shows_what_was_paid_beside_what_was_known_before(estate: Estate) {
        let books = &estate.books;
        let (server, credentials) = estate.guide();
        connect(books, &server.base, &credentials);
        let first = sync(books);
        assert_eq!(first["parts"]["reservations"]["new"], 1, "{first}");
        pay(&server, &credentials, "500.5").await;
        let second = sync(books);
        assert_eq!(second["parts"]["reservations"]["changed"], 1, "{second}");
        assert_eq!(total(&sync(books), "changed"), 0);

        let by_id = books.run(&["history", "reservation", RESERVATION, "--format", "json"]);
        let by_id = by_id.expect(0).json();
        let object = &by_id["objects"][0];
        assert_eq!(object["id"], RESERVATION);
        let steps = object["steps"].as_array().unwrap();
        assert_eq!((&steps[0]["change"], &steps[1]["change"]), (&json!("appeared"), &json!("changed")));
        let (_, code) = change(&steps[0], "confirmationCode");
        let code = code.unwrap();
        assert_eq!(change(&steps[0], "money.totalPaid").0, None);
        let (before, after) = change(&steps[1], "money.totalPaid");
        assert_eq!((before, after), (Some("0.00"), Some("500.50")));
        assert!(steps[1]["subject"].as_str().unwrap().starts_with("GET /v1/reservations"));
        let (was, is) = (&steps[0]["at"], &steps[1]["at"]);

        let by_code = books.run(&["history", "reservation", code, "--format", "json"]);
        assert_eq!(by_code.expect(0).json()["objects"], by_id["objects"]);
        let at_first = then(books, code, was.as_str().unwrap());
        assert_eq!(at_first["money.totalPaid"]["value"], "0.00");
        let at_last = then(books, code, is.as_str().unwrap());
        assert_eq!(at_last["money.totalPaid"]["value"], "500.50");
        assert_eq!(at_last["money.totalPaid"]["record"], steps[1]["record"]);
        assert_eq!(at_last["status"]["since"], *was);
        assert_eq!(then(books, code, "2999-12-31"), at_last);

        let told = books.run(&["history", "reservation", code]).expect(0).stdout;
        let row = |line: &&str| line.contains("money.totalPaid") && line.contains("500.50");
        assert!(told.lines().any(|line| row(&line)), "{told}");
        let rows = books.run(&["history", "transaction", code]).expect(0).stdout;
        assert!(rows.contains("500.50"), "{rows}");

        let account = ["history", "account", "--format", "json"];
        let account = books.run(&account).expect(0).json();
        assert_eq!(account["objects"].as_array().unwrap().len(), 1);
        let by_id = books.run(&["history", "account", ACCOUNT, "--format", "json"]);
        assert_eq!(by_id.expect(0).json()["objects"], account["objects"]);
        books.run(&["history", "account", RESERVATION]).refused(3, "no account with the id");

        books.run(&["history", "reservation", "NOBODY"]).refused(3, "no reservation with the code");
        let early = ["history", "reservation", code, "--as-known-on", "2001-01-01"];
        books.run(&early).refused(3, "was not known at 2001-01-01T23:59:59.999Z");
        server.stop();
    }

    async fn the_first_record_that_was_tampered_with_is_named(estate: Estate) {
        let books = &estate.books;
        let (server, credentials) = estate.guide();
        connect(books, &server.base, &credentials);
        sync(books);
        let verify = ["verify", "--format", "json"];
        let sound = verdict(&books.run(&verify).expect(0));
        let (records, head) = (sound["records"].as_i64().unwrap(), sound["head"].as_str().unwrap());
        pay(&server, &credentials, "10").await;
        sync(books);
        books.run(&["verify", "--head", head]).expect(0);
        let other = "0".repeat(63) + "1";
        let cut = books.run(&["verify", "--head", &other, "--format", "json"]).expect(5);
        let flaw = &verdict(&cut)["broken"]["flaw"];
        assert!(flaw.as_str().unwrap().starts_with("no record here has this head: it is mistyped"), "{cut:?}");
        assert!(cut.stderr.contains("no record here has this head"), "{cut:?}");
        books.run(&["verify", "--head", &"0".repeat(64)]).refused(2, "the head of an empty chain");

        books.meddle("UPDATE evidence SET subject = 'GET /v1/elsewhere' WHERE number = 3");
        let broken = books.run(&verify).expect(5);
        let broken = &verdict(&broken)["broken"];
        assert_eq!((&broken["record"], &broken["flaw"]), (&json!(3), &json!("was changed")));
        assert_eq!((&broken["kind"], &broken["subject"]), (&json!("reply"), &json!("GET /v1/elsewhere")));
        let told = books.run(&["verify"]).expect(5);
        assert!(told.stdout.contains("record 3 was changed"), "{told:?}");
        assert!(told.stderr.contains("not as it was appended"), "{told:?}");

        books.meddle("DELETE FROM evidence WHERE number = 2");
        let missing = verdict(&books.run(&verify).expect(5));
        assert_eq!((&missing["broken"]["record"], &missing["broken"]["flaw"]), (&json!(2), &json!("is missing")));
        assert!(records > 3);
        server.stop();
    }

    async fn a_rebuilt_mirror_is_equal_unless_somebody_changed_the_old_one(estate: Estate) {
        let books = &estate.books;
        let (server, credentials) = estate.portfolio();
        connect(books, &server.base, &credentials);
        sync(books);
        let rebuild = ["rebuild", "--format", "json"];
        let equal = books.run(&rebuild).expect(0).json();
        assert_eq!(equal["equal"], true, "{equal}");
        let rebuilt = &equal["connections"][0];
        assert!(rebuilt["records"].as_i64().unwrap() > 10, "{equal}");
        assert_eq!(rebuilt["before"], rebuilt["after"]);

        books.meddle("UPDATE object SET state = '{}' WHERE kind = 'property'; DELETE FROM object WHERE kind = 'account'");
        let other = books.run(&rebuild).expect(5);
        assert!(other.stderr.contains("other than their evidence says"), "{other:?}");
        let other = &other.json()["connections"][0];
        assert_eq!(other["after"], rebuilt["after"]);
        let mut faults: Vec<_> = other["differences"].as_array().unwrap().iter()
            .map(|one| (one["kind"].as_str().unwrap(), one["fault"].as_str().unwrap()))
            .collect();
        faults.sort_unstable();
        assert_eq!(faults[0], ("account", "missing"));
        assert!(faults[1..].iter().all(|fault| *fault == ("property", "other")), "{faults:?}");
        assert!(faults.len() > 1, "{faults:?}");
        books.run(&rebuild).expect(0);
        server.stop();
    }

    async fn evidence_that_was_tampered_with_is_no_mirrors_blame(estate: Estate) {
        let books = &estate.books;
        let (server, credentials) = estate.portfolio();
        connect(books, &server.base, &credentials);
        sync(books);
        let rebuild = ["rebuild", "--format", "json"];
        books.run(&rebuild).expect(0);
        let history = ["history", "account", "account", "--format", "json"];
        let known = books.run(&history).expect(0).json();

        books.meddle("UPDATE evidence SET body = (SELECT body FROM evidence WHERE number = 10) WHERE number = 11");
        let broken = books.run(&rebuild).expect(5);
        assert!(broken.stderr.contains("the old mirror is kept"), "{broken:?}");
        assert_eq!(broken.json()["equal"], false);
        let why = &broken.json()["connections"][0]["broken"];
        assert!(why.as_str().unwrap().contains("record 11 was changed; nothing was rebuilt"), "{why}");

        // A server that does the work says the same.
        let running = books.serve(&[]);
        let told = books.run(&["rebuild"]).expect(5);
        assert!(told.stdout.contains("record 11 was changed; nothing was rebuilt"), "{told:?}");
        running.stop();
        books.meddle("DELETE FROM evidence WHERE number = 11");
        let missing = books.run(&["rebuild"]).expect(5);
        assert!(missing.stdout.contains("record 11 is missing; nothing was rebuilt"), "{missing:?}");
        assert_eq!(books.run(&history).expect(0).json(), known);
        server.stop();
    }

    async fn a_sync_that_was_killed_goes_on_and_comes_to_the_same(estate: Estate) {
        let (server, credentials) = estate.portfolio();
        let relay = Relay::to(&server.base).await;
        let books = &estate.books;
        connect(books, &relay.base, &credentials);
        for requests in [1, 3, 5, 9, 20, 31] {
            relay.let_through(requests);
            let mut run = start(books, &["sync"]);
            relay.is_stuck().await;
            run.kill().unwrap();
            run.wait().unwrap();
            a_minute_passes(books);
        }
        relay.let_all_through();
        let ended = sync(books);
        assert_eq!(ended["parts"]["reservations"]["read"], 60, "{ended}");

        // As one that nobody disturbed.
        let whole = &Home::on(Engine::Sqlite).await;
        connect(whole, &server.base, &credentials);
        sync(whole);
        let (ended, whole_again) = (sync(books), sync(whole));
        for what in ["new", "changed", "removed", "flagged"] {
            assert_eq!(total(&ended, what), 0, "{what}: {ended}");
        }
        assert_eq!(ended["parts"]["reservations"], whole_again["parts"]["reservations"]);
        assert_eq!(ended["parts"]["taxes"], whole_again["parts"]["taxes"]);
        books.run(&["verify"]).expect(0);
        books.run(&["rebuild"]).expect(0);
        server.stop();
    }

    async fn what_is_not_understood_is_named_with_an_exit_code_of_its_own(estate: Estate) {
        let books = &estate.books;
        let (server, credentials) = estate.guide();
        let relay = Relay::to(&server.base).await;
        connect(books, &relay.base, &credentials);
        relay.write_instead(r#""status":"confirmed""#, r#""status":"teleported""#);
        let why = r#"status is none of the documented values: "teleported""#;

        let told = books.run(&["sync", "--format", "json"]).expect(6);
        assert!(told.stderr.contains("not understood"), "{told:?}");
        let report = told.json();
        assert_eq!((&report["complete"], &report["understood"]), (&json!(true), &json!(false)));
        let flagged = &report["connections"][0]["flagged"];
        assert_eq!(flagged[0]["id"], RESERVATION, "{report}");
        let flags = json!([{"field": "status", "reason": "unknown", "value": "teleported"}]);
        assert_eq!(flagged[0]["flags"], flags);
        let code = flagged[0]["code"].as_str().unwrap();
        let told = books.run(&["sync", "reservations"]).expect(6).stdout;
        let named = format!("not understood: reservation {code}: {why}");
        assert!(told.contains(&named), "{told}");

        let history = ["history", "reservation", code];
        let told = books.run(&history).expect(0).stdout;
        assert!(told.contains(&format!("not understood: {why}")), "{told}");
        let told = books.run(&[&history[..], &["--format", "json"]].concat()).expect(0).json();
        assert_eq!(told["objects"][0]["flags"], flags);
        // What is not read again does not count, nor what is as it should be again.
        books.run(&["sync", "properties"]).expect(0);
        relay.write_instead("teleported", "");
        sync(books);
        let told = books.run(&history).expect(0).stdout;
        assert!(!told.contains("not understood"), "{told}");
        server.stop();
    }

    async fn what_is_not_understood_is_counted_by_the_status_and_listed_page_by_page(estate: Estate) {
        let books = &estate.books;
        let (server, credentials) = estate.portfolio();
        let relay = Relay::to(&server.base).await;
        connect(books, &relay.base, &credentials);
        let flagged = |more: &[&str]| {
            let command = [&["flagged", "--format", "json"], more].concat();
            books.run(&command).expect(0).json()
        };
        assert_eq!(flagged(&[])["counts"], json!({}));
        relay.write_instead(r#""status":"confirmed""#, r#""status":"teleported""#);
        let told = books.run(&["sync", "reservations", "--format", "json"]).expect(6).json();
        let count = told["connections"][0]["parts"]["reservations"]["flagged"].as_u64().unwrap();
        assert!(count > 2, "{told}");

        // With a server and without, from the database.
        let running = books.serve(&["--only", "books", "--sweep-minutes", "1000"]);
        let status = books.run(&["status", "--format", "json"]).expect(4).json();
        assert_eq!(status["flagged"], json!({"reservation": count}));
        let all = flagged(&[]);
        running.stop();
        let status = books.run(&["status"]).expect(4).stdout;
        assert!(status.contains(&format!("reservation {count}: nightaudit flagged lists them")), "{status}");
        assert_eq!(all["counts"], json!({"reservation": count}));
        let objects = all["flagged"].as_array().unwrap();
        assert_eq!((objects.len() as u64, &all["next"]), (count, &Value::Null));
        let flags = json!([{"field": "status", "reason": "unknown", "value": "teleported"}]);
        assert!(objects.iter().all(|one| one["flags"] == flags), "{all}");

        let (mut paged, mut next) = (Vec::new(), None);
        loop {
            let after = next.as_ref().map(|next: &String| ["--after", next.as_str()]);
            let after = after.as_ref().map_or(&[][..], |after| &after[..]);
            let page = flagged(&[&["--limit", "2"], after].concat());
            paged.extend(page["flagged"].as_array().unwrap().clone());
            let Some(place) = page["next"].as_str() else { break };
            next = Some(place.to_owned());
        }
        assert_eq!(&paged, objects);
        let told = books.run(&["flagged", "reservation", "--limit", "1"]).expect(0).stdout;
        let code = objects[0]["code"].as_str().unwrap();
        let why = r#"status is none of the documented values: "teleported""#;
        assert!(told.contains(&format!("not understood: reservation {code}: {why}")), "{told}");
        let place = format!("--after 'reservation/{}'", objects[0]["id"].as_str().unwrap());
        assert!(told.contains("there is more: nightaudit flagged reservation") && told.contains(&place), "{told}");
        assert!(books.run(&["flagged", "property"]).expect(0).stdout.lines().count() == 1);
        server.stop();
    }

    async fn the_server_that_has_the_directory_syncs_and_rebuilds(estate: Estate) {
        let books = &estate.books;
        let (platform, credentials) = estate.guide();
        let relay = Relay::to(&platform.base).await;
        connect(books, &relay.base, &credentials);
        let server = books.serve(&["--only", "books"]);
        assert_eq!(sync(books)["parts"]["reservations"]["read"], 1);
        books.run(&["verify"]).expect(0);
        assert_eq!(books.run(&["rebuild", "--format", "json"]).expect(0).json()["equal"], true);
        books.run(&["history", "reservation", RESERVATION]).expect(0);

        // A server that is told to stop does not wait for a source that does not answer.
        relay.let_through(0);
        let waiting = start(books, &["sync"]);
        relay.is_stuck().await;
        server.stop();
        let told = Ran::from(waiting.wait_with_output().unwrap()).expect(1);
        assert!(told.stderr.contains("the server stops"), "{told:?}");
        relay.let_all_through();
        sync(books);
        platform.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_open_api_is_said_with_an_exit_code_of_its_own() {
    let books = Home::on(Engine::Sqlite).await;
    let page = Router::new().fallback(async || Html("<html><title>Welcome</title></html>"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, page).await });
    let credentials = Credentials {
        id: "0oaTEST".to_owned(),
        secret: "secret".to_owned(),
    };
    books.connect(&base, &credentials, &[]).expect(4);
    let told = books
        .run(&["sync", "properties", "--format", "json"])
        .expect(4);
    assert!(told.stderr.contains("not all could be read"), "{told:?}");
    let report = &told.json()["connections"][0];
    assert_eq!(report["complete"], false);
    let reason = report["problems"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("that of an Open API"), "{reason}");
    let told = books.run(&["sync", "properties"]).expect(4);
    assert!(
        told.stdout.contains("could not be read: properties"),
        "{told:?}"
    );
    books.run(&["verify"]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_sync_and_what_was_read_before_is_kept() {
    let estate = Estate::on(Engine::Sqlite).await;
    let (server, credentials) = estate.portfolio();
    let books = &estate.books;
    connect(books, &server.base, &credentials);
    // No file may grow beyond this: as a disk that is full, it refuses to be written to.
    let size = std::fs::metadata(books.path("nightaudit-data/books.db"))
        .unwrap()
        .len();
    let limit = size / 1024 + 64;
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" sync");
    let sync_once = books.command(&[]);
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).arg(sync_once.get_program());
    shell
        .current_dir(books.path("."))
        .env("NIGHTAUDIT_NO_LIMITS", "true");
    let full = Ran::from(shell.output().unwrap()).expect(1);
    assert!(full.stderr.contains("error:"), "{full:?}");
    a_minute_passes(books);

    books.run(&["verify"]).expect(0);
    assert_eq!(sync(books)["parts"]["reservations"]["read"], 60);
    books.run(&["verify"]).expect(0);
    books.run(&["rebuild"]).expect(0);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_before_anything_is_read() {
    let books = Home::on(Engine::Sqlite).await;
    books
        .run(&["sync", "--from", "2026-02-01", "--to", "2026-01-01"])
        .refused(2, "give the earlier one first");
    for (part, from, says) in [
        (
            "properties",
            "2026-01-01",
            "only reservations and payments have dates",
        ),
        ("payments", "2010-01-01", "more than ten years"),
        ("reservations", "1999-01-01", "nothing before 2000-01-01"),
    ] {
        books
            .run(&["sync", part, "--from", from, "--to", "2026-03-31"])
            .refused(2, says);
    }
    books
        .run(&["sync", "--from", "junk", "--to", "2026-01-01"])
        .refused(2, "give a date as 2026-03-31");
    books
        .run(&["sandbox", "seed", "--listings", "1", "--from", "junk"])
        .refused(2, "give a date as 2026-03-31");
    books
        .run(&["sync", "guests"])
        .refused(2, "there are properties, reservations");
    books
        .run(&["sync", "--from", "2026-02-01"])
        .refused(2, "--to");
    books
        .run(&["history", "reservation"])
        .refused(2, "say which reservation");
    books
        .run(&["flagged", "guest"])
        .refused(2, "there are account, property");
    books
        .run(&["flagged", "--after", "reservation"])
        .refused(2, "give the kind and the id");
    books
        .run(&["history", "guest", "x"])
        .refused(2, "there are account, property");
    books
        .run(&["history", "reservation", "x", "--as-known-on", "soon"])
        .refused(2, "give a date");
    books
        .run(&["verify", "--head", "12"])
        .refused(2, "64 hexadecimal digits");
    books.run(&["verify"]).refused(3, "no books");
    books
        .run(&["history", "reservation", "x"])
        .refused(3, "no books");
    books.run(&["sync"]).refused(3, "no portfolio");
}
