//! Putting it together.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::base_url::BaseUrl;
use crate::clock::WallClock;
use crate::connection::Connection;
use crate::error::{Error, Problem};
use crate::hidden::Hidden;
use crate::http::Http;
use crate::pace::{Limits, Pacer};
use crate::reader::Reader;
use crate::registrar::WebhookRegistrar;
use crate::retry::RetryPolicy;
use crate::secret::Credentials;
use crate::token::{Endpoint, Keeper, MemoryTokens, TokenStore};

/// How to reach an account.
#[derive(Clone)]
pub struct Settings {
    /// Where the API is.
    pub base_url: BaseUrl,
    /// What tokens are asked for with.
    pub credentials: Credentials,
    /// Where the token is kept.
    pub tokens: Arc<dyn TokenStore>,
    /// How many tokens may be asked for in 24 hours.
    pub tokens_per_day: u32,
    /// How much may be asked for.
    pub limits: Limits,
    /// How often and when to ask again.
    pub retry: RetryPolicy,
    /// The longest wait for a whole reply.
    pub timeout: Duration,
    /// The largest reply.
    pub body_bytes_max: usize,
    /// What time it is.
    pub clock: WallClock,
}

impl Settings {
    /// The real API, with half of its limits, and a token that is kept while the process lives.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            base_url: BaseUrl::default(),
            credentials,
            tokens: Arc::new(MemoryTokens::default()),
            tokens_per_day: 5,
            limits: Limits::default(),
            retry: RetryPolicy::default(),
            timeout: Duration::from_mins(1),
            body_bytes_max: 64 * 1024 * 1024,
            clock: WallClock::default(),
        }
    }
}

/// A way to an account. All that comes of it share one pace and one token.
#[derive(Clone)]
pub struct Guesty {
    connection: Connection,
}

impl Guesty {
    /// Makes ready to ask; nothing is asked yet.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let http = Http::new(
            settings.base_url,
            Hidden::new(settings.credentials.clone()),
            settings.clock.clone(),
            settings.timeout,
            settings.body_bytes_max,
        );
        let http = Arc::new(http.map_err(|problem: Problem| Error {
            call: "the connection".to_owned(),
            tries: 0,
            problem,
        })?);
        let endpoint = Endpoint {
            http: Arc::clone(&http),
            credentials: settings.credentials,
            retry: settings.retry,
        };
        let tokens = Keeper::new(
            endpoint,
            settings.tokens,
            settings.clock,
            settings.tokens_per_day,
        );
        Ok(Self {
            connection: Connection {
                http,
                pacer: Arc::new(Pacer::new(&settings.limits)),
                tokens,
                retry: settings.retry,
            },
        })
    }

    /// What reads, and cannot write.
    pub fn reader(&self) -> Reader {
        Reader::new(self.connection.clone())
    }

    /// What subscribes to webhooks.
    pub fn webhook_registrar(&self) -> WebhookRegistrar {
        WebhookRegistrar::new(self.connection.clone())
    }
}

impl fmt::Debug for Guesty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guesty({})", self.connection.http.base)
    }
}
