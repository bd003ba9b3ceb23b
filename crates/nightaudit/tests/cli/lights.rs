//! What goes wrong between books and a platform, and what the lights say of it: the platform is the
//! real one, made to misbehave.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use store::testing::{Engine, Fixture};

use crate::support::{Credentials, Home, Server};

const ACCOUNT: &str = "5213a2d206112710005d96ff";
const URL: [&str; 2] = ["--webhook-url", "https://books.example.com"];

/// A platform's home with an account that has listings, and that of books elsewhere.
struct Two {
    there: Home,
    here: Home,
}

impl Two {
    async fn new() -> Self {
        let two = Self {
            there: Home::on(Engine::Sqlite).await,
            here: Home::on(Engine::Sqlite).await,
        };
        let seed = ["sandbox", "seed", "--fixture", "guesty-docs"];
        two.there.run(&seed).expect(0);
        two
    }

    fn app(&self, arguments: &[&str]) -> Credentials {
        let account = ["--account", ACCOUNT];
        self.there.app(&[&account, arguments].concat())
    }

    /// The books connect.
    fn connect(&self, platform: &Server, credentials: &Credentials) -> Value {
        let ran = self.here.connect(&platform.base, credentials, &URL);
        let all_green = ran.code == Some(0);
        let standing = ran.json();
        assert_eq!(colors(&standing) == [true; 3], all_green, "{standing}");
        standing
    }

    /// The books look again.
    fn refresh(&self) -> Value {
        self.here.run(&["refresh", "--format", "json"]).json()
    }
}

fn colors(standing: &Value) -> [bool; 3] {
    ["admin", "oauth", "webhook"].map(|light| standing["lights"][light]["ok"].as_bool().unwrap())
}

#[track_caller]
fn assert_says(standing: &Value, light: &str, says: &str) {
    let light = &standing["lights"][light];
    assert_eq!(light["ok"], false, "{standing}");
    let message = light["message"].as_str().unwrap();
    assert!(message.contains(says), "{standing} does not say {says}");
}

