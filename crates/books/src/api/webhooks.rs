//! What the source tells unasked: `POST /webhooks/guesty/{connection}`.
//!
//! The route is public. A message is checked, kept and answered; nothing is read because of it
//! here. Bodies never stand in the log.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use contract::id::ConnectionId;
use http_body_util::LengthLimitError;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::inbox::{Malformed, Message, NotKept, Stamp};
use crate::{Books, Error};

const BODY_BYTES_MAX: usize = 1 << 20;
/// How many bytes of messages may be in memory at once, and how much each counts at least.
const BYTES_MAX: usize = 64 << 20;
const UNIT_BYTES: usize = 4 << 10;
/// The names of a header: as Svix sends it, and as the standard that came of it does.
const ID: [&str; 2] = ["svix-id", "webhook-id"];
const TIMESTAMP: [&str; 2] = ["svix-timestamp", "webhook-timestamp"];
const SIGNATURE: [&str; 2] = ["svix-signature", "webhook-signature"];

/// How many units of memory messages may take.
static ROOM: Semaphore = Semaphore::const_new(BYTES_MAX / UNIT_BYTES);

/// The route that takes messages from sources.
pub fn webhook_router(books: Books) -> Router {
    Router::new()
        .route("/webhooks/guesty/{connection}", post(receive))
        .with_state(books)
}

async fn receive(
    State(books): State<Books>,
    Path(connection): Path<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let (head, body) = request.into_parts();
    let now = books.clock().now();
    let stamp = Stamp::read(
        header(&head.headers, ID)?,
        header(&head.headers, TIMESTAMP)?,
        header(&head.headers, SIGNATURE)?,
        now,
    )?;
    let (_room, body) = read(&head.headers, body).await?;
    let connection: ConnectionId = connection.parse().map_err(|_| Refusal::NotSigned)?;
    let keys = &books.inbox().keys;
    if !keys.admit(&books, connection, &stamp, &body).await? {
        return Err(Refusal::NotSigned);
    }
    let message = Message::new(&stamp.id, now, &body)?;
    let reception = &books.inbox().reception;
    reception.keep(&books, connection, message).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A header that must be there once.
fn header<'a>(headers: &'a HeaderMap, names: [&'static str; 2]) -> Result<&'a str, Refusal> {
    let mut values = names.iter().flat_map(|name| headers.get_all(*name));
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Refusal::Header(names[0])),
        _ => Err(Refusal::Header(names[0])),
    }
}

/// The body, and the room in memory that it takes until it is dropped.
async fn read(
    headers: &HeaderMap,
    body: Body,
) -> Result<(SemaphorePermit<'static>, Bytes), Refusal> {
    let told = headers.get(header::CONTENT_LENGTH);
    let told = told.and_then(|length| length.to_str().ok()?.parse().ok());
    let length: usize = told.unwrap_or(BODY_BYTES_MAX);
    if length > BODY_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let units = u32::try_from(length / UNIT_BYTES + 1).unwrap_or(u32::MAX);
    let room = ROOM.try_acquire_many(units).map_err(|_| Refusal::Busy)?;
    match to_bytes(body, BODY_BYTES_MAX).await {
        Ok(body) => Ok((room, body)),
        Err(error) => {
            let cause = std::error::Error::source(&error);
            let is_too_large = cause.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
            Err(if is_too_large {
                Refusal::TooLarge
            } else {
                Refusal::BrokenOff
            })
        }
    }
}

/// Why a message is not taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the header {0} must be there once, as text")]
    Header(&'static str),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The same whether there is such a connection or not, and whether it is connected.
    #[error("no connection here has a webhook with this signature")]
    NotSigned,
    #[error("the body is larger than 1 MiB")]
    TooLarge,
    #[error("the body broke off")]
    BrokenOff,
    #[error("too much at once: send it again in a moment")]
    Busy,
    #[error("the message could not be kept: send it again in a moment")]
    NotKept,
}

impl From<NotKept> for Refusal {
    fn from(_: NotKept) -> Self {
        Self::NotKept
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        tracing::error!(%error, "a webhook could not be taken");
        Self::NotKept
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Header(_) | Self::Malformed(_) | Self::BrokenOff => StatusCode::BAD_REQUEST,
            Self::NotSigned => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy | Self::NotKept => StatusCode::SERVICE_UNAVAILABLE,
        };
        let body = axum::Json(serde_json::json!({"message": self.to_string()}));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            return (status, [(header::RETRY_AFTER, "1")], body).into_response();
        }
        (status, body).into_response()
    }
}
