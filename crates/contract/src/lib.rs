//! The wire contract of the Open API: requests, replies, errors, ids and instants, as types that
//! the server and its clients share. It knows neither HTTP nor a database.

pub mod account;
pub mod auto_payment;
pub mod fee;
pub mod guest;
pub mod id;
pub mod invoice;
pub mod list;
pub mod listing;
pub mod local;
pub mod oauth;
pub mod payment;
pub mod payment_method;
pub mod payout;
pub mod provider;
pub mod report;
pub mod reservation;
mod schema;
pub mod tax;
pub mod time;
pub mod transaction;
pub mod webhook;

pub use id::ObjectId;
pub use time::Timestamp;
