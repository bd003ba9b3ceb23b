//! The payments platform: it speaks the Guesty Open API over its own tables and the processors.
//!
//! `api` parses, authorises and answers; `model` decides, purely; `store` is all the SQL; `jobs` is
//! the work that nobody waits for. The crate knows nothing of the books.

mod advance;
mod api;
mod auto_payments;
mod booking;
mod collect;
mod error;
pub mod fixtures;
mod idempotency;
mod jobs;
mod metrics;
mod model;
mod platform;
mod reset;
mod schema;
mod settings;
mod setup;
mod store;
mod tenancy;
mod triggers;
mod webhooks;

pub use advance::{AdvanceError, AdvanceOrder, Advanced, Clocks, Happened, Kind, Total, Until};
pub use error::Error;
pub use model::{InvalidSpan, KeyRefusal, RateLimits, Rejection, Span};
pub use platform::{MIGRATIONS, Platform, STORE_NAME};
pub use reset::{Reset, ResetError, ResetOrder};
pub use settings::{PrivateWebhooks, Settings};
pub use setup::{ApplicationMade, ApplicationOrder};
pub use tenancy::{Credentials, NewAccount, NewApplication, SCOPE_OPEN_API, SetupError};
pub use triggers::{
    TRIGGERS, Trigger, TriggerError, TriggerOrder, TriggerRequest, Triggered, UnknownTrigger,
};
pub use webhooks::Owner;