/// The owner of an account does something over the API, in a way that the books have not.
async fn ask(platform: &Server, token: &str, method: Method, path: &str, body: Value) -> Value {
    let client = Client::builder().no_proxy().tls_certs_only([]);
    let url = format!("{}{path}", platform.base);
    let request = client.build().unwrap().request(method, url);
    let reply = request.bearer_auth(token).json(&body).send().await.unwrap();
    let status = reply.status();
    let text = reply.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

#[tokio::test]
async fn a_wrong_client_id_and_a_wrong_secret_leave_the_books_without_a_token() {
    let two = Two::new().await;
    let platform = two.there.serve(&[]);
    let right = two.app(&[]);
    let unknown = Credentials {
        id: "0oaNOBODY".to_owned(),
        ..right.clone()
    };
    let red = two.connect(&platform, &unknown);
    assert_eq!(colors(&red), [false; 3]);
    assert_says(
        &red,
        "oauth",
        "client id or the secret is wrong, or the application was deleted",
    );
    assert_says(&red, "admin", "see OAuth");

    // A client id that has worked is right.
    let other = &["--portfolio", "Other"];
    two.here.run(&["portfolio", "add", "Other"]).expect(0);
    let base = &platform.base;
    two.here
        .connect(base, &right, &[&URL[..], other].concat())
        .expect(0);
    let wrong = Credentials {
        secret: "another-secret".to_owned(),
        ..right.clone()
    };
    let red = two.here.connect(base, &wrong, other).expect(4).json();
    assert_eq!(colors(&red), [false; 3]);
    assert_says(&red, "oauth", "the client secret is wrong or expired");
    let green = two.here.connect(base, &right, other).expect(0).json();
    assert_eq!(colors(&green), [true; 3], "{green}");
    platform.stop();
}

#[tokio::test]
async fn an_application_without_the_scope_is_told_apart() {
    let two = Two::new().await;
    let platform = two.there.serve(&[]);
    let red = two.connect(&platform, &two.app(&["--scopes", "reports"]));
    assert_eq!(colors(&red), [false; 3]);
    assert_says(&red, "oauth", "may not use the Open API");
    platform.stop();
}

#[tokio::test]
async fn a_full_plan_is_green_again_once_an_unused_webhook_is_removed() {
    let two = Two::new().await;
    let platform = two.there.serve(&["--webhooks-max", "1"]);
    let credentials = two.app(&[]);
    let token = platform.token(&credentials).await;
    let unused = json!({"url": "https://example.com/unused", "events": ["listing.new"]});
    let unused = ask(&platform, &token, Method::POST, "/v1/webhooks", unused).await;
    let red = two.connect(&platform, &credentials);
    assert_eq!(colors(&red), [true, true, false], "{red}");
    assert_says(&red, "webhook", "remove an unused one at the source");

    let path = format!("/v1/webhooks/{}", unused["_id"].as_str().unwrap());
    ask(&platform, &token, Method::DELETE, &path, Value::Null).await;
    assert_eq!(colors(&two.refresh()), [true; 3]);
    platform.stop();
}

#[tokio::test]
async fn listings_that_are_not_active_are_told() {
    let two = Two::new().await;
    let platform = two.there.serve(&[]);
    let credentials = two.app(&[]);
    let token = platform.token(&credentials).await;
    let (_, listings) = platform.get("/v1/listings", &token).await;
    let set_active = async |active: bool| {
        for listing in listings["results"].as_array().unwrap() {
            let path = format!("/v1/listings/{}", listing["_id"].as_str().unwrap());
            ask(
                &platform,
                &token,
                Method::PUT,
                &path,
                json!({"active": active}),
            )
            .await;
        }
    };
    set_active(false).await;
    let red = two.connect(&platform, &credentials);
    assert_eq!(colors(&red), [false, true, true], "{red}");
    assert_says(&red, "admin", "mark the listings active");
    set_active(true).await;
    assert_eq!(colors(&two.refresh()), [true; 3]);
    platform.stop();
}

#[tokio::test]
async fn an_application_that_may_see_no_active_listing_is_told() {
    let two = Two::new().await;
    let platform = two.there.serve(&[]);
    let token = platform.token(&two.app(&[])).await;
    let closed = json!({"title": "Closed", "active": false});
    let closed = ask(&platform, &token, Method::POST, "/v1/listings", closed).await;
    let narrow = two.app(&["--listings", closed["_id"].as_str().unwrap()]);
    let red = two.connect(&platform, &narrow);
    assert_eq!(colors(&red), [false, true, false], "{red}");
    assert_says(&red, "admin", "the sight of them");
    assert_says(&red, "webhook", "may not subscribe to webhooks");
    platform.stop();
}

#[tokio::test]
async fn an_address_that_the_platform_does_not_send_to_is_told_with_its_reason() {
    let two = Two::new().await;
    let platform = two.there.serve(&[]);
    let credentials = two.app(&[]);
    for (url, reason) in [
        ("http://books.example.com", "must begin with https://"),
        ("https://192.168.1.10", "private address"),
        ("https://localhost:8443", "private address"),
    ] {
        let address = ["--webhook-url", url];
        let red = two.here.connect(&platform.base, &credentials, &address);
        let red = red.expect(4).json();
        assert_eq!(colors(&red), [true, true, false], "{red}");
        assert_says(&red, "webhook", reason);
        assert_says(&red, "webhook", "give an address that it can reach");
    }
    assert_eq!(colors(&two.connect(&platform, &credentials)), [true; 3]);
    platform.stop();
}

#[tokio::test]
async fn looking_again_and_again_makes_one_webhook_and_takes_one_token() {
    let two = Two::new().await;
    let platform = two.there.serve(&[]);
    let credentials = two.app(&[]);
    two.connect(&platform, &credentials);
    let looks: Vec<_> = (0..4)
        .map(|_| two.here.command(&["refresh"]).spawn().unwrap())
        .collect();
    for look in looks {
        assert!(look.wait_with_output().unwrap().status.success());
    }
    let token = platform.token(&credentials).await;
    let (status, webhooks) = platform.get("/v1/webhooks", &token).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(webhooks.as_array().unwrap().len(), 1, "{webhooks}");
    platform.stop();
}
