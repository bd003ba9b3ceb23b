//! Tokens: who gets one, who gets none and why, and what one opens.

use axum::body::Body;
use axum::http::{Request, header};
use chrono::Duration;
use contract::id::AccountId;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use payments::{Credentials, NewApplication, Settings, SetupError};
use serde_json::{Value, json};
use store::testing::{Engine, Fixture};
use store::{Clock, on_both_engines};

use crate::support::{Reply, TestApp};

/// A platform with one account and one application, and nobody signed in.
struct Issuer {
    app: TestApp,
    account: AccountId,
    credentials: Credentials,
}

impl Fixture for Issuer {
    async fn on(engine: Engine) -> Self {
        let app = TestApp::on(engine).await;
        let account = app.new_account().await;
        let new = NewApplication::named(account, "Books");
        let credentials = app.platform.create_application(new).await.unwrap();
        Self {
            app,
            account,
            credentials,
        }
    }
}

impl Issuer {
    async fn form(&self, form: &str) -> Reply {
        self.app.post_form("/oauth2/token", form).await
    }

    async fn json(&self, body: &Value) -> Reply {
        self.app.post("/oauth2/token", body).await
    }

    /// A form with Basic authentication of exactly these bytes before their base64.
    async fn basic(&self, user_and_password: &str, form: &str) -> Reply {
        let encoded = BASE64.encode(user_and_password.as_bytes());
        self.authorized(&format!("Basic {encoded}"), form).await
    }

    async fn authorized(&self, authorization: &str, form: &str) -> Reply {
        let request = Request::post("/oauth2/token")
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.app.request(request).await
    }

    async fn ask(&self) -> Reply {
        self.app.ask_token(&self.credentials).await
    }

    async fn token(&self) -> String {
        access_token(&self.ask().await.expect(200))
    }
}

