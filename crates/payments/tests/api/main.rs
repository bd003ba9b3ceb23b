//! The platform, asked over HTTP in process, on both engines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test says what is wrong by failing, wherever in its support that is"
)]

mod recorded;
mod support;

mod accounts;
mod advance;
mod auto_payments;
mod backlog;
mod bad_input;
mod compatibility;
mod control;
mod faults;
mod fees;
mod fixtures;
mod guests;
mod histories;
mod idempotency;
mod imports;
mod invoice_items;
mod kills;
mod limits;
mod listings;
mod oauth;
mod openapi;
mod payment_methods;
mod payments;
mod payout_imports;
mod payouts;
mod portfolio;
mod providers;
mod reservation_lists;
mod reservations;
mod reset;
mod settling;
mod taxes;
mod transactions;
mod triggers;
mod watch;
mod webhooks;
mod wrong_types;
