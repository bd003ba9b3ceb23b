//! The policies of automatic payments: an account's, and its listings' own.

use contract::auto_payment::{Policy, PolicyLevel};
use contract::id::{AccountId, ListingId};
use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use store::Connection;

use crate::Error;
use crate::schema::auto_payments_policy;

/// The policy that holds for a listing, or for the account: the listing's own before the account's.
pub(crate) fn holding(
    connection: &mut Connection,
    account: AccountId,
    listing: Option<ListingId>,
) -> Result<Option<(PolicyLevel, Policy)>, Error> {
    let whose = listing.map_or(account.0, |listing| listing.0);
    let known: Vec<(ObjectId, String)> = auto_payments_policy::table
        .filter(
            auto_payments_policy::id
                .eq(whose)
                .or(auto_payments_policy::id.eq(account.0)),
        )
        .filter(auto_payments_policy::account_id.eq(account))
        .select((auto_payments_policy::id, auto_payments_policy::terms))
        .load(connection)?;
    let own = known.iter().find(|(id, _)| *id == whose);
    let Some((id, terms)) = own.or(known.first()) else {
        return Ok(None);
    };
    let level = if *id == account.0 {
        PolicyLevel::Account
    } else {
        PolicyLevel::Listing
    };
    Ok(Some((level, read(terms)?)))
}

/// Sets a listing's policy, or the account's.
pub(crate) fn set(
    connection: &mut Connection,
    account: AccountId,
    listing: Option<ListingId>,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), Error> {
    let values = (
        auto_payments_policy::terms.eq(write(policy)?),
        auto_payments_policy::updated_ms.eq(now),
    );
    let id = listing.map_or(account.0, |listing| listing.0);
    let changed = diesel::update(auto_payments_policy::table.find(id))
        .set(values.clone())
        .execute(connection)?;
    if changed == 0 {
        let whose = (
            auto_payments_policy::id.eq(id),
            auto_payments_policy::account_id.eq(account),
        );
        diesel::insert_into(auto_payments_policy::table)
            .values((whose, values))
            .execute(connection)?;
    }
    Ok(())
}

/// Takes a listing's own policy away.
pub(crate) fn remove(connection: &mut Connection, listing: ListingId) -> Result<(), Error> {
    diesel::delete(auto_payments_policy::table.find(listing.0)).execute(connection)?;
    Ok(())
}

/// A policy as it is kept.
pub(crate) fn write(policy: &Policy) -> Result<String, Error> {
    serde_json::to_string(policy)
        .map_err(|error| Error::Corrupt(format!("a policy cannot be written: {error}")))
}

/// Reads what [`write`] wrote.
pub(crate) fn read(text: &str) -> Result<Policy, Error> {
    serde_json::from_str(text)
        .map_err(|error| Error::Corrupt(format!("a policy cannot be read: {error}")))
}
