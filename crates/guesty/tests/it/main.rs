//! The client against a small server that misbehaves on demand, over real sockets.

#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "helpers of tests may fail as tests do, and serve the tests alone"
)]

mod server;

mod faults;
mod paging;
mod reading;
mod registrar;
mod tokens;
