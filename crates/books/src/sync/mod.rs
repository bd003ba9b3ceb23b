//! Bringing the mirror up to date, by reading.
//!
//! Lists are read page by page. What a page changes, the page itself as evidence, and how far the
//! list was read are committed together: after an interruption at any point, the next run goes on
//! where this one was, and nothing is in twice. Running again changes nothing that is not new.
//!
//! - Properties and reservations come in the order of their ids. What the mirror has between two
//!   that the source shows side by side, is asked for by itself: it is gone, or tells what it is now.
//! - The processors' reports are read by months, each until the source has no more rows, and taken
//!   in whole. Rows change late, so a month is read again and again until it is *mature*.
//! - One run at a time reads a connection, in whichever process, and each is on record
//!   ([`RunRecord`]).
//! - One object, page or list that cannot be read is a [`Problem`] of the run, and the rest goes on,
//!   unless the source gives nothing at all.

mod account;
mod ahead;
mod catalog;
mod changes;
mod lease;
mod months;
mod objects;
mod outage;
mod place;
mod record;
mod reports;
mod reread;
mod run;
mod source;
mod span;
mod spool;
mod stop;
mod summary;
mod walk;

pub use record::RunRecord;
pub use reread::RereadError;
pub use run::{Settings, Sync};
pub use source::{FirstGeneration, List, ListPage, Source};
pub use span::{InvalidSpan, Span, UnreadableSpan};
pub use summary::{Part, Problem, Progress, Summary};
