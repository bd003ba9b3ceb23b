//! The accounting system, beginning with what it rests on.
//!
//! - [`evidence`]: everything that came from outside, in a chain for each connection that is only
//!   ever added to and that shows what was changed;
//! - [`mirror`]: what the evidence says, as it stands and as it stood; a fold of the chain;
//! - [`sync`]: reading the account until the mirror is up to date;
//! - [`connection`]: which account that is, and how to reach it; connections stand in a
//!   [`portfolio`], and [`choice`] finds the one that is meant;
//! - [`standing`]: whether it works, as people are told; [`api`]: what a server answers.
//!
//! The books know the account that they mirror by its HTTP replies alone: whether those come from
//! the real source or from our own platform, they cannot tell.

pub mod api;
mod books;
pub mod choice;
pub mod connection;
mod error;
pub mod evidence;
pub mod inbox;
pub mod jobs;
mod metrics;
pub mod mirror;
mod order;
pub mod portfolio;
mod schema;
pub mod standing;
mod subject;
pub mod sync;
mod threads;

use diesel_migrations::embed_migrations;

pub use books::Books;
pub use error::Error;
pub use order::{Folded, Heard, Pace, RebuildOrder, SyncOrder};
pub use subject::in_short;

/// The tables of the books.
pub const MIGRATIONS: store::Migrations = embed_migrations!();
/// The name of the books' file or schema.
pub const STORE_NAME: &str = "books";
