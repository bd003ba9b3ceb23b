//! Who moves an account's clock: one server at a time, for as long as it says that it goes on.

use contract::id::AccountId;
use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use store::Connection;

use crate::Error;
use crate::schema::clock_lease;

/// Takes, or keeps, the lease until an instant of wall time; says whether it is ours. The account's
/// row must be locked.
pub(crate) fn take(
    connection: &mut Connection,
    account: AccountId,
    holder: ObjectId,
    wall: Timestamp,
    until: Timestamp,
) -> Result<bool, Error> {
    let held: Option<(ObjectId, Timestamp)> = clock_lease::table
        .filter(clock_lease::id.eq(account))
        .select((clock_lease::holder, clock_lease::until_ms))
        .first(connection)
        .optional()?;
    let values = (
        clock_lease::holder.eq(holder),
        clock_lease::until_ms.eq(until),
    );
    match held {
        Some((other, until)) if other != holder && until > wall => return Ok(false),
        Some(_) => {
            diesel::update(clock_lease::table.filter(clock_lease::id.eq(account)))
                .set(values)
                .execute(connection)?;
        }
        None => {
            diesel::insert_into(clock_lease::table)
                .values((clock_lease::id.eq(account), values.0, values.1))
                .execute(connection)?;
        }
    }
    Ok(true)
}

/// Gives the lease back, if it is ours.
pub(crate) fn release(
    connection: &mut Connection,
    account: AccountId,
    holder: ObjectId,
) -> Result<(), Error> {
    let ours = clock_lease::id
        .eq(account)
        .and(clock_lease::holder.eq(holder));
    diesel::delete(clock_lease::table.filter(ours)).execute(connection)?;
    Ok(())
}
