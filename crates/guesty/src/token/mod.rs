//! Access tokens. An application may ask for few a day, so each is kept, shared by all processes,
//! and replaced only when it must be.

mod endpoint;
mod keeper;
mod store;

use std::hash::{DefaultHasher, Hash, Hasher};

use contract::Timestamp;
use contract::id::AccountId;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

pub(crate) use endpoint::Endpoint;
pub(crate) use keeper::Keeper;
pub use store::{MemoryTokens, TokenLease, TokenStore, TokenStoreError};

use crate::field::Field;
use crate::secret::Secret;

/// A token and what must be remembered of those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What goes after `Authorization: Bearer `.
    pub access_token: Secret,
    /// When it was issued, by this machine's clock.
    pub issued_at: Timestamp,
    /// Until when it is good, by this machine's clock.
    pub expires_at: Timestamp,
    /// When it and the tokens of the day before it were issued.
    pub issued_of_late: Vec<Timestamp>,
}

/// Tells tokens apart, and nothing else of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenMark(u64);

#[derive(Serialize, Deserialize)]
struct Written {
    access_token: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
    issued_of_late: Vec<Timestamp>,
}

/// What a token says about itself. It is not verified: that is the source's business.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claims {
    #[serde(default)]
    account_id: Field<AccountId>,
}

impl Token {
    /// As a text to be sealed and kept.
    pub fn to_text(&self) -> Result<Secret, TokenStoreError> {
        let written = Written {
            access_token: self.access_token.reveal().to_owned(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            issued_of_late: self.issued_of_late.clone(),
        };
        Ok(Secret::new(serde_json::to_string(&written)?))
    }

    /// From the text that was kept.
    pub fn from_text(text: &Secret) -> Result<Self, TokenStoreError> {
        let written: Written = serde_json::from_str(text.reveal())?;
        Ok(Self {
            access_token: Secret::new(written.access_token),
            issued_at: written.issued_at,
            expires_at: written.expires_at,
            issued_of_late: written.issued_of_late,
        })
    }

    /// What tells it from others.
    pub fn mark(&self) -> TokenMark {
        let mut hasher = DefaultHasher::new();
        self.access_token.reveal().hash(&mut hasher);
        self.issued_at.millis().hash(&mut hasher);
        TokenMark(hasher.finish())
    }

    /// The account that it is for, if it says so. This is the same for every application of an
    /// account, which the id in `GET /v1/accounts/me` need not be.
    pub fn account_id(&self) -> Option<AccountId> {
        let payload = self.access_token.reveal().split('.').nth(1)?;
        let claims = BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        claims.account_id.get()
    }
}
