//! The sub-accounts whose feeds are read, and how far.

use contract::id::{AccountId, PaymentProviderId};
use diesel::prelude::*;
use processors::{Cursor, MerchantId, SubAccount, TransactionRecord};
use store::{Connection, both};

use super::payout::Piece;
use crate::Error;
use crate::schema::{feed_cursor, provider};

const ACTIVE: &str = "ACTIVE";
const SANDBOX: &str = "SANDBOX";
const NOT_UNDER_WAY: i64 = 0;

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
    /// The last position that was read of its payouts.
    pub(crate) payout_position: i64,
    /// The position of the payout of which some lines are kept, but not all; 0: there is none.
    payout_under_way: i64,
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
            payout_position: Cursor::START.0,
            payout_under_way: NOT_UNDER_WAY,
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
    let feeds = both!(connection, c => feed_cursor::table
        .filter(feed_cursor::account_id.eq(account))
        .order(feed_cursor::sub_account_id)
        .select(Feed::as_select())
        .load(c));
    Ok(feeds?)
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
    let is_there = |read: &Feed| {
        let mut feeds = now.iter();
        feeds.any(|feed| {
            feed.sub_account_id == read.sub_account_id && feed.position == read.position
        })
    };
    if !read_from.iter().all(is_there) {
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

/// Says whether a piece of a payout may be kept, and keeps how far the feed is read with it. Not if the
/// feed has moved on, or lines of the payout were kept in between as it was at another position: then
/// nothing has changed. The account must be locked.
pub(crate) fn claim(
    connection: &mut Connection,
    account: AccountId,
    piece: &Piece,
) -> Result<bool, Error> {
    let payout = &piece.payout;
    let feed = feed_cursor::table.find((account, payout.sub_account.as_str()));
    let found: Option<Feed> = feed
        .select(Feed::as_select())
        .first(connection)
        .optional()?;
    let is_ours = found.is_some_and(|feed| {
        let continues = feed.payout_under_way == payout.position.0;
        feed.payout_position == piece.after.0 && (piece.is_first() || continues)
    });
    if is_ours {
        let (position, under_way) = if piece.is_last() {
            (payout.position.0, NOT_UNDER_WAY)
        } else {
            (piece.after.0, payout.position.0)
        };
        diesel::update(feed)
            .set((
                feed_cursor::payout_position.eq(position),
                feed_cursor::payout_under_way.eq(under_way),
            ))
            .execute(connection)?;
    }
    Ok(is_ours)
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
        .order(provider::id);
    let sources = match account {
        Some(account) => both!(connection, c => active
            .filter(provider::account_id.eq(account))
            .select(Source::as_select())
            .load(c)),
        None => both!(connection, c => active.select(Source::as_select()).load(c)),
    };
    Ok(sources?)
}

/// The merchants whose books are read there.
pub(crate) fn merchants(sources: &[Source]) -> Vec<MerchantId> {
    let merchants = sources
        .iter()
        .filter_map(|source| source.merchant.as_deref());
    merchants.map(MerchantId::new).collect()
}
