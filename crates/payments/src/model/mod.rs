//! The rules: pure functions of state, command and time. No clock, no randomness, no database, no
//! HTTP, no `async`.

mod rejection;

pub use rejection::Rejection;
