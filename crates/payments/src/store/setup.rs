//! What stands in no resource's own file, because only an operator makes it.

use contract::Timestamp;
use contract::id::{AccountId, PaymentProviderId};
use diesel::prelude::*;
use store::Connection;

use crate::Error;
use crate::schema::provider;
use crate::store::payment_method::ACTIVE;

/// An account's default way to the sandbox.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = provider)]
pub(crate) struct SandboxProvider {
    pub(crate) id: PaymentProviderId,
    pub(crate) account_id: AccountId,
    pub(crate) name: String,
    /// `STRIPE` or `AMARYLLIS`.
    pub(crate) method: &'static str,
    /// The account at the sandbox.
    pub(crate) merchant: String,
    pub(crate) created_ms: Timestamp,
}

pub(crate) fn insert_provider(
    connection: &mut Connection,
    new: &SandboxProvider,
) -> Result<(), Error> {
    diesel::insert_into(provider::table)
        .values((
            new,
            provider::processor.eq("SANDBOX"),
            provider::status.eq(ACTIVE),
            provider::is_default.eq(true),
        ))
        .execute(connection)?;
    Ok(())
}
