//! The wire contract of the Open API: requests, replies, errors, ids and instants, as types that
//! the server and its clients share. It knows neither HTTP nor a database.

pub mod id;
pub mod time;

pub use id::ObjectId;
pub use time::Timestamp;
