//! One request and its reply, bounded in time and size. Knows neither tokens nor tries.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, TimeDelta};
use contract::Timestamp;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use serde_json::error::Category;

use crate::base_url::BaseUrl;
use crate::clock::WallClock;
use crate::error::Problem;
use crate::hidden::Hidden;
use crate::pace::{Headroom, Interval};
use crate::refusal::{Refusal, excerpt};
use crate::tls::tls_error;

/// No source that is in its senses wants to be left alone for longer.
const RETRY_AFTER_MAX: TimeDelta = TimeDelta::days(366);

const MAY_WANT_TLS: &str = "if TLS is spoken there, the address is to begin with https://";

/// The way to the source.
#[derive(Debug)]
pub(crate) struct Http {
    pub(crate) client: Client,
    pub(crate) base: BaseUrl,
    /// What must not be repeated of what the source says.
    pub(crate) hidden: Arc<Hidden>,
    pub(crate) clock: WallClock,
    pub(crate) timeout: Duration,
    pub(crate) body_bytes_max: usize,
}

/// A reply, whatever its status.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) received_at: Timestamp,
    headers: HeaderMap,
    redirect_target: Option<String>,
    hidden: Arc<Hidden>,
}

impl Http {
    /// Redirects are not followed, and no proxy of the environment is used: what we send is for the
    /// source alone.
    pub(crate) fn new(
        base: BaseUrl,
        hidden: Hidden,
        clock: WallClock,
        timeout: Duration,
        body_bytes_max: usize,
    ) -> Result<Self, Problem> {
        // Does nothing when the program has chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(15)))
            .user_agent(concat!("nightaudit/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Problem::Tls(cause(&error)))?;
        Ok(Self {
            client,
            base,
            hidden: Arc::new(hidden),
            clock,
            timeout,
            body_bytes_max,
        })
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Raw, Problem> {
        let problem = |error: reqwest::Error| self.problem(&error);
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(self.without_head(problem(error))),
        };
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(problem)? {
            if body.len() + chunk.len() > self.body_bytes_max {
                return Err(Problem::TooLarge {
                    max_bytes: self.body_bytes_max,
                });
            }
            body.extend_from_slice(&chunk);
        }
        let status = response.status();
        Ok(Raw {
            status,
            body: body.freeze(),
            received_at: self.clock.now(),
            redirect_target: (status.is_redirection())
                .then(|| self.base.redirect_target(headers.get(LOCATION))),
            headers,
            hidden: Arc::clone(&self.hidden),
        })
    }

    /// Who expects TLS ends the connection at the first word that is none.
    fn without_head(&self, problem: Problem) -> Problem {
        match problem {
            Problem::BrokenOff(cause) if self.base.is_in_the_clear() => {
                Problem::BrokenOff(format!("{cause}; {MAY_WANT_TLS}"))
            }
            other => other,
        }
    }

    fn problem(&self, error: &reqwest::Error) -> Problem {
        if error.is_timeout() && !error.is_connect() {
            return Problem::TimedOut(self.timeout);
        }
        if let Some(tls) = tls_error(error) {
            return Problem::Tls(tls);
        }
        if error.is_connect() {
            return Problem::Unreachable(cause(error));
        }
        Problem::BrokenOff(cause(error))
    }
}

/// The innermost cause: the outer ones repeat the URL.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

impl Raw {
    /// Finds out what is no answer of an Open API at all: redirects, and pages instead of JSON.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if let Some(target) = &self.redirect_target {
            return Err(Problem::Redirected(self.hidden.cut(target).into_owned()));
        }
        let is_fault = self.status.is_server_error() || matches!(self.status.as_u16(), 408 | 429);
        let encoding = self.header(CONTENT_ENCODING.as_str());
        if let Some(packed) = encoding.filter(|encoding| *encoding != "identity") {
            return Err(Problem::Unreadable(format!(
                "it is packed with {}, which was not asked for: something on the way to the source \
                 changes its replies",
                self.hidden.cut(packed)
            )));
        }
        if self.is_page() && !is_fault {
            return Err(Problem::NotJson(self.beginning()));
        }
        Ok(())
    }

