//! Statements: a folio with all that is shown of it.

use store::Connection;

use super::attempt::{self, AttemptRow};
use super::folio::Stay;
use super::payment_method::{self, MethodSummary};
use crate::Error;

/// A folio with what its own rows do not hold.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) stay: Stay,
    /// The attempts of all payments, the oldest first.
    pub(crate) attempts: Vec<AttemptRow>,
    /// The methods of all payments.
    pub(crate) methods: Vec<MethodSummary>,
}

impl Statement {
    /// Reads what the folio itself does not hold.
    pub(crate) fn read(connection: &mut Connection, stay: Stay) -> Result<Self, Error> {
        let reservation = stay.folio.reservation;
        let (attempts, methods) = if stay.folio.payments.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            (
                attempt::of_reservation(connection, reservation)?,
                payment_method::summaries(connection, reservation)?,
            )
        };
        Ok(Self {
            stay,
            attempts,
            methods,
        })
    }
}
