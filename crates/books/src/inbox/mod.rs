//! What the source tells unasked.
//!
//! A message is only a hint that something changed: what it is now is read from the API. So a
//! message that is lost, late, doubled or out of order does no harm, and none of its amounts is ever
//! believed. Messages are checked by their signature, kept as evidence together with
//! what is to be read because of them (`row`), in one transaction, and answered; the reading is
//! [work for later](crate::jobs).
//!
//! This module knows neither HTTP nor how anything is read.

mod hint;
mod keys;
mod reception;
pub(crate) mod row;
mod signature;
mod state;
pub(crate) mod sweep;

pub use hint::Hint;
use keys::Keys;
use reception::Reception;
pub(crate) use reception::{Message, NotKept};
pub(crate) use signature::{Malformed, Stamp};
pub use state::{InboxState, Unreadable};
use tokio::sync::Notify;

/// What one process has at hand for what comes in.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) keys: Keys,
    pub(crate) reception: Reception,
    /// Rung when there is something to read.
    pub(crate) bell: Notify,
}
