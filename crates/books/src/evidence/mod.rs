//! The evidence: what came from outside, byte for byte, in the order in which it came.
//!
//! Each connection has a chain of records. A record is signed, under the chain's own key, together
//! with the signature of the record before it; so no record can be changed, taken out, put in or
//! moved without that being seen by [`Chain::verify`]. The key is sealed in the vault and not in the
//! database: who has only the database cannot sign. That the chain was cut at its end can be seen
//! by its own row, and surely by a [`Head`] that was written down elsewhere.
//!
//! It refuses to know what the records mean.

mod chain;
mod head;
mod record;
mod signer;
#[cfg(test)]
mod tests;
mod verify;

pub use chain::{Chain, Tip};
pub(crate) use chain::{after, append, key_context, parts, tip};
pub use head::{Head, InvalidHead};
pub use record::{Kind, NewRecord, Record};
pub(crate) use signer::Signer;
pub use verify::{Flaw, Verdict};
