//! The books, on both engines.

#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "helpers of tests may fail as tests do, and serve the tests alone"
)]

mod histories;
mod hooks;
mod house;
mod post;
mod support;

mod account;
mod changes;
mod connection;
mod disk;
mod evidence;
mod hostile;
mod inbox;
mod jobs;
mod kills;
mod lights;
mod mirror;
mod order;
mod outage;
mod rebuild;
mod reread;
mod reseal;
mod rogues;
mod runs;
mod secrecy;
mod shifts;
mod stop;
mod sync;
mod webhook;
