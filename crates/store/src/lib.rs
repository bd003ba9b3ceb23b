//! One door to the database, whichever engine stands behind it.
//!
//! [`Store::read`] and [`Store::write`] are the only ways in. The same Diesel code runs on SQLite
//! (embedded, one writer thread with group commit) and on PostgreSQL (a pool, the aggregate's row
//! locked first, retries after conflicts). The crate also holds what every keeper of state needs:
//! migrations, the data directory's lock, new ids and the clock. It knows no table of anybody.

mod bulk;
mod clock;
mod connection;
mod data_dir;
mod engine;
mod error;
mod ids;
mod migrate;
mod pool;
mod prepared;
mod presence;
mod scratch;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod url;
mod writer;

pub use bulk::in_bulk;
pub use clock::{Clock, ManualClock, SystemClock};
pub use connection::{AnyConnection as Connection, MultiBackend};
pub use data_dir::{Control, DataDir, DataDirError};
pub use error::{Error, Failure};
pub use ids::{new_id, random_bytes};
pub use migrate::{Migrations, exists, migrate};
pub use prepared::PreparedUpdate;
pub use presence::is_in_use;
pub use scratch::Scratch;
pub use store::{Lock, Store};
pub use url::{DatabaseUrl, InvalidDatabaseUrl};