fn access_token(reply: &Value) -> String {
    reply["access_token"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_refused(reply: &Reply, status: u16, error: &str) {
    let body = reply.expect(status);
    assert_eq!(body["error"], error, "{body}");
    assert!(!body["error_description"].as_str().unwrap().is_empty());
    assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
}

/// A route that needs a token; which one does not matter here.
async fn status_with(app: &TestApp, token: &str) -> (u16, Value) {
    let reply = app.with_token(token).get("/v1/accounts/me").await;
    (reply.status.as_u16(), reply.json())
}

on_both_engines! {
    async fn a_client_gets_a_token_in_the_documented_form(issuer: Issuer) {
        let reply = issuer.ask().await;
        let body = reply.expect(200);
        let keys: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["token_type", "expires_in", "access_token", "scope"]);
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], json!(86_400));
        assert_eq!(body["scope"], "open-api");
        assert_eq!(reply.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(reply.headers[header::CONTENT_TYPE], "application/json");

        let token = access_token(&body);
        let claims = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        let now = issuer.app.clock.now().seconds();
        assert_eq!(claims["accountId"], issuer.account.to_string());
        assert_eq!(claims["cid"], issuer.credentials.client_id);
        assert_eq!(claims["sub"], issuer.credentials.client_id);
        assert_eq!(claims["scp"], json!(["open-api"]));
        assert_eq!(claims["iat"], json!(now));
        assert_eq!(claims["exp"], json!(now + 86_400));
        assert_eq!(status_with(&issuer.app, &token).await.0, 200);
    }

    async fn a_form_may_have_any_order_unknown_keys_and_no_scope(issuer: Issuer) {
        let Credentials { client_id, client_secret } = &issuer.credentials;
        for form in [
            format!("client_secret={client_secret}&client_id={client_id}&grant_type=client_credentials"),
            format!("scope=&client_id={client_id}&audience=x&grant_type=client_credentials&client_secret={client_secret}"),
            format!("client_id={client_id}&scope=open-api+open-api&client_secret={client_secret}&grant_type=client%5Fcredentials"),
        ] {
            let body = issuer.form(&form).await.expect(200);
            assert_eq!(body["scope"], "open-api");
        }
    }

    async fn the_json_body_of_the_quick_start_is_taken_too(issuer: Issuer) {
        let Credentials { client_id, client_secret } = &issuer.credentials;
        issuer.json(&json!({"clientId": client_id, "clientSecret": client_secret})).await.expect(200);
        issuer.json(&json!({
            "grant_type": "client_credentials", "client_id": client_id,
            "client_secret": client_secret, "scope": "open-api",
        })).await.expect(200);
        for body in [json!([]), json!("x"), json!({"clientId": 1})] {
            assert_refused(&issuer.json(&body).await, 400, "invalid_request");
        }
    }

    async fn basic_authentication_is_taken_encoded_or_not(issuer: Issuer) {
        let Credentials { client_id, client_secret } = &issuer.credentials;
        let grant = "grant_type=client_credentials";
        let plain = format!("{client_id}:{client_secret}");
        issuer.basic(&plain, grant).await.expect(200);
        issuer.basic(&plain, &format!("{grant}&client_id={client_id}")).await.expect(200);
        let encode = |text: &str| text.bytes().fold(String::new(), |all, b| format!("{all}%{b:02x}"));
        let encoded = format!("{}:{}", encode(client_id), encode(client_secret));
        issuer.basic(&encoded, grant).await.expect(200);
        let lower = format!("basic {}", BASE64.encode(plain.as_bytes()));
        issuer.authorized(&lower, grant).await.expect(200);
    }

    async fn credentials_in_two_places_are_refused(issuer: Issuer) {
        let Credentials { client_id, client_secret } = &issuer.credentials;
        let basic = format!("{client_id}:{client_secret}");
        for form in [
            format!("grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}"),
            format!("grant_type=client_credentials&client_secret={client_secret}"),
            "grant_type=client_credentials&client_id=0oaSomebodyElse".to_owned(),
        ] {
            assert_refused(&issuer.basic(&basic, &form).await, 400, "invalid_request");
        }
    }

    async fn wrong_credentials_are_told_to_authenticate(issuer: Issuer) {
        let Credentials { client_id, client_secret } = &issuer.credentials;
        let grant = "grant_type=client_credentials";
        let mut wrong_secret = client_secret.clone();
        let last = wrong_secret.pop().unwrap();
        wrong_secret.push(if last == 'A' { 'E' } else { 'A' });

        for form in [
            grant.to_owned(),
            format!("{grant}&client_id={client_id}"),
            format!("{grant}&client_id={client_id}&client_secret="),
            format!("{grant}&client_id={client_id}&client_secret={wrong_secret}"),
            format!("{grant}&client_id={client_id}&client_secret={client_secret}%20"),
            format!("{grant}&client_id=0oaNobodyKnowsMe0000&client_secret={client_secret}"),
            format!("{grant}&client_id={client_id}%00&client_secret={client_secret}"),
            format!("{grant}&client_id={}&client_secret=x", "a".repeat(100_000)),
            format!("{grant}&client_id=%ff%fe&client_secret=x"),
        ] {
            assert_refused(&issuer.form(&form).await, 401, "invalid_client");
        }
        let unreadable = BASE64.encode(b"no colon");
        for authorization in [
            format!("Basic {}", BASE64.encode(format!("{client_id}:{wrong_secret}").as_bytes())),
            format!("Basic {unreadable}"),
            "Basic ***".to_owned(),
            "Basic".to_owned(),
            "Basic Og==".to_owned(),
        ] {
            let reply = issuer.authorized(&authorization, grant).await;
            assert_refused(&reply, 401, "invalid_client");
            assert_eq!(reply.headers[header::WWW_AUTHENTICATE], "Basic realm=\"nightaudit\"");
        }
        // None of them counts against the quota.
        issuer.ask().await.expect(200);
    }

    async fn requests_of_another_form_are_refused_by_name(issuer: Issuer) {
        let Credentials { client_id, client_secret } = &issuer.credentials;
        let who = format!("client_id={client_id}&client_secret={client_secret}");
        let grant = "grant_type=client_credentials";
        for (form, error) in [
            (String::new(), "invalid_request"),
            (who.clone(), "invalid_request"),
            (format!("{who}&grant_type="), "invalid_request"),
            (format!("{who}&{grant}&{grant}"), "invalid_request"),
            (format!("{who}&{grant}&client_secret={client_secret}"), "invalid_request"),
            (format!("{who}&grant_type=password"), "unsupported_grant_type"),
            (format!("{who}&grant_type=CLIENT_CREDENTIALS"), "unsupported_grant_type"),
            (format!("{who}&{grant}&scope=admin"), "invalid_scope"),
            (format!("{who}&{grant}&scope=open-api+admin"), "invalid_scope"),
            (format!("{who}&{grant}&scope=%00"), "invalid_scope"),
            (format!("{who}&{grant}&x={}", "y".repeat(2 * 1024 * 1024)), "invalid_request"),
        ] {
            let reply = issuer.form(&form).await;
            assert_refused(&reply, 400, error);
            assert!(!reply.text.contains(client_secret.as_str()));
        }
        let xml = Request::post("/oauth2/token")
            .header(header::CONTENT_TYPE, "text/xml")
            .body(Body::from("<x/>"))
            .unwrap();
        assert_refused(&issuer.app.request(xml).await, 400, "invalid_request");
    }

    async fn the_sixth_token_of_24_hours_is_refused_until_the_first_is_that_old(issuer: Issuer) {
        let clock = &issuer.app.clock;
        issuer.ask().await.expect(200);
        clock.advance(Duration::milliseconds(3_600_500));
        for _ in 0..4 {
            issuer.ask().await.expect(200);
        }
        let reply = issuer.ask().await;
        assert_refused(&reply, 429, "too_many_requests");
        // 24 h − 1 h − 0.5 s = 82,799.5 s, rounded up.
        assert_eq!(reply.headers[header::RETRY_AFTER], "82800");

        clock.advance(Duration::milliseconds(82_799_499));
        let reply = issuer.ask().await;
        assert_eq!(reply.headers[header::RETRY_AFTER], "1");
        clock.advance(Duration::milliseconds(1));
        issuer.ask().await.expect(200);
        assert_refused(&issuer.ask().await, 429, "too_many_requests");

        clock.advance(Duration::hours(24));
        for _ in 0..5 {
            issuer.ask().await.expect(200);
        }
        assert_eq!(issuer.ask().await.status, 429);
    }

    async fn each_application_has_a_quota_of_its_own(issuer: Issuer) {
        for _ in 0..5 {
            issuer.ask().await.expect(200);
        }
        assert_eq!(issuer.ask().await.status, 429);
        let new = NewApplication::named(issuer.account, "Another");
        let other = issuer.app.platform.create_application(new).await.unwrap();
        issuer.app.ask_token(&other).await.expect(200);
    }

    async fn sixteen_requests_at_once_get_exactly_five_tokens(issuer: Issuer) {
        let issuer = std::sync::Arc::new(issuer);
        let asking: Vec<_> = (0..16)
            .map(|_| {
                let issuer = std::sync::Arc::clone(&issuer);
                tokio::spawn(async move { issuer.ask().await.status.as_u16() })
            })
            .collect();
        let mut statuses = Vec::new();
        for one in asking {
            statuses.push(one.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [[200; 5].as_slice(), &[429; 11]].concat());
    }

    async fn a_token_is_good_for_24_hours_and_then_forbidden(issuer: Issuer) {
        let token = issuer.token().await;
        issuer.app.clock.advance(Duration::milliseconds(86_399_999));
        assert_eq!(status_with(&issuer.app, &token).await.0, 200);
        issuer.app.clock.advance(Duration::milliseconds(1));
        let (status, body) = status_with(&issuer.app, &token).await;
        assert_eq!(status, 403);
        let gateway = "You don't have permission to access, please contact Guesty support.";
        assert_eq!(body, json!({"message": gateway}));
    }

    async fn nobody_comes_in_without_a_token_of_ours(issuer: Issuer) {
        let token = issuer.token().await;
        let unauthorized = json!({"error": {"code": "UNAUTHORIZED", "message": "Unauthorized"}});
        let reply = issuer.app.get("/v1/accounts/me").await;
        assert_eq!(reply.expect(401), unauthorized);
        for authorization in ["Bearer", "Bearer ", "Basic abc", token.as_str()] {
            let request = Request::get("/v1/accounts/me")
                .header(header::AUTHORIZATION, authorization)
                .body(Body::empty())
                .unwrap();
            assert_eq!(issuer.app.request(request).await.expect(401), unauthorized);
        }
        let elsewhere = TestApp::on(Engine::Sqlite).await.signed_in().await;
        for tampered in tampered(&token) {
            let answer = status_with(&issuer.app, &tampered).await;
            assert_eq!(answer, (401, unauthorized.clone()), "{tampered}");
        }
        assert_eq!(status_with(&elsewhere, &token).await, (401, unauthorized));
    }

    async fn a_token_opens_v1_only_with_the_scope_for_it(app: TestApp) {
        let account = app.new_account().await;
        let new = NewApplication {
            scopes: vec!["open-api".to_owned(), "reports".to_owned()],
            ..NewApplication::named(account, "Two scopes")
        };
        let Credentials { client_id, client_secret } =
            app.platform.create_application(new).await.unwrap();
        let form = format!(
            "grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}"
        );
        let all = app.post_form("/oauth2/token", &form).await.expect(200);
        assert_eq!(all["scope"], "open-api reports");
        assert_eq!(status_with(&app, &access_token(&all)).await.0, 200);

        let narrow = app.post_form("/oauth2/token", &format!("{form}&scope=reports")).await;
        let narrow = narrow.expect(200);
        assert_eq!(narrow["scope"], "reports");
        let (status, body) = status_with(&app, &access_token(&narrow)).await;
        assert_eq!(status, 403);
        assert!(body["message"].is_string(), "{body}");
    }

    async fn an_application_that_makes_no_sense_is_refused(issuer: Issuer) {
        let platform = &issuer.app.platform;
        let sound = NewApplication::named(issuer.account, "Sound");
        let nobody: AccountId = "64da2084867c12ee0c2ca47f".parse().unwrap();
        let listing = "64da223eb3de7a002a462fcc".parse().unwrap();
        for (new, refusal) in [
            (
                NewApplication { account: nobody, ..sound.clone() },
                SetupError::AccountNotFound(nobody),
            ),
            (
                NewApplication { listings: Some([listing].into()), ..sound.clone() },
                SetupError::UnknownListing(listing),
            ),
            (NewApplication { name: " ".to_owned(), ..sound.clone() }, SetupError::InvalidName),
            (NewApplication { name: "a\0b".to_owned(), ..sound.clone() }, SetupError::InvalidName),
            (NewApplication { scopes: vec![], ..sound.clone() }, SetupError::NoScope),
            (
                NewApplication { scopes: vec!["a b".to_owned()], ..sound.clone() },
                SetupError::InvalidScope("a b".to_owned()),
            ),
        ] {
            let told = platform.create_application(new).await.unwrap_err();
            assert_eq!(told.to_string(), refusal.to_string());
        }
    }
}

/// The token with one character changed, anywhere; with a part left out; without a signature.
fn tampered(token: &str) -> Vec<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts[..] else {
        panic!("{token}")
    };
    let unsigned = BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
    let mut all = vec![
        format!("{head}.{claims}"),
        format!("{head}.{claims}."),
        format!("{unsigned}.{claims}."),
        format!("{unsigned}.{claims}.{signature}"),
        format!("{head}.{signature}"),
        format!("{token}.x"),
        token.to_uppercase(),
    ];
    // The signature's last character carries unused bits; change others.
    for at in (0..token.len() - 1).step_by(7) {
        let mut bytes = token.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        all.push(String::from_utf8(bytes).unwrap());
    }
    all
}

