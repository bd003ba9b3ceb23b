//! Attempts: every call of a processor, kept before it is made, with its reply.

use contract::Timestamp;
use contract::id::{AttemptId, PaymentId, RefundId, ReservationId};
use diesel::prelude::*;
use store::{Connection, both, update_prepared};

use crate::Error;
use crate::model::AttemptKind;
use crate::schema::{attempt, payment};

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptState {
    /// Kept, and perhaps made: there is no answer yet.
    Started,
    /// The processor did not answer: it must be looked up.
    Unknown,
    /// It went through.
    Succeeded,
    /// It did not.
    Failed,
}

impl AttemptState {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Unknown => "UNKNOWN",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }
}

/// An attempt as it is shown.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = attempt, treat_none_as_default_value = false)]
pub(crate) struct AttemptRow {
    pub(crate) id: AttemptId,
    pub(crate) payment_id: PaymentId,
    pub(crate) refund_id: Option<RefundId>,
    pub(crate) kind: String,
    pub(crate) amount_minor: i64,
    pub(crate) state: String,
    pub(crate) error: Option<String>,
    pub(crate) payload: Option<String>,
    pub(crate) created_ms: Timestamp,
    pub(crate) ended_ms: Option<Timestamp>,
}

impl AttemptRow {
    /// An attempt that is about to be made.
    pub(crate) fn starting(
        id: AttemptId,
        payment: PaymentId,
        refund: Option<RefundId>,
        kind: AttemptKind,
        amount_minor: i64,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            payment_id: payment,
            refund_id: refund,
            kind: kind.name().to_owned(),
            amount_minor,
            state: AttemptState::Started.name().to_owned(),
            error: None,
            payload: None,
            created_ms: now,
            ended_ms: None,
        }
    }

    /// The same once it is answered.
    pub(crate) fn ended(self, ending: &Ending<'_>) -> Self {
        Self {
            state: ending.state.name().to_owned(),
            error: ending.error.map(str::to_owned),
            payload: ending.payload.map(str::to_owned),
            ended_ms: Some(ending.at),
            ..self
        }
    }

    /// Whether it is of this kind.
    pub(crate) fn is(&self, kind: AttemptKind) -> bool {
        self.kind == kind.name()
    }

    /// The Open API's name of where it stands.
    pub(crate) fn public_status(&self) -> &'static str {
        match self.state.as_str() {
            "SUCCEEDED" => "SUCCEEDED",
            "FAILED" => "FAILED",
            _ => "PENDING",
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending<'a> {
    pub(crate) state: AttemptState,
    pub(crate) error: Option<&'a str>,
    /// The processor's reply, as it came.
    pub(crate) payload: Option<&'a str>,
    pub(crate) at: Timestamp,
}

/// Keeps an attempt that is about to be made.
pub(crate) fn start(connection: &mut Connection, row: AttemptRow) -> Result<(), Error> {
    both!(connection, c => diesel::insert_into(attempt::table).values(row).execute(c))?;
    Ok(())
}

/// Keeps that there was no answer.
pub(crate) fn mark_unknown(connection: &mut Connection, id: AttemptId) -> Result<(), Error> {
    let unknown = attempt::state.eq(AttemptState::Unknown.name());
    let attempt = attempt::table.find(id);
    update_prepared!(connection, attempt, unknown)?;
    Ok(())
}

/// Keeps the answer.
pub(crate) fn end(
    connection: &mut Connection,
    id: AttemptId,
    ending: &Ending<'_>,
) -> Result<(), Error> {
    let changes = (
        attempt::state.eq(ending.state.name()),
        attempt::error.eq(ending.error),
        attempt::payload.eq(ending.payload),
        attempt::ended_ms.eq(ending.at),
    );
    let attempt = attempt::table.find(id);
    update_prepared!(connection, attempt, changes)?;
    Ok(())
}

/// All attempts of a reservation's payments, the oldest first.
pub(crate) fn of_reservation(
    connection: &mut Connection,
    reservation: ReservationId,
) -> Result<Vec<AttemptRow>, Error> {
    Ok(attempt::table
        .inner_join(payment::table.on(payment::id.eq(attempt::payment_id)))
        .filter(payment::reservation_id.eq(reservation))
        .order((attempt::created_ms, attempt::id))
        .select(AttemptRow::as_select())
        .load(connection)?)
}

/// What went wrong with an attempt.
pub(crate) fn error_of(
    connection: &mut Connection,
    id: AttemptId,
) -> Result<Option<String>, Error> {
    let error: Option<Option<String>> = attempt::table
        .find(id)
        .select(attempt::error)
        .first(connection)
        .optional()?;
    Ok(error.flatten())
}
