//! `nightaudit connect`, `status`, `refresh` and `disconnect`: what is kept and shown of a connection.

use std::fs;

use serde_json::{Value, json};
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::relay::Relay;
use crate::support::{Credentials, Home, Ran, Server, Two};

const ACCOUNT: &str = "5213a2d206112710005d96ff";

/// A platform with an account that has a listing, and an application of it.
fn platform(home: &Home) -> (Server, Credentials) {
    home.run(&["sandbox", "seed", "--fixture", "guesty-docs"])
        .expect(0);
    let credentials = home.app(&["--account", ACCOUNT]);
    let server = home.serve(&["--allow-private-webhooks"]);
    (server, credentials)
}

fn wrong(credentials: &Credentials) -> Credentials {
    Credentials {
        secret: "not-the-secret".to_owned(),
        ..credentials.clone()
    }
}

fn status(home: &Home, code: i32) -> Value {
    home.run(&["status", "--format", "json"])
        .expect(code)
        .json()
}

fn colors(standing: &Value) -> [bool; 3] {
    ["admin", "oauth", "webhook"].map(|light| standing["lights"][light]["ok"].as_bool().unwrap())
}

fn message<'a>(standing: &'a Value, light: &str) -> &'a str {
    standing["lights"][light]["message"].as_str().unwrap()
}

