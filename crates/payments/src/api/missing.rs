//! What leads nowhere. The Open API's routes that are not served say so, where a 404 would say that there
//! are none; whoever asks for anything under `/v1` is let in, and counted, before they are told.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::response::Response;
use axum::routing::{MethodFilter, on};

use super::ctx::Ctx;
use super::error::{self, ApiError};
use super::watch::is_of_open_api;
use crate::Platform;

/// In each line methods and a path; lines that begin with `#` are for people.
const TABLE: &str = include_str!("missing.txt");

/// A 501 for each of them.
pub(super) fn routes() -> Router<Arc<Platform>> {
    TABLE
        .lines()
        .filter_map(entry)
        .fold(Router::new(), |router, (methods, path)| {
            router.route(&format!("/v1{path}"), on(methods, refuse))
        })
}

fn entry(line: &str) -> Option<(MethodFilter, &str)> {
    let (methods, path) = line.rsplit_once(' ')?;
    let filter = |name: &str| MethodFilter::try_from(name.parse::<Method>().ok()?).ok();
    let methods = methods.split(' ').filter_map(filter);
    Some((methods.reduce(MethodFilter::or)?, path))
}

/// Names the route, to those who may ask at all.
async fn refuse(_: Ctx, method: Method, path: MatchedPath) -> ApiError {
    ApiError::NotServed { method, path }
}

/// Answers for paths that lead nowhere.
pub(super) async fn no_such_route(_: LetIn, uri: Uri) -> Response {
    error::no_such_route(uri).await
}

/// Answers for paths that are right, asked in the wrong way.
pub(super) async fn no_such_method(_: LetIn, method: Method, uri: Uri) -> Response {
    error::no_such_method(&method, &uri)
}

/// Somebody who may ask there.
pub(super) struct LetIn;

impl FromRequestParts<Arc<Platform>> for LetIn {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        platform: &Arc<Platform>,
    ) -> Result<Self, ApiError> {
        if is_of_open_api(&parts.uri) {
            Ctx::from_request_parts(parts, platform).await?;
        }
        Ok(Self)
    }
}
