//! The rules: pure functions of state, command and time. No clock, no randomness, no database, no
//! HTTP, no `async`.

pub(crate) mod address;
pub(crate) mod agenda;
pub(crate) mod amount;
pub(crate) mod auto_payment;
mod command;
mod decide;
pub(crate) mod fee;
mod folio;
pub(crate) mod guest;
pub(crate) mod idempotency_key;
pub(crate) mod invoice;
pub(crate) mod limit;
pub(crate) mod listing;
pub(crate) mod merge;
mod operand;
mod payment;
pub(crate) mod pricing;
pub(crate) mod quota;
pub(crate) mod reading;
mod rejection;
pub(crate) mod report;
pub(crate) mod reservation;
pub(crate) mod search;
mod span;
pub(crate) mod stay;
pub(crate) mod tax;
pub(crate) mod text;
pub(crate) mod webhook;

pub(crate) use agenda::Occasion;
pub(crate) use command::{
    Arrange, AttemptKind, Capture, Command, Edit, Event, Outcome, PostPayment, RefundPayment,
};
pub(crate) use decide::decide;
pub(crate) use folio::Folio;
pub use idempotency_key::KeyRefusal;
pub use limit::RateLimits;
pub(crate) use payment::{
    Attempt, Auto, Method, Payment, Reference, Refund, RefundState, Source, State,
};
pub use rejection::Rejection;
pub use span::{InvalidSpan, Span};

#[cfg(test)]
mod tests;
