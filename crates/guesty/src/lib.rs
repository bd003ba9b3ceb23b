//! A client of the [Guesty Open API](https://open-api-docs.guesty.com) that reads.
//!
//! ```no_run
//! use futures_util::TryStreamExt;
//! use guesty::{Credentials, Guesty, ReservationQuery, Settings};
//!
//! # async fn example() -> Result<(), guesty::Error> {
//! let credentials = Credentials::new("0oa5bil430x8zLzWB5d7", "the secret");
//! let guesty = Guesty::new(Settings::new(credentials))?.reader();
//!
//! let mut pages = std::pin::pin!(guesty.reservations(&ReservationQuery::default()));
//! while let Some(page) = pages.try_next().await? {
//!     for reservation in &page.rows.items {
//!         let code = reservation.confirmation_code.text();
//!         match reservation.money.balance_due.value() {
//!             Some(due) => println!("{code} owes {due}"),
//!             None => println!("{code} does not say"),
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! - **Reading and writing are different types.** A [`Reader`] has no way to write. The one
//!   exception is a type of its own, [`WebhookRegistrar`].
//! - **What is met is kept.** Amounts are exact [decimals](money::Decimal), printed as numbers or as
//!   strings; a field that is missing or odd never fails a reply, see [`Field`]. Beside each typed
//!   value stands the [`Reply`] it was read from, byte for byte.
//! - **Lists are streams of pages**, read to a proven end. Each page is asked for with the last row of
//!   the one before: where a list shifts while it is read, that is an error and not a gap.
//! - **Tokens are scarce**, five a day: one is kept in a [`TokenStore`] that all processes share, asked
//!   for by one task at a time, replaced half an hour before its end, and once when it fails.
//! - **Pace**: requests stay under the source's limits by default at half of each ([`Limits`]), and
//!   heed what its replies say about them.
//! - **Retries** with full jitter, for what only reads. What finally fails is an [`Error`] that says
//!   what failed, how often it was tried, and what to do.
//!
//! It refuses to know what the values mean, and where they go.

mod base_url;
mod clock;
mod connection;
mod error;
mod field;
mod guesty;
mod hidden;
mod http;
mod pace;
mod page;
mod query;
mod reader;
mod refusal;
mod registrar;
mod reply;
mod retry;
mod rows;
mod secret;
pub mod seen;
mod tls;
mod token;

pub use base_url::{BaseUrl, InvalidBaseUrl};
pub use clock::WallClock;
pub use error::{Error, Problem};
pub use field::{Field, read_object};
pub use guesty::{Guesty, Settings};
pub use pace::{Limits, Share};
pub use page::{PAGE_SIZE_MAX, Page};
pub use query::{
    Filter, InvalidWindow, ListingQuery, ReportFilter, ReportQuery, ReservationQuery, Window,
};
pub use reader::{Found, Reader};
pub use refusal::Refusal;
pub use registrar::WebhookRegistrar;
pub use reply::{Answer, Reply};
pub use retry::RetryPolicy;
pub use rows::{Rows, UnreadableRow};
pub use secret::{Credentials, Secret};
pub use token::{MemoryTokens, Token, TokenLease, TokenMark, TokenStore, TokenStoreError};
