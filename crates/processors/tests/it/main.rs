//! The sandbox processor, asked through the trait alone, on both engines.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected has failed"
)]

mod bank;
mod books;
mod disputes;
mod histories;
mod payouts;
mod properties;
mod races;
mod raw;
mod reserves;
mod reset;
mod settlement;
mod tokens;
mod voids;
