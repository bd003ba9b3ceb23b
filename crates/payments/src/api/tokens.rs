//! Access tokens: JWTs signed with a key that only the vault can open, so that no token is kept.

use contract::id::AccountId;
use contract::{ObjectId, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use store::{Clock, Store, new_id, random_bytes};
use vault::Vault;

use crate::Error;
use crate::store::secret;

/// How long a token is good for: 24 hours, as documented.
pub(crate) const LIFETIME_SECONDS: i64 = 86_400;
/// Who the tokens are for: the Open API.
const AUDIENCE: &str = "https://open-api.guesty.com";

/// What a token says, under the names that the Open API's own tokens use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) ver: u8,
    pub(crate) jti: String,
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
    /// The client id.
    pub(crate) cid: String,
    pub(crate) scp: Vec<String>,
    pub(crate) requester: String,
    #[serde(rename = "accountId")]
    pub(crate) account_id: AccountId,
    pub(crate) sub: String,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadToken {
    /// Not ours, or tampered with.
    Malformed,
    /// Ours, and too old.
    Expired,
}

/// The key that signs and checks tokens.
pub(crate) struct TokenKeys {
    id: String,
    signing: EncodingKey,
    checking: DecodingKey,
}

impl TokenKeys {
    /// Opens the platform's signing key, or makes it at the first start.
    pub(crate) async fn load(
        store: &Store,
        vault: &Vault,
        clock: &dyn Clock,
    ) -> Result<Self, Error> {
        secret::check_vault_key(store, vault, clock.now()).await?;
        let fresh: ObjectId = new_id();
        let key = secret::find_or_create(
            store,
            vault,
            secret::Kind::TokenSigningKey,
            fresh,
            random_bytes::<32>().to_vec(),
            clock.now(),
        )
        .await?;
        Ok(Self {
            id: key.id,
            signing: EncodingKey::from_secret(&key.plaintext),
            checking: DecodingKey::from_secret(&key.plaintext),
        })
    }

    /// Issues a token at an instant of wall time.
    pub(crate) fn issue(
        &self,
        client_id: &str,
        account_id: AccountId,
        scopes: Vec<String>,
        token_id: ObjectId,
        now: Timestamp,
    ) -> Result<String, Error> {
        let claims = Claims {
            ver: 1,
            jti: format!("AT.{token_id}"),
            iss: "nightaudit".to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: now.seconds(),
            exp: now.seconds() + LIFETIME_SECONDS,
            cid: client_id.to_owned(),
            scp: scopes,
            requester: "EXTERNAL".to_owned(),
            account_id,
            sub: client_id.to_owned(),
        };
        let header = Header {
            kid: Some(self.id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        Ok(encode(&header, &claims, &self.signing)?)
    }

    /// What a token says, if it is ours and good at this instant of wall time.
    pub(crate) fn check(&self, token: &str, now: Timestamp) -> Result<Claims, BadToken> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[AUDIENCE]);
        // Against our own clock, below.
        rules.validate_exp = false;
        let claims = decode::<Claims>(token, &self.checking, &rules)
            .map_err(|_| BadToken::Malformed)?
            .claims;
        if claims.exp <= now.seconds() {
            return Err(BadToken::Expired);
        }
        Ok(claims)
    }
}