#[tokio::test]
async fn the_quota_is_a_setting() {
    let settings = Settings {
        tokens_per_day: 2.try_into().unwrap(),
        ..Settings::default()
    };
    let app = TestApp::with(Engine::Sqlite, settings).await;
    let account = app.new_account().await;
    let new = NewApplication::named(account, "Two a day");
    let credentials = app.platform.create_application(new).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(app.ask_token(&credentials).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429]);
}

#[tokio::test]
async fn client_ids_look_like_the_documented_ones_and_secrets_have_256_bits() {
    let app = TestApp::on(Engine::Sqlite).await;
    let account = app.new_account().await;
    let new = NewApplication::named(account, "Ids");
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let made = app.platform.create_application(new.clone()).await.unwrap();
        assert_eq!(made.client_id.len(), 20);
        assert!(made.client_id.starts_with("0oa"));
        assert!(made.client_id.bytes().all(|b| b.is_ascii_alphanumeric()));
        let secret = BASE64URL_NOPAD
            .decode(made.client_secret.as_bytes())
            .unwrap();
        assert_eq!(secret.len(), 32);
        assert!(!format!("{made:?}").contains(&made.client_secret));
        assert!(seen.insert(made.client_id) && seen.insert(made.client_secret));
    }
}

/// Everything is logged, into memory, on this thread.
#[tokio::test]
async fn no_secret_and_no_token_reaches_a_log() {
    let log = SharedLog::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log works");

    let issuer = Issuer::on(Engine::Sqlite).await;
    let Credentials {
        client_id,
        client_secret,
    } = issuer.credentials.clone();
    let token = issuer.token().await;
    let who = format!("client_id={client_id}&client_secret={client_secret}");
    issuer.form(&who).await;
    issuer.form(&format!("{who}&{who}")).await;
    issuer
        .form(&format!("grant_type=client_credentials&{who}x"))
        .await;
    issuer.json(&json!({"clientSecret": [client_secret]})).await;
    issuer
        .basic(&format!("{client_id}:{client_secret}"), &who)
        .await;
    status_with(&issuer.app, &token).await;
    status_with(&issuer.app, &format!("{token}x")).await;

    let text = log.text();
    assert!(text.contains("the log works"), "{text}");
    let signature = token.rsplit('.').next().unwrap();
    for secret in [client_secret.as_str(), token.as_str(), signature] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[derive(Clone, Default)]
struct SharedLog(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl SharedLog {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for SharedLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for SharedLog {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
