//! The sub-accounts whose feeds are read, and how far.

use contract::id::{AccountId, PaymentProviderId};
use diesel::prelude::*;
use processors::{Cursor, SubAccount, TransactionRecord};
use store::{Connection, both};

use crate::Error;
use crate::schema::{feed_cursor, provider};

const ACTIVE: &str = "ACTIVE";
const SANDBOX: &str = "SANDBOX";

/// A sub-account's feed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = feed_cursor)]
pub(crate) struct Feed {
    pub(crate) account_id: AccountId,
    pub(crate) sub_account_id: String,
    pub(crate) label: String,
    pub(crate) provider_id: PaymentProviderId,
    /// The last position that was read.
    pub(crate) position: i64,
}

impl Feed {
    /// A feed of which nothing has been read yet.
    pub(crate) fn new(
        account_id: AccountId,
        provider_id: PaymentProviderId,
        sub_account: &SubAccount,
    ) -> Self {
        Self {
            account_id,
            sub_account_id: sub_account.id.to_string(),
            label: sub_account.label(),
            provider_id,
            position: Cursor::START.0,
        }
    }
}

/// Keeps those that are not known yet.
pub(crate) fn register(connection: &mut Connection, feeds: &[Feed]) -> Result<(), Error> {
    for feed in feeds {
        both!(connection, c => diesel::insert_into(feed_cursor::table)
            .values(feed)
            .on_conflict_do_nothing()
            .execute(c))?;
    }
    Ok(())
}

/// All feeds of an account.
pub(crate) fn of_account(
    connection: &mut Connection,
    account: AccountId,
) -> Result<Vec<Feed>, Error> {
    Ok(feed_cursor::table
        .filter(feed_cursor::account_id.eq(account))
        .order(feed_cursor::sub_account_id)
        .select(Feed::as_select())
        .load(connection)?)
}

/// Moves positions on to the last of these records, unless a feed is no longer where it was read
/// from: then it says no, and nothing has changed. The account must be locked.
pub(crate) fn advance(
    connection: &mut Connection,
    account: AccountId,
    read_from: &[Feed],
    records: &[TransactionRecord],
) -> Result<bool, Error> {
    let now = of_account(connection, account)?;
    if !read_from.iter().all(|feed| now.contains(feed)) {
        return Ok(false);
    }
    for feed in read_from {
        let of_feed = records
            .iter()
            .filter(|record| record.sub_account.as_str() == feed.sub_account_id);
        let Some(last) = of_feed.map(|record| record.position).max() else {
            continue;
        };
        diesel::update(feed_cursor::table.find((account, &feed.sub_account_id)))
            .set(feed_cursor::position.eq(last.0))
            .execute(connection)?;
    }
    Ok(true)
}

/// An active provider whose processor keeps books that can be read.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = provider)]
pub(crate) struct Source {
    #[diesel(column_name = id)]
    pub(crate) provider_id: PaymentProviderId,
    pub(crate) account_id: AccountId,
    /// The account at the processor; none: not set up there.
    pub(crate) merchant: Option<String>,
}

/// The sources of an account; of all accounts, without one.
pub(crate) fn sources(
    connection: &mut Connection,
    account: Option<AccountId>,
) -> Result<Vec<Source>, Error> {
    let active = provider::table
        .filter(provider::status.eq(ACTIVE))
        .filter(provider::processor.eq(SANDBOX))
        .select(Source::as_select())
        .order(provider::id);
    Ok(match account {
        Some(account) => active
            .filter(provider::account_id.eq(account))
            .load(connection)?,
        None => active.load(connection)?,
    })
}
