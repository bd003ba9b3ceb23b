//! One message over HTTP: to an address that was looked at, signed, and never further than there.

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use contract::Timestamp;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;
use reqwest::{Client, Response};
use sha2::Sha256;

use crate::model::webhook::check_url;
use crate::settings::PrivateWebhooks;

/// How long a receiver may take to accept a connection, and to answer.
const CONNECTING_MAX: Duration = Duration::from_secs(5);
const ANSWERING_MAX: Duration = Duration::from_secs(15);
/// How much of an answer is read, and how much of that is kept.
const RESPONSE_BYTES_MAX: usize = 4096;
const RESPONSE_CHARS_KEPT: usize = 500;
/// How many idle connections to a receiver are kept.
const IDLE_MAX: usize = 8;

const USER_AGENT: &str = concat!("nightaudit/", env!("CARGO_PKG_VERSION"));

/// A message to be sent.
pub(super) struct Letter<'a> {
    pub(super) url: &'a str,
    /// The secret's bytes.
    pub(super) key: &'a [u8],
    /// The `svix-id`.
    pub(super) id: &'a str,
    /// Wall time.
    pub(super) at: Timestamp,
    pub(super) body: &'a str,
}

/// What came of sending it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The receiver's answer.
    pub(super) status: Option<u16>,
    pub(super) error: Option<String>,
    /// How the answer begins.
    pub(super) response: Option<String>,
    pub(super) latency: Duration,
}

impl Outcome {
    /// That it could not even be tried.
    pub(super) fn not_sent(error: String) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }

    /// Whether it has arrived: a redirect is no arrival.
    pub(super) fn is_success(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

/// Sends messages.
pub(super) struct Sender {
    policy: PrivateWebhooks,
    /// Made when it is first needed: that reads the machine's certificates.
    client: OnceLock<Result<Client, String>>,
}

impl Sender {
    pub(super) fn new(policy: PrivateWebhooks) -> Self {
        Self {
            policy,
            client: OnceLock::new(),
        }
    }

    /// Sends a message.
    pub(super) async fn send(&self, letter: &Letter<'_>) -> Outcome {
        // Anew each time: the settings may have changed, and addresses given by their digits are
        // never looked up.
        let url = match check_url(letter.url, &self.policy) {
            Ok(url) => url,
            Err(rejection) => return Outcome::not_sent(rejection.to_string()),
        };
        let client = match self.client.get_or_init(|| client(self.policy.clone())) {
            Ok(client) => client,
            Err(error) => return Outcome::not_sent(error.clone()),
        };
        let seconds = letter.at.seconds().to_string();
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header("svix-id", letter.id)
            .header("svix-signature", signature(letter, &seconds))
            .header("svix-timestamp", seconds)
            .body(letter.body.to_owned());
        let started = Instant::now();
        let answer = request.send().await;
        let latency = started.elapsed();
        match answer {
            Ok(response) => Outcome {
                latency,
                ..read(response).await
            },
            Err(error) => Outcome {
                latency,
                ..Outcome::not_sent(describe(error))
            },
        }
    }
}

/// By the scheme of Svix: of the id, the second and the body.
fn signature(letter: &Letter<'_>, seconds: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(letter.key).expect("a key of any length");
    for part in [letter.id, ".", seconds, ".", letter.body] {
        mac.update(part.as_bytes());
    }
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

fn client(policy: PrivateWebhooks) -> Result<Client, String> {
    // The program has installed one; who embeds the platform may not have.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECTING_MAX)
        .timeout(ANSWERING_MAX)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .dns_resolver(Guard(policy))
        .pool_max_idle_per_host(IDLE_MAX)
        .build()
        .map_err(|error| format!("no HTTPS client can be made: {}", describe(error)))
}

/// The beginning of an answer. Its status alone counts.
async fn read(mut response: Response) -> Outcome {
    let status = response.status();
    let mut bytes = Vec::new();
    while bytes.len() < RESPONSE_BYTES_MAX
        && let Ok(Some(chunk)) = response.chunk().await
    {
        bytes.extend_from_slice(&chunk[..chunk.len().min(RESPONSE_BYTES_MAX)]);
    }
    let text: String = String::from_utf8_lossy(&bytes)
        .chars()
        .filter(|c| !c.is_control() || c.is_ascii_whitespace())
        .take(RESPONSE_CHARS_KEPT)
        .collect();
    Outcome {
        status: Some(status.as_u16()),
        error: (!status.is_success()).then(|| format!("the receiver answered {status}")),
        response: (!text.trim().is_empty()).then_some(text),
        latency: Duration::ZERO,
    }
}

/// What went wrong, to its cause. Urls may have secrets in them, and are left out.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    if error.is_connect() && error.is_timeout() {
        return format!("no connection within {} seconds", CONNECTING_MAX.as_secs());
    }
    if error.is_timeout() {
        return format!("no answer within {} seconds", ANSWERING_MAX.as_secs());
    }
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        said = format!("{said}: {deeper}");
        cause = deeper.source();
    }
    said
}

/// Looks names up and lets only those addresses be connected to that may be: what is looked at is
/// what is used, whatever the name stands for a moment later.
#[derive(Clone)]
struct Guard(PrivateWebhooks);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let Self(policy) = self.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let admitted: Vec<SocketAddr> =
                found.filter(|address| policy.admits(*address)).collect();
            if admitted.is_empty() {
                return Err("the name leads to private addresses alone".into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_leads_nowhere() {
        let lookup = |policy| Guard(policy).resolve("localhost".parse().unwrap());
        let refused = lookup(PrivateWebhooks::Refused).await.err().unwrap();
        assert!(
            refused.to_string().contains("private addresses"),
            "{refused}"
        );
        let only = PrivateWebhooks::Only(vec!["127.0.0.1:80".parse().unwrap()]);
        assert!(lookup(only).await.is_err());
        assert!(lookup(PrivateWebhooks::Allowed).await.unwrap().count() > 0);
    }

    #[tokio::test]
    async fn a_url_that_leads_inside_is_not_even_tried() {
        let letter = Letter {
            url: "https://169.254.169.254/latest/meta-data",
            key: b"key",
            id: "msg_1",
            at: Timestamp::from_millis(0),
            body: "{}",
        };
        let outcome = Sender::new(PrivateWebhooks::Refused).send(&letter).await;
        assert!(!outcome.is_success());
        assert!(outcome.error.unwrap().contains("private address"));
    }

    /// The example of Svix's own documentation.
    #[test]
    fn the_documented_example_has_the_documented_signature() {
        let key = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let letter = Letter {
            url: "",
            key: &key,
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at: Timestamp::from_millis(1_614_265_330_000),
            body: r#"{"test": 2432232314}"#,
        };
        let signature = signature(&letter, "1614265330");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
