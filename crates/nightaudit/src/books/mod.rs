//! The commands of the books.

mod amounts;
pub(crate) mod connect;
mod desk;
pub(crate) mod disconnect;
pub(crate) mod flagged;
pub(crate) mod history;
pub(crate) mod lights;
mod meter;
pub(crate) mod portfolio;
pub(crate) mod rebuild;
pub(crate) mod refresh;
mod secret;
pub(crate) mod status;
mod stop;
pub(crate) mod sync;
pub(crate) mod verify;

pub(crate) use desk::BooksDesk;
pub(crate) use history::AsKnownOn;
use meter::Meter;

use books::choice::Choice;

use crate::cli::Which;

impl From<Which> for Choice {
    fn from(which: Which) -> Self {
        Self {
            portfolio: which.portfolio,
            connection: which.connection,
        }
    }
}
