//! The two doors, on both engines.

#![expect(unreachable_pub, reason = "a test program exports nothing")]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "stories are tests, though clippy sees that only of the functions that tell them"
)]

mod commit;
mod crash;
mod disk;
mod lock;
mod open;
mod postgres;
mod read;
mod support;
mod values;
