//! All the SQL: a file for each noun, functions over a connection. Nothing here decides anything.

pub(crate) mod account;
pub(crate) mod agenda;
pub(crate) mod application;
pub(crate) mod attempt;
pub(crate) mod clock_lease;
pub(crate) mod event;
pub(crate) mod feed;
pub(crate) mod folio;
pub(crate) mod fragment;
pub(crate) mod guest;
pub(crate) mod invoice;
pub(crate) mod listing;
pub(crate) mod payment_method;
pub(crate) mod payout;
pub(crate) mod payout_row;
pub(crate) mod provider;
pub(crate) mod reservation;
pub(crate) mod reservation_search;
pub(crate) mod run;
pub(crate) mod scope;
pub(crate) mod secret;
pub(crate) mod setup;
pub(crate) mod statement;
pub(crate) mod token;
pub(crate) mod transaction;
