//! The commands of the books.

pub(crate) mod connect;
mod desk;
pub(crate) mod disconnect;
mod lights;
pub(crate) mod portfolio;
pub(crate) mod refresh;
mod secret;
pub(crate) mod status;

pub(crate) use desk::BooksDesk;

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
