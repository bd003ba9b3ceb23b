//! The token in `control.json`, by which a server knows the commands of its own user. What they may
//! then ask is the routers' matter.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use data_encoding::BASE64URL_NOPAD;
use store::random_bytes;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A server's own, new at each start.
#[derive(Clone)]
pub(crate) struct AdminToken(Arc<Zeroizing<String>>);

impl AdminToken {
    /// One that nobody can guess.
    pub(crate) fn random() -> Self {
        let text = BASE64URL_NOPAD.encode(&random_bytes::<32>());
        Self(Arc::new(Zeroizing::new(text)))
    }

    /// For the commands.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The same routes, for those alone who have the token.
    pub(crate) fn guard(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, check))
    }

    fn is(&self, given: &[u8]) -> bool {
        given.ct_eq(self.0.as_bytes()).into()
    }
}

async fn check(State(token): State<AdminToken>, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    if given.is_some_and(|given| token.is(given)) {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, Json("Unauthorized")).into_response()
    }
}
