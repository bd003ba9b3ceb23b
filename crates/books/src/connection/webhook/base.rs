//! Under which address the source reaches us.

use std::fmt;
use std::str::FromStr;

use contract::id::ConnectionId;
use serde::{Serialize, Serializer};
use url::Url;

/// Where webhooks arrive, below an address under which the source reaches us.
const PATH: &str = "/webhooks/guesty/";

/// An address under which the source reaches us. Whether it sends messages there, is for the source
/// to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookBase(String);

/// A text that is no address under which anybody could be reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no address under which the source could reach us: give one such as \
     https://books.example.com, without user name, ? and #"
)]
pub struct InvalidWebhookBase(String);

impl WebhookBase {
    /// Where the messages of a connection arrive.
    pub fn url_of(&self, id: ConnectionId) -> String {
        format!("{}{PATH}{id}", self.0)
    }
}

/// Whether messages to this url were ever meant for the connection, under whatever address.
pub(super) fn is_of(url: &str, id: ConnectionId) -> bool {
    url.ends_with(&format!("{PATH}{id}"))
}

impl FromStr for WebhookBase {
    type Err = InvalidWebhookBase;

    fn from_str(text: &str) -> Result<Self, InvalidWebhookBase> {
        let invalid = || InvalidWebhookBase(text.chars().take(80).collect());
        let text = text.trim();
        let url = Url::parse(text).map_err(|_| invalid())?;
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !is_plain || !url.has_host() {
            return Err(invalid());
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for WebhookBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for WebhookBase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use store::new_id;

    use super::*;

    #[test]
    fn the_path_of_a_connection_follows_its_address() {
        let id = new_id();
        for (base, url) in [
            ("https://x.example", "https://x.example"),
            ("https://x.example/", "https://x.example"),
            (
                " https://X.example:8443/books/ ",
                "https://x.example:8443/books",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            let url = format!("{url}/webhooks/guesty/{id}");
            assert_eq!(base.parse::<WebhookBase>().unwrap().url_of(id), url);
            assert!(is_of(&url, id) && !is_of(&url, new_id()));
        }
    }

    #[test]
    fn what_nobody_can_be_reached_under_is_refused() {
        for base in [
            "",
            "x.example",
            "ftp://x.example",
            "https://",
            "https://me@x.example",
            "https://x.example?a=b",
            "https://x.example#a",
            "mailto:me@x.example",
        ] {
            let refused = base.parse::<WebhookBase>().unwrap_err().to_string();
            assert!(refused.contains("https://books.example.com"), "{refused}");
        }
    }
}