on_both_engines! {
    async fn connecting_shows_three_green_lights_and_status_repeats_them(home: Home) {
        let (server, credentials) = platform(&home);
        // The server has the directory: it connects to itself, over HTTP as to any other.
        let address = ["--webhook-url", &server.base];
        let connected = home.connect(&server.base, &credentials, &address).expect(0).json();
        assert_eq!(colors(&connected), [true; 3], "{connected}");
        let id = connected["connection"].as_str().unwrap();
        assert_eq!(connected["portfolio"], "main");
        assert_eq!(connected["base_url"], server.base);
        assert_eq!(connected["account"], ACCOUNT);
        assert_eq!(connected["webhook_url"], format!("{}/webhooks/guesty/{id}", server.base));
        let webhooks = home.run(&["webhooks", "list", "--format", "json"]).expect(0).json();
        assert_eq!(webhooks[0]["url"], connected["webhook_url"]);

        assert_eq!(status(&home, 0), connected);
        let all = home.run(&["status", "--all", "--format", "json"]).expect(0).json();
        assert_eq!(all, json!([connected]));
        let portfolios = home.run(&["portfolio", "list", "--format", "json"]).expect(0).json();
        assert_eq!(portfolios[0]["name"], "main");
        assert_eq!(portfolios[0]["connections"], json!([id]));
        server.stop();
        // And nobody is asked for it.
        assert_eq!(status(&home, 0), connected);
        let gone = home.run(&["refresh", "--format", "json"]).expect(4).json();
        assert_eq!(gone["lights"]["admin"]["ok"], false, "{gone}");
        // The token that is kept may be good still, and nobody can say.
        assert_eq!(gone["lights"]["oauth"]["ok"], true, "{gone}");
        assert!(message(&gone, "oauth").contains("could not be tried now: see Admin"), "{gone}");
    }

    async fn connecting_reads_the_properties_at_once(two: Two) {
        let Two { there, here } = &two;
        let (platform, credentials) = platform(there);
        let arguments = [
            "connect", "--base-url", &platform.base, "--client-id", &credentials.id,
            "--client-secret-stdin", "--format", "json",
        ];
        let by_itself = here.pipe(&arguments, &credentials.secret).expect(4).json();
        assert_eq!(colors(&by_itself), [true, true, false]);
        let books = here.serve(&["--only", "books"]);
        let by_the_server = here.pipe(&arguments, &credentials.secret).expect(4).json();
        for (connected, new) in [(by_itself, 1), (by_the_server, 0)] {
            let run = &connected["last_sync"];
            assert_eq!(run["parts"], json!(["properties", "taxes"]), "{connected}");
            let (part, counts) = (&run["summary"]["parts"][0][0], &run["summary"]["parts"][0][1]);
            assert_eq!(part, "properties");
            // The account is read too, and is none of them.
            assert_eq!(counts["new"], new, "{connected}");
            assert_eq!(run["summary"]["problems"], json!([]));
        }
        books.stop();
        platform.stop();
    }

    async fn connecting_ends_with_an_exit_code_of_its_own_where_something_is_not_understood(two: Two) {
        let Two { there, here } = &two;
        let (platform, credentials) = platform(there);
        let relay = Relay::to(&platform.base).await;
        relay.write_instead(r#""currency":"USD""#, r#""currency":"QQQ""#);
        let arguments = [
            "connect", "--base-url", &relay.base, "--client-id", &credentials.id,
            "--client-secret-stdin", "--format", "json",
        ];
        let address = ["--webhook-url", "https://books.example.com"];
        let all = [&arguments[..], &address].concat();
        let odd = here.pipe(&all, &credentials.secret).expect(6);
        assert!(odd.stderr.contains("nightaudit flagged lists these"), "{odd:?}");
        assert_eq!(colors(&odd.json()), [true; 3]);
        assert_eq!(odd.json()["flagged"]["property"], 1, "{odd:?}");
        relay.write_instead("QQQ", "USD");
        let well = here.pipe(&arguments, &credentials.secret).expect(0).json();
        assert_eq!(well["flagged"], json!({}));
        platform.stop();
    }

    async fn a_server_of_both_systems_is_ready_and_has_figures_for_both(home: Home) {
        let (server, credentials) = platform(&home);
        let relay = Relay::to(&server.base).await;
        relay.write_instead(r#""status":"confirmed""#, r#""status":"teleported""#);
        let address = ["--webhook-url", &server.base];
        home.connect(&relay.base, &credentials, &address).expect(0);
        home.run(&["sync", "reservations"]).expect(6);

        let (status, ready) = server.get("/readyz", "").await;
        assert_eq!((status.as_u16(), &ready["status"]), (200, &json!("ready")));
        let (status, figures) = server.text("/metrics").await;
        assert_eq!(status, 200, "{figures}");
        for (line, of) in [
            ("nightaudit_requests_total{method=\"GET\",route=\"/readyz\",status=\"200\"} 1", "payments"),
            ("nightaudit_books_connections 1", "books"),
            ("nightaudit_books_lights_red 0", "books"),
            ("nightaudit_books_runs_incomplete 0", "books"),
            ("nightaudit_books_flagged{kind=\"reservation\"} 1", "books"),
        ] {
            assert!(figures.lines().any(|one| one == line), "{of}: {line}: {figures}");
        }
        assert!(figures.contains("nightaudit_books_sync_age_seconds "), "{figures}");
        assert_eq!(figures.match_indices("# EOF").count(), 1);
        assert!(figures.ends_with("# EOF\n"), "{figures}");

        home.meddle("ALTER TABLE portfolio RENAME TO elsewhere");
        for path in ["/readyz", "/metrics"] {
            let (status, said) = server.text(path).await;
            assert_eq!(status, 503, "{path}: {said}");
        }
        assert_eq!(server.get("/healthz", "").await.0, 200);
        home.meddle("ALTER TABLE elsewhere RENAME TO portfolio");
        assert_eq!(server.get("/readyz", "").await.0, 200);
        server.stop();
    }

    async fn disconnecting_removes_the_webhook_and_connecting_again_goes_on(home: Home) {
        let (server, credentials) = platform(&home);
        let address = ["--webhook-url", &server.base];
        let connected = home.connect(&server.base, &credentials, &address).expect(0).json();
        home.run(&["disconnect"]).refused(2, "--yes");
        let ended = home.run(&["disconnect", "--yes", "--format", "json"]).expect(0).json();
        assert_eq!(ended["left"], Value::Null);
        assert_eq!(ended["connected"], false);
        assert_eq!(ended["connection"], connected["connection"]);
        let webhooks = home.run(&["webhooks", "list", "--format", "json"]).expect(0).json();
        assert_eq!(webhooks, json!([]));
        let red = status(&home, 4);
        assert_eq!(colors(&red), [false; 3]);
        assert!(message(&red, "oauth").contains("disconnected"), "{red}");
        home.run(&["refresh"]).refused(3, "no credentials");
        let told = home.run(&["status"]).expect(4).stderr;
        assert!(told.contains("nightaudit connect") && !told.contains("refresh"), "{told}");
        // What is disconnected on purpose is not an alarm.
        home.run(&["status", "--all"]).expect(0);

        // The address of the webhook is known from before.
        let again = home.connect(&server.base, &credentials, &[]).expect(0).json();
        assert_eq!(again["connection"], connected["connection"]);
        assert_eq!(again["webhook_url"], connected["webhook_url"]);
        // Another application of the same account goes on with the same books too.
        let other = home.app(&["--account", ACCOUNT]);
        let again = home.connect(&server.base, &other, &[]).expect(0).json();
        assert_eq!(again["connection"], connected["connection"]);
        assert_eq!(again["client_id"], other.id);
        server.stop();
    }

    async fn a_mistyped_client_id_is_out_of_the_way_once_the_right_one_works(two: Two) {
        let Two { there, here } = &two;
        let (platform, credentials) = platform(there);
        let mistyped = Credentials { id: "0oaNOBODY".to_owned(), ..credentials.clone() };
        let address = ["--webhook-url", "https://books.example.com"];
        let red = here.connect(&platform.base, &mistyped, &address).expect(4).json();
        let elsewhere = here.connect("http://127.0.0.1:1", &mistyped, &[]).expect(4).json();
        let again = here.connect(&platform.base, &credentials, &address).expect(0);
        let id = red["connection"].as_str().unwrap();
        let told = format!("removed the credentials of connection {id} (client id 0oaNOBODY)");
        assert!(again.stderr.contains(&told), "{again:?}");
        let all = here.run(&["status", "--all", "--format", "json"]).json();
        // What is elsewhere may work there.
        assert_eq!(all.as_array().unwrap().len(), 2, "{all}");
        let elsewhere = elsewhere["connection"].as_str().unwrap();
        here.run(&["disconnect", "--yes", "--connection", elsewhere]).expect(0);
        assert_eq!(status(here, 0), again.json());
        here.run(&["sync", "properties", "--no-limits"]).expect(0);

        // A server does the same.
        let books = here.serve(&["--only", "books"]);
        let red = here.connect(&platform.base, &mistyped, &[]).expect(4).json();
        assert_ne!(red["connection"], id);
        let again = here.connect(&platform.base, &credentials, &[]).expect(0);
        assert!(again.stderr.contains("which never worked"), "{again:?}");
        assert_eq!(status(here, 0), again.json());
        books.stop();
        platform.stop();
    }

    async fn the_secrets_of_the_books_move_to_a_new_key_with_the_others(two: Two) {
        let Two { there, here } = &two;
        let (platform, credentials) = platform(there);
        let address = ["--webhook-url", "https://books.example.com"];
        here.connect(&platform.base, &credentials, &address).expect(0);
        let rotated = here.run(&["key", "rotate"]).expect(0);
        // The client's secret, the token, the webhook's secret, and the key of the evidence.
        assert!(rotated.stdout.contains("4 secrets sealed anew"), "{}", rotated.stdout);
        let path = here.path("nightaudit-data/key");
        let keys = fs::read_to_string(&path).unwrap();
        fs::write(&path, keys.lines().next().unwrap()).unwrap();

        here.run(&["refresh"]).expect(0);
        // A rotation that was interrupted has put its key there, and no more.
        let former = fs::read_to_string(&path).unwrap();
        let next = format!("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n{former}");
        fs::write(&path, &next).unwrap();
        let ended = here.run(&["key", "reseal"]).expect(0);
        assert!(ended.stdout.contains("4 secrets sealed anew"), "{}", ended.stdout);
        fs::write(&path, next.lines().next().unwrap()).unwrap();
        here.run(&["refresh"]).expect(0);
        here.run(&["disconnect", "--yes"]).expect(0);
        let again = here.run(&["key", "reseal"]).expect(0);
        assert!(again.stdout.contains("already"), "{}", again.stdout);
        platform.stop();
    }
}

#[tokio::test]
async fn books_of_their_own_directory_connect_to_a_server_elsewhere() {
    let Two { there, here } = Two::on(Engine::Sqlite).await;
    let (platform, credentials) = platform(&there);
    let books = here.serve(&["--only", "books"]);
    let address = ["--webhook-url", &books.base];
    let connected = here
        .connect(&platform.base, &credentials, &address)
        .expect(0);
    let connected = connected.json();
    assert_eq!(colors(&connected), [true; 3], "{connected}");
    books.stop();

    // And while no server of theirs runs, the command does it itself.
    here.run(&["portfolio", "add", "Ours"]).expect(0);
    here.connect(&platform.base, &credentials, &["--portfolio", "Ours"])
        .expect(4);
    assert!(here.path("nightaudit-data/books.db").exists());
    assert!(!here.path("nightaudit-data/payments.db").exists());
    platform.stop();
}

#[tokio::test]
async fn which_connection_is_meant_must_be_said_where_there_are_several() {
    let home = Home::on(Engine::Sqlite).await;
    let (server, credentials) = platform(&home);
    home.connect(&server.base, &credentials, &[]).expect(4);
    home.run(&["portfolio", "add", "Beach"]).expect(0);
    home.run(&["portfolio", "add", "Beach"])
        .refused(3, "already");
    home.run(&["status"])
        .refused(3, "there are \"Beach\", \"main\"");
    home.run(&["status", "--portfolio", "Lake"])
        .refused(3, "no portfolio called \"Lake\"");
    home.run(&["status", "--portfolio", "Beach"])
        .refused(3, "no connection yet");
    home.connect(&server.base, &credentials, &[])
        .refused(3, "--portfolio");

    // A second account's, in the same portfolio.
    let seeded = home.run(&[
        "sandbox",
        "seed",
        "--listings",
        "1",
        "--reservations",
        "1",
        "--format",
        "json",
    ]);
    let seeded = seeded.expect(0).json();
    let other = home.app(&["--account", seeded["account"].as_str().unwrap()]);
    let main = ["--portfolio", "main"];
    let second = home.connect(&server.base, &other, &main).expect(4).json();
    let asked = home.run(&["status", "--portfolio", "main"]).expect(3);
    for client in [&credentials, &other] {
        assert!(asked.stderr.contains(&client.id), "{asked:?}");
    }
    let id = second["connection"].as_str().unwrap();
    let named = home.run(&["status", "--connection", id, "--format", "json"]);
    assert_eq!(named.expect(4).json(), second);
    home.run(&["status", "--connection", id, "--portfolio", "Beach"])
        .refused(3, "does not belong");
    // When one of two is disconnected, the other is meant.
    home.run(&["disconnect", "--yes", "--connection", id])
        .expect(0);
    let shown = home.run(&["status", "--portfolio", "main", "--format", "json"]);
    assert_eq!(shown.expect(4).json()["client_id"], credentials.id);
    server.stop();
}

#[tokio::test]
async fn disconnecting_without_the_source_says_what_is_left_there() {
    let Two { there, here } = Two::on(Engine::Sqlite).await;
    let (platform, credentials) = platform(&there);
    let address = ["--webhook-url", "https://books.example.com"];
    here.connect(&platform.base, &credentials, &address)
        .expect(0);
    platform.stop();
    let ended = here.run(&["disconnect", "--yes"]).expect(4);
    let removed = "removed: its client secret and its token here; not its webhook";
    assert!(ended.stdout.contains(removed), "{ended:?}");
    assert!(
        ended.stderr.contains("remove it there by hand"),
        "{ended:?}"
    );
    let webhook = status(&here, 4)["webhook_url"].clone();
    let again = here.run(&["disconnect", "--yes", "--format", "json"]);
    let again = again.expect(4).json();
    let left = again["left"].as_str().unwrap();
    assert!(left.contains(webhook.as_str().unwrap()), "{left}");
}

#[tokio::test]
async fn a_wrong_secret_turns_the_light_red_until_it_is_repaired() {
    let home = Home::on(Engine::Sqlite).await;
    let (server, credentials) = platform(&home);
    let wrong = wrong(&credentials);
    let address = ["--webhook-url", &server.base];
    let connected = home.connect(&server.base, &wrong, &address).expect(4);
    assert!(connected.stderr.contains("OAuth"), "{connected:?}");
    let red = connected.json();
    assert_eq!(colors(&red), [false; 3]);
    assert!(message(&red, "oauth").contains("secret"), "{red}");
    let repaired = home
        .connect(&server.base, &credentials, &[])
        .expect(0)
        .json();
    assert_eq!(repaired["connection"], red["connection"]);
    assert_eq!(colors(&repaired), [true; 3], "{repaired}");
    server.stop();
}

#[tokio::test]
async fn what_was_mended_shows_after_a_refresh() {
    let Two { there, here } = Two::on(Engine::Sqlite).await;
    let (platform, credentials) = platform(&there);
    let red = here
        .connect(&platform.base, &credentials, &[])
        .expect(4)
        .json();
    assert_eq!(colors(&red), [true, true, false]);
    assert!(message(&red, "webhook").contains("webhook url"), "{red}");

    let file = "public_url = \"https://books.example.com/\"";
    fs::write(here.path("books.toml"), file).unwrap();
    let refresh = ["refresh", "--config", "books.toml", "--format", "json"];
    let green = here.run(&refresh).expect(0).json();
    let id = green["connection"].as_str().unwrap();
    let url = format!("https://books.example.com/webhooks/guesty/{id}");
    assert_eq!(green["webhook_url"], url);
    platform.stop();
}

#[tokio::test]
async fn a_server_moves_the_webhooks_to_where_it_is_reached() {
    let Two { there, here } = Two::on(Engine::Sqlite).await;
    let (platform, credentials) = platform(&there);
    here.connect(&platform.base, &credentials, &[]).expect(4);
    let books = here.serve(&["--only", "books", "--public-url", "https://moved.example"]);
    let green = loop {
        let now = here.run(&["status", "--format", "json"]).json();
        if now["lights"]["webhook"]["ok"] == true {
            break now;
        }
    };
    assert_eq!(colors(&green), [true; 3], "{green}");
    let url = green["webhook_url"].as_str().unwrap();
    assert!(url.starts_with("https://moved.example/"), "{url}");
    books.stop();
    platform.stop();
}

#[tokio::test]
async fn a_server_takes_signed_webhooks_and_nobody_elses() {
    let Two { there, here } = Two::on(Engine::Sqlite).await;
    let (platform, credentials) = platform(&there);
    let books = here.serve(&["--only", "books"]);
    let address = ["--webhook-url", &books.base];
    let connected = here.connect(&platform.base, &credentials, &address);
    let connected = connected.expect(0).json();
    let path = format!(
        "/webhooks/guesty/{}",
        connected["connection"].as_str().unwrap()
    );
    let (status, _) = books
        .post(&path, "", &json!({"event": "reservation.updated"}))
        .await;
    assert_eq!(status, 400, "without a signature");

    let token = platform.token(&credentials).await;
    let payment = json!({
        "paymentMethod": {"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"}, "amount": 500,
    });
    let pay = "/v1/reservations/64da254383ad1500284bd0c0/payments";
    assert_eq!(platform.post(pay, &token, &payment).await.0, 201);
    let list = ["webhooks", "list", "--format", "json"];
    let webhooks = there.run(&list).expect(0).json();
    let webhook = webhooks[0]["_id"].as_str().unwrap();
    let attempt = loop {
        let attempts = there.run(&["webhooks", "attempts", webhook, "--format", "json"]);
        let attempts = attempts.expect(0).json();
        if let Some(first) = attempts.as_array().unwrap().first() {
            break first.clone();
        }
    };
    assert_eq!(attempt["statusCode"], 204, "{attempt}");
    // What they tell of is read by itself.
    let history = ["history", "reservation", "64da254383ad1500284bd0c0"];
    let known = loop {
        let ran = here.run(&history);
        if ran.code == Some(0) {
            break ran.stdout;
        }
    };
    assert!(known.contains("500.00"), "{known}");
    books.stop();
    platform.stop();
}

#[tokio::test]
async fn a_server_of_books_alone_says_whether_it_is_ready() {
    let home = Home::on(Engine::Sqlite).await;
    let books = home.serve(&["--only", "books"]);
    for (path, says) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let (status, said) = books.get(path, "").await;
        assert_eq!((status.as_u16(), &said["status"]), (200, &json!(says)));
    }
    let (status, figures) = books.text("/metrics").await;
    assert_eq!(status, 200, "{figures}");
    assert!(
        figures.contains("nightaudit_books_connections 0\n"),
        "{figures}"
    );
    let log = books.log();
    assert!(log.contains("answered") && log.contains("/readyz"), "{log}");
    let (status, _) = books
        .post(
            "/control/books/portfolios",
            "guessed",
            &json!({"name": "x"}),
        )
        .await;
    assert_eq!(status, 401);
    books.stop();
}

#[tokio::test]
async fn a_key_that_is_not_that_of_the_books_is_refused_at_the_start() {
    let Two { there, here } = Two::on(Engine::Sqlite).await;
    let (platform, credentials) = platform(&there);
    here.connect(&platform.base, &credentials, &[]).expect(4);
    fs::remove_file(here.path("nightaudit-data/key")).unwrap();
    let serve = ["serve", "--only", "books", "--listen", "127.0.0.1:0"];
    for command in [&serve[..], &["refresh"], &["key", "rotate"]] {
        here.run(command).refused(1, "--key-file or NIGHTAUDIT_KEY");
    }
    platform.stop();
}

#[tokio::test]
async fn no_secret_of_the_books_is_seen_anywhere() {
    let home = Home::on(Engine::Sqlite).await;
    home.run(&["sandbox", "seed", "--fixture", "guesty-docs"])
        .expect(0);
    let credentials = home.app(&["--account", ACCOUNT]);
    let server = home.serve(&["--allow-private-webhooks", "--log", "trace"]);
    let loud = ["--webhook-url", &server.base, "--log", "trace"];
    let right = home.connect(&server.base, &credentials, &loud).expect(0);
    let wrong = wrong(&credentials);
    let red = home.connect(&server.base, &wrong, &["--log", "trace"]);
    let told = format!("{right:?}{red:?}{}", server.log());
    for secret in [&credentials.secret, &wrong.secret] {
        assert!(!told.contains(secret), "{told}");
    }
    server.stop();
    // Here, too, where the command does it itself.
    let here = home.connect("http://127.0.0.1:1", &wrong, &["--log", "trace"]);
    assert!(!format!("{here:?}").contains(&wrong.secret), "{here:?}");
}

#[tokio::test]
async fn the_public_url_of_a_flag_wins_over_the_environment_and_that_over_the_file() {
    let home = Home::on(Engine::Sqlite).await;
    let (platform, credentials) = platform(&home);
    let file = "public_url = \"https://file.example\"\ndata = \"books\"\n";
    fs::write(home.path("books.toml"), file).unwrap();
    home.connect(&platform.base, &credentials, &["--config", "books.toml"])
        .expect(0);
    let place = ["--config", "books.toml"];
    let host = |ran: Ran| {
        let url = ran.expect(0).json()["webhook_url"]
            .as_str()
            .unwrap()
            .to_owned();
        url.split('/').nth(2).unwrap().to_owned()
    };
    let refresh = [&["refresh", "--format", "json"], &place[..]].concat();
    assert_eq!(host(home.run(&refresh)), "file.example");

    let variable = ("NIGHTAUDIT_PUBLIC_URL", "https://variable.example");
    let mut command = home.command(&refresh);
    command.env(variable.0, variable.1);
    assert_eq!(
        host(Ran::from(command.output().unwrap())),
        "variable.example"
    );

    let serve = ["serve", "--listen", "127.0.0.1:0", "--only", "books"];
    let flag = ["--public-url", "https://flag.example"];
    let mut command = home.command(&[&serve[..], &place, &flag].concat());
    command.env(variable.0, variable.1);
    let books = home.start(command);
    assert_eq!(host(home.run(&refresh)), "flag.example");
    books.stop();
    home.run(&["serve", "--public-url", "nowhere"])
        .refused(2, "--public-url");
    platform.stop();
}

#[tokio::test]
async fn a_command_of_the_other_system_says_what_the_server_serves() {
    let home = Home::on(Engine::Sqlite).await;
    let credentials = home.app(&[]);
    let books = home.serve(&["--only", "books"]);
    assert!(home.path("nightaudit-data/books.db").exists());
    home.run(&["app", "create", "--name", "x"])
        .refused(3, "serves books only");
    let (status, said) = books.get("/v1/accounts/me", "x").await;
    assert_eq!(status, 404);
    assert!(said.as_str().unwrap().contains("books only"), "{said}");
    books.stop();
    let payments = home.serve(&["--only", "payments"]);
    home.connect(&payments.base, &credentials, &[])
        .refused(3, "serves payments only");
    let (status, _) = payments.post("/webhooks/guesty/x", "", &json!({})).await;
    assert_eq!(status, 404);
    payments.stop();
    // A flag wins over the environment, and that over the file.
    fs::write(home.path("nightaudit.toml"), "only = \"books\"").unwrap();
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--config",
        "nightaudit.toml",
    ];
    for (variable, flag, only) in [
        (None, None, "books"),
        (Some("payments"), None, "payments"),
        (Some("payments"), Some("books"), "books"),
    ] {
        let mut command = home.command(&serve);
        command.envs(variable.map(|only| ("NIGHTAUDIT_ONLY", only)));
        command.args(flag.map(|only| format!("--only={only}")));
        let server = home.start(command);
        let control = fs::read_to_string(home.path("nightaudit-data/control.json")).unwrap();
        let control: Value = serde_json::from_str(&control).unwrap();
        assert_eq!(control["only"], only);
        server.stop();
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_told_before_anything_is_made() {
    let home = Home::on(Engine::Sqlite).await;
    let connect = ["connect", "--client-id", "x"];
    let stdin = "--client-secret-stdin";
    let cases: [(&[&str], &str, &str); 5] = [
        (&[], "s", stdin),
        (&[stdin], " \n", "no client secret on stdin"),
        (
            &[stdin, "--base-url", "http://elsewhere.example"],
            "s",
            "the network can be trusted with --trust-network",
        ),
        (
            &[stdin, "--base-url", "localhost:8080"],
            "s",
            "http:// is missing",
        ),
        (&[stdin, "--webhook-url", "nowhere"], "s", "--webhook-url"),
    ];
    for (more, stdin, says) in cases {
        home.pipe(&[&connect, more].concat(), stdin)
            .refused(2, says);
    }
    home.run(&["portfolio", "list"]).refused(3, "no books");
    home.run(&["status"]).refused(3, "no books");
    assert!(!home.path("nightaudit-data").exists());
    home.run(&["refresh"]).refused(3, "no portfolio");
    home.run(&["disconnect", "--yes"])
        .refused(3, "no portfolio");
}
