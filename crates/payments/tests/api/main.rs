//! The platform, asked over HTTP in process, on both engines.

mod support;

mod accounts;
mod bad_input;
mod guests;
mod listings;
mod oauth;
mod payment_methods;
mod payments;
mod providers;
mod reservations;
mod transactions;
