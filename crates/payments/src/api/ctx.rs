//! Who asks: every route under `/v1` starts from a [`Ctx`], so none can forget to authenticate or
//! to scope by account.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::{header, request::Parts};
use contract::id::ListingId;
use contract::{ObjectId, Timestamp};
use store::new_id;

use super::error::ApiError;
use super::tokens::BadToken;
use super::watch::Visit;
use crate::Platform;
use crate::idempotency::Claim;
use crate::store::account::Account;
use crate::store::scope::Scope;
use crate::tenancy::SCOPE_OPEN_API;

/// The caller, its account, and the business time at which its request is decided.
#[derive(Clone)]
pub(crate) struct Ctx {
    pub(crate) platform: Arc<Platform>,
    pub(crate) account: Account,
    /// The client id of who asks.
    pub(crate) application: String,
    /// The listings that the application may see; `None`: all of the account's.
    pub(crate) listings: Option<HashSet<ListingId>>,
    /// Business time.
    pub(crate) now: Timestamp,
    /// Under which the request is carried out, if it came with an idempotency key.
    pub(crate) claim: Option<Claim>,
}

impl Ctx {
    /// Whose rows this caller's queries may touch.
    pub(crate) fn scope(&self) -> Scope {
        Scope {
            account: self.account.id,
            listings: self.listings.clone().map(Arc::new),
        }
    }

    /// The id of what this request makes: the same however often it is sent under its key.
    pub(crate) fn id_to_make<Id: From<ObjectId>>(&self) -> Id {
        self.claim.as_ref().map_or_else(new_id, Claim::id_to_make)
    }

    /// Whether the application may see a listing and what hangs on it. What it may not see does not
    /// exist for it: 404, never 403.
    pub(crate) fn may_see(&self, listing: ListingId) -> bool {
        self.listings
            .as_ref()
            .is_none_or(|listings| listings.contains(&listing))
    }
}

impl FromRequestParts<Arc<Platform>> for Ctx {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        platform: &Arc<Platform>,
    ) -> Result<Self, ApiError> {
        // Whoever stands around the route has asked already.
        if let Some(known) = parts.extensions.remove::<Self>() {
            return Ok(known);
        }
        let token = bearer(parts).ok_or(ApiError::Unauthorized)?;
        let wall = platform.clock.now();
        let claims = platform
            .token_keys
            .check(token, wall)
            .map_err(|bad| match bad {
                BadToken::Malformed => ApiError::Unauthorized,
                BadToken::Expired => ApiError::Forbidden,
            })?;
        let caller = platform.callers.find(&platform.store, &claims.cid).await?;
        let caller = caller.ok_or(ApiError::Unauthorized)?;
        let (application, account) = &*caller;
        if let Some(visit) = parts.extensions.get::<Visit>() {
            visit.enter(platform, account.id)?;
        }
        // As the token was granted, and as the application still is.
        let covers = |scopes: &[String]| scopes.iter().any(|scope| scope == SCOPE_OPEN_API);
        if !covers(&claims.scp) || !covers(&application.scopes) {
            return Err(ApiError::Forbidden);
        }
        Ok(Self {
            platform: Arc::clone(platform),
            now: account.business_time(wall),
            listings: application.listings.clone(),
            account: account.clone(),
            application: application.client_id.clone(),
            claim: None,
        })
    }
}

/// The token of `Authorization: Bearer …`.
fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
