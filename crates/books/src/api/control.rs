//! What the server's own command line asks of the books. That nobody else reaches these routes is the
//! server's matter.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use contract::id::ConnectionId;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::heard::{Tell, heard};
use crate::order::{RebuildOrder, SyncOrder};
use crate::standing::{ConnectOrder, Connected, Ended, PortfolioView, Standing};
use crate::sync::RunRecord;
use crate::{Books, Error};

/// What the routes work with.
struct Desk {
    books: Books,
    stop: CancellationToken,
}

/// The routes below `/control/books`: whoever reaches them may do everything. Long orders end when the
/// server is to stop.
pub fn control_router(books: Books, stop: CancellationToken) -> Router {
    let desk = Arc::new(Desk { books, stop });
    let routes = Router::new()
        .route("/connect", post(connect))
        .route("/connections/{id}/refresh", post(refresh))
        .route("/connections/{id}/disconnect", post(disconnect))
        .route("/connections/{id}/sync/stop", post(stop_sync))
        .route("/portfolios", post(add_portfolio))
        .route("/sync", post(sync))
        .route("/rebuild", post(rebuild))
        .with_state(desk);
    Router::new().nest("/control/books", routes)
}

type Reply<T> = Result<Json<T>, Refused>;

async fn connect(
    State(desk): State<Arc<Desk>>,
    Order(order): Order<ConnectOrder>,
) -> Reply<Connected> {
    to_its_end(async move { desk.books.order_connect(order).await }).await
}

async fn refresh(State(desk): State<Arc<Desk>>, Path(id): Path<ConnectionId>) -> Reply<Standing> {
    to_its_end(async move { desk.books.order_refresh(id).await }).await
}

async fn disconnect(State(desk): State<Arc<Desk>>, Path(id): Path<ConnectionId>) -> Reply<Ended> {
    to_its_end(async move { desk.books.order_disconnect(id).await }).await
}

/// Goes on when whoever asked goes away: credentials are kept whole or not at all, and so is a
/// webhook that is subscribed to.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Reply<T> {
    let done = tokio::spawn(work).await;
    Ok(Json(done.map_err(|_| store::Error::Panicked)??))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

async fn add_portfolio(
    State(desk): State<Arc<Desk>>,
    Order(Named { name }): Order<Named>,
) -> Reply<PortfolioView> {
    Ok(Json(desk.books.order_portfolio(&name).await?))
}

async fn sync(State(desk): State<Arc<Desk>>, Order(order): Order<SyncOrder>) -> Response {
    let books = desk.books.clone();
    let (connection, after) = (order.connection, desk.books.clone());
    let work = |tell: Tell<_>| async move { books.sync(&order, &|at| tell(at)).await };
    let cut_short = async move { after.sync_cut_short(connection).await };
    heard(desk.stop.clone(), work, cut_short)
}

async fn stop_sync(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<ConnectionId>,
) -> Reply<Option<RunRecord>> {
    Ok(Json(desk.books.stop_sync(id).await?))
}

async fn rebuild(State(desk): State<Arc<Desk>>, Order(order): Order<RebuildOrder>) -> Response {
    let books = desk.books.clone();
    let work = |tell: Tell<_>| async move { books.rebuild(order, &|at| tell(at)).await };
    heard(desk.stop.clone(), work, async {})
}

/// A body. What is wrong with one is not repeated: it may hold a secret.
struct Order<T>(T);

impl<S: Send + Sync, T: serde::de::DeserializeOwned> FromRequest<S> for Order<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        match Json::from_request(request, state).await {
            Ok(Json(order)) => Ok(Self(order)),
            Err(rejection) => Err(Refused::Unreadable(rejection)),
        }
    }
}

/// An order that is not carried out.
#[derive(Debug)]
enum Refused {
    Unreadable(JsonRejection),
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Unreadable(rejection) => (
                rejection.status(),
                "the body is not what this route takes: the command is of another version than the \
                 server"
                    .to_owned(),
            ),
            Self::Failed(error) if error.is_refusal() => (StatusCode::BAD_REQUEST, error.to_string()),
            Self::Failed(error) => {
                tracing::error!(%error, "a command was not carried out");
                let is_passing = matches!(&error, Error::Store(error) if error.is_retryable());
                let status = if is_passing {
                    StatusCode::SERVICE_UNAVAILABLE
                } else {
                    StatusCode::INTERNAL_SERVER_ERROR
                };
                (status, error.to_string())
            }
        };
        (status, Json(text)).into_response()
    }
}
