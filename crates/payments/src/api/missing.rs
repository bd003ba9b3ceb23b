//! The Open API's routes that are not served. They say so, where a 404 would say that there are none.

use std::sync::Arc;

use axum::Router;
use axum::extract::MatchedPath;
use axum::http::Method;
use axum::routing::{MethodFilter, on};

use super::ctx::Ctx;
use super::error::ApiError;
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
