//! Tokens on the wire: the client-credentials grant of RFC 6749, and the JSON spelling that the
//! Open API's quick start prints.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a client sends to `POST /oauth2/token`, from a form or a JSON object. All may be absent:
/// what is missing decides which error is told.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[schema(example = json!({"grant_type": "client_credentials", "scope": "open-api", "client_id": "…", "client_secret": "…"}))]
pub struct TokenRequest {
    /// `client_credentials`.
    #[serde(default, alias = "grantType")]
    pub grant_type: Option<String>,
    /// Which client asks, unless it says so by Basic authentication.
    #[serde(default, alias = "clientId")]
    pub client_id: Option<String>,
    /// Its secret, unless it is sent by Basic authentication.
    #[serde(default, alias = "clientSecret")]
    pub client_secret: Option<String>,
    /// The scopes asked for, separated by spaces; absent: all that the client has.
    #[serde(default)]
    pub scope: Option<String>,
}

/// Without the secret.
impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("grant_type", &self.grant_type)
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// A token, granted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenReply {
    /// `Bearer`.
    pub token_type: String,
    /// For how many seconds it is good.
    pub expires_in: i64,
    /// What goes after `Authorization: Bearer `.
    pub access_token: String,
    /// What it is good for, separated by spaces.
    pub scope: String,
}

/// Without the token.
impl fmt::Debug for TokenReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenReply")
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenError {
    /// A name of RFC 6749, such as `invalid_client`.
    pub error: String,
    /// What is wrong and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}
