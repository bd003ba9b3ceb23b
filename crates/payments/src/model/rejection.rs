//! Commands that the rules refuse, by stable names; the text says what is wrong and what to do.

/// A refused command. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No such reservation in the account.
    #[error("Reservation Not Found")]
    ReservationNotFound,
}

impl Rejection {
    /// Whether the command named something that does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::ReservationNotFound)
    }
}
