//! The mirror: what the evidence says of an account, as it stands now and as it stood before.
//!
//! It is a fold: each record that is appended changes the mirror as a pure function of the record
//! and of the mirror before it. No clock and no chance take part, so the same chain folds to the
//! same mirror, byte for byte ([`Mirror::rebuild`]). An object that changes keeps what it was before
//! ([`Mirror::history`]), so it can be asked for as it was known then ([`AsOf`]).
//!
//! It refuses to compute: amounts, statuses and dates are what the source said. What the books do
//! not understand is kept, and [flagged](Flag).

mod absorb;
mod away;
mod canonical;
mod charge;
mod desk;
mod difference;
mod fingerprint;
mod flag;
mod flagged;
mod fold;
mod history;
mod key;
mod kind;
mod marks;
mod read;
mod rebuild;
mod state;
mod step;
mod table;

pub(crate) use absorb::{Delivery, FLAGGED_MAX, Taken, absorb, absorb_whole};
pub use charge::{Charge, charges};
pub use difference::{Difference, Fault};
pub use flag::{Flag, Flagged, Reason};
pub(crate) use flagged::count_flagged;
pub use flagged::{FlaggedCounts, FlaggedPage};
pub use history::{Change, Step, Value};
pub use kind::{Kind, Mirrored};
pub(crate) use marks::{Asking, ReaderId};
pub use read::{AsOf, Known, Lookup, Mirror};
pub(crate) use read::{current, last_active};
pub use rebuild::Rebuilt;
pub use state::AppliedTaxes;
pub use step::Counts;
