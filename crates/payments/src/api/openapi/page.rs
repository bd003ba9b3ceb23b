//! Where the description is served, and the page that shows it. The page is part of the program: it
//! works without a network, and its policy forbids it to load anything from elsewhere.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::Config;

use super::super::error::ApiError;
use super::document::Document;
use super::refusals::NoFile;
use crate::Error;

/// What the page may load: what this server serves.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'";

/// What is said of a file that the page does not have.
pub(super) const NO_FILE: &str = "The page has no such file";

/// The routes of the description.
pub(crate) fn routes() -> OpenApiRouter<Arc<Document>> {
    OpenApiRouter::new()
        .routes(routes!(description))
        .routes(routes!(page))
        .routes(routes!(page_of_folder))
        .routes(routes!(page_file))
}

/// What is to be said of these routes.
pub(crate) fn described() -> OpenApi {
    routes().into_openapi()
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "Server", operation_id = "getDescription",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object))
)]
async fn description(State(document): State<Arc<Document>>) -> Result<Response, ApiError> {
    let json = document.json()?;
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

/// The page that shows this description.
#[utoipa::path(
    get, path = "/docs", tag = "Server", operation_id = "getPage",
    responses((status = 303, description = "Where the page is."))
)]
async fn page() -> Redirect {
    Redirect::to("/docs/index.html")
}

/// The page that shows this description, for those who write a slash after it.
#[utoipa::path(
    get, path = "/docs/", tag = "Server", operation_id = "getPageOfFolder",
    responses((status = 303, description = "Where the page is."))
)]
async fn page_of_folder() -> Redirect {
    page().await
}

/// A file of the page.
#[utoipa::path(
    get, path = "/docs/{file}", tag = "Server", operation_id = "getPageFile",
    params(("file" = String, Path, description = "Its name.", example = "index.html")),
    responses(
        (status = 200, description = "The file.", content(
            (String = "text/html"),
            (String = "text/css"),
            (String = "text/javascript"),
            (String = "image/png"),
        )),
        NoFile,
    )
)]
async fn page_file(Path(file): Path<String>) -> Result<Response, ApiError> {
    let config = Config::from("/openapi.json")
        .validator_url("none")
        .display_request_duration(true);
    let found = utoipa_swagger_ui::serve(&file, Arc::new(config))
        .map_err(|error| Error::Corrupt(format!("the description's page: {error}")))?;
    let Some(found) = found else {
        return Err(ApiError::NotFound(NO_FILE));
    };
    let headers = [
        (CONTENT_TYPE, found.content_type),
        (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
    ];
    Ok((headers, found.bytes.into_owned()).into_response())
}