    fn is_page(&self) -> bool {
        let kind = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let first = self.body.iter().find(|byte| !byte.is_ascii_whitespace());
        first == Some(&b'<') || (first.is_some() && kind.starts_with("text/html"))
    }

    /// Reads the body of a success.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<T, Problem> {
        read(&self.body).map_err(|error| {
            if error.is_eof() {
                return Problem::BrokenOff(error.to_string());
            }
            let text = self.beginning();
            if error.is_syntax() {
                Problem::NotJson(text)
            } else {
                let error = error.to_string();
                Problem::Unreadable(format!("{}, in {text}", self.hidden.cut(error)))
            }
        })
    }

    /// Reads the body of a success that gives a secret: nothing of it is ever repeated.
    pub(crate) fn read_secret<T>(
        &self,
        read: impl FnOnce(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<T, Problem> {
        read(&self.body).map_err(|error| match error.classify() {
            Category::Eof => Problem::BrokenOff(error.to_string()),
            Category::Syntax => Problem::NotJson("[secret]".to_owned()),
            _ => Problem::Unreadable("it is not shown, since it may hold a secret".to_owned()),
        })
    }

    /// How the body begins.
    fn beginning(&self) -> String {
        excerpt(&self.hidden.cut(String::from_utf8_lossy(&self.body)))
    }

    /// What stands behind a status that is no success.
    pub(crate) fn problem(&self) -> Problem {
        let refusal = Box::new(self.refusal());
        match self.status.as_u16() {
            401 => Problem::Unauthorized(refusal),
            403 => Problem::Forbidden(refusal),
            404 => Problem::NotFound(refusal),
            408 | 500..=599 => Problem::Unavailable(refusal),
            429 => Problem::RateLimited(self.retry_after().unwrap_or_default()),
            _ => Problem::Refused(refusal),
        }
    }

    pub(crate) fn refusal(&self) -> Refusal {
        let request_id = self.request_id();
        let read = Refusal::read(self.status.as_u16(), &self.body, request_id, &self.hidden);
        let retry_at = self.retry_at();
        Refusal { retry_at, ..read }
    }

    pub(crate) fn request_id(&self) -> Option<String> {
        let id = self.header("x-request-id")?;
        Some(self.hidden.cut(id).into_owned())
    }

    /// When the source sent it, by its own clock.
    pub(crate) fn sent_at(&self) -> Option<Timestamp> {
        read_date(self.header(DATE.as_str())?)
    }

    /// How long the source wants to be left alone. A date is taken by the source's own clock, which
    /// need not agree with ours.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let text = self.header(RETRY_AFTER.as_str())?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = read_date(text)?;
        let now = self.sent_at().unwrap_or(self.received_at);
        Some((until - now).to_std().unwrap_or_default())
    }

    /// The same as an instant of our own time, unless it is beyond all sense.
    fn retry_at(&self) -> Option<Timestamp> {
        let wait = TimeDelta::from_std(self.retry_after()?).ok()?;
        (wait <= RETRY_AFTER_MAX).then(|| self.received_at + wait)
    }

    /// What it says about the limits.
    pub(crate) fn headroom(&self) -> Vec<Headroom> {
        Interval::ALL
            .into_iter()
            .map(|interval| Headroom {
                interval,
                limit: self.count(&format!("x-ratelimit-limit-{}", interval.name())),
                remaining: self.count(&format!("x-ratelimit-remaining-{}", interval.name())),
            })
            .collect()
    }

    fn count(&self, header: &str) -> Option<u32> {
        self.header(header)?.trim().parse().ok()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn read_date(text: &str) -> Option<Timestamp> {
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some(date.to_utc().into())
}
