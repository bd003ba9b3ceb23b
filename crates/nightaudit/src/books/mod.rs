//! The commands of the books.

pub(crate) mod connect;
mod desk;
mod lights;
pub(crate) mod portfolio;
mod secret;

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
