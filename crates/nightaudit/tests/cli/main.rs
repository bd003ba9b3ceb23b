//! The program as people run it: real processes, real sockets, on both engines.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    unreachable_pub,
    reason = "helpers of tests may fail as tests do, and serve the tests alone"
)]

mod estate;
mod support;
mod watching;

mod books;
mod commands;
mod configuration;
mod connect;
mod connections;
mod copies;
mod demo;
mod guesty;
mod hostile;
mod keys;
mod lights;
mod records;
mod relay;
mod sandbox;
mod serving;
mod stopping;
mod terminal;
mod tokens;
mod webhooks;
