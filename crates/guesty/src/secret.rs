//! Texts that must not be shown: client secrets and access tokens.

use std::fmt;

use zeroize::Zeroizing;

/// A text that `Debug` does not show, and whose memory is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What an application asks for tokens with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Which application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

impl Credentials {
    /// The credentials of an application, without the blanks that pasting brings along.
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        Self {
            client_id: client_id.trim().to_owned(),
            client_secret: Secret::new(client_secret.trim()),
        }
    }
}
