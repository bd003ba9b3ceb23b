//! The address of the API. The token is sent there and nowhere else.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;
use reqwest::header::HeaderValue;

/// Where the real API is.
const GUESTY: &str = "https://open-api.guesty.com";

/// The root of an Open API, with or without the `/v1` that the documents put behind it.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// A text that is no usable address of an API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBaseUrl {
    /// No absolute URL.
    #[error("\"{0}\" is not an address: give one such as {GUESTY}")]
    NotAUrl(String),
    /// Perhaps a host and a port.
    #[error(
        "\"{0}\" is not an address, since https:// or http:// is missing: give one such as {GUESTY}"
    )]
    NoScheme(String),
    /// Neither HTTP nor HTTPS.
    #[error("an address begins with https://, not with {0}://")]
    Scheme(String),
    /// HTTP to another machine.
    #[error(
        "http:// sends the client secret to {0} in the clear: use https://, or say that the \
         network can be trusted"
    )]
    InTheClear(String),
    /// A name and password, a query or a fragment.
    #[error("an address has no user name, no ? and no #: give one such as {GUESTY}")]
    TooMuch,
}

impl BaseUrl {
    /// Reads an address that may be `http://` on any host: whoever listens in between learns the
    /// client secret.
    pub fn on_trusted_network(text: &str) -> Result<Self, InvalidBaseUrl> {
        let text = text.trim();
        let shown = || text.chars().take(80).collect();
        // Of localhost:8080, the host would be taken for the scheme.
        if !text.is_empty() && !text.contains("://") {
            return Err(InvalidBaseUrl::NoScheme(shown()));
        }
        let mut url = Url::parse(text).map_err(|_| InvalidBaseUrl::NotAUrl(shown()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidBaseUrl::Scheme(url.scheme().to_owned()));
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidBaseUrl::TooMuch);
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path).to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address of a path below it, with its parameters.
    pub(crate) fn at(&self, path: &str, query: &[(String, String)]) -> Url {
        let mut url = self.0.clone();
        let root = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{root}{path}"));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Where a redirect leads, without what might be secret in it.
    pub(crate) fn redirect_target(&self, location: Option<&HeaderValue>) -> String {
        let Some(target) = location.and_then(|location| location.to_str().ok()) else {
            return "nowhere".to_owned();
        };
        match self.0.join(target) {
            Ok(mut url) => {
                url.set_query(None);
                url.set_fragment(None);
                url.to_string()
            }
            Err(_) => "nowhere".to_owned(),
        }
    }

    pub(crate) fn is_in_the_clear(&self) -> bool {
        self.0.scheme() == "http"
    }

    fn is_on_this_machine(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.ends_with(".localhost")
            || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// The real API.
impl Default for BaseUrl {
    #[expect(clippy::expect_used, reason = "the address is written above")]
    fn default() -> Self {
        GUESTY.parse().expect("the address of the real API is one")
    }
}

/// `https://` anywhere, `http://` to this machine only.
impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        let base = Self::on_trusted_network(text)?;
        if base.is_in_the_clear() && !base.is_on_this_machine() {
            let host = base.0.host_str().unwrap_or_default();
            return Err(InvalidBaseUrl::InTheClear(host.to_owned()));
        }
        Ok(base)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base: &str) -> String {
        let query = [("fields".to_owned(), "a b&c".to_owned())];
        base.parse::<BaseUrl>()
            .unwrap()
            .at("/v1/listings", &query)
            .to_string()
    }

    #[test]
    fn an_address_is_good_with_and_without_its_version() {
        for base in [
            "https://x.example",
            "https://x.example/",
            "https://x.example/v1/",
        ] {
            assert_eq!(at(base), "https://x.example/v1/listings?fields=a+b%26c");
        }
        assert_eq!(
            at("https://x.example/guesty/v1"),
            "https://x.example/guesty/v1/listings?fields=a+b%26c"
        );
    }

    #[test]
    fn a_secret_is_not_sent_in_the_clear_to_another_machine() {
        let refused = "http://x.example".parse::<BaseUrl>().unwrap_err();
        assert_eq!(refused, InvalidBaseUrl::InTheClear("x.example".to_owned()));
        assert!(BaseUrl::on_trusted_network("http://x.example").is_ok());
        for base in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:1",
        ] {
            assert!(base.parse::<BaseUrl>().is_ok(), "{base}");
        }
        assert!("http://localhost.example".parse::<BaseUrl>().is_err());
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (base, says) in [
            ("", "is not an address"),
            ("https://", "is not an address"),
            ("open-api.guesty.com", "https:// or http:// is missing"),
            ("localhost:8080", "https:// or http:// is missing"),
            ("127.0.0.1:8080", "https:// or http:// is missing"),
            ("ftp://x.example", "not with ftp"),
            ("https://me:secret@x.example", "no user name"),
            ("https://x.example/?a=b", "no ?"),
        ] {
            let error = base.parse::<BaseUrl>().unwrap_err().to_string();
            assert!(error.contains(says), "{base}: {error}");
        }
    }
}
