//! What processors reported that they paid out.
//!
//! A payout takes the next places for all its lines at once, among its account's and among its
//! sub-account's; one that changes keeps them. [`super::payout_row`] says how they are read.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use contract::Timestamp;
use contract::id::AccountId;
use diesel::prelude::*;
use processors::{Activity, Cursor, Fee, PayoutLine, PayoutRecord, Release};
use store::{Connection, both};

use super::run::{self, Scope};
use crate::Error;
use crate::model::report::day_of;
use crate::schema::{payout, payout_line};

/// Some lines of a payout; with the last of them, the payout itself.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Where the feed is before the payout is kept.
    pub(crate) after: Cursor,
    pub(crate) payout: Arc<PayoutRecord>,
    /// Which lines.
    pub(crate) lines: Range<usize>,
}

impl Piece {
    pub(crate) fn is_first(&self) -> bool {
        self.lines.start == 0
    }

    pub(crate) fn is_last(&self) -> bool {
        self.lines.end == self.payout.lines.len()
    }

    fn numbered_lines(&self) -> impl Iterator<Item = (i64, &PayoutLine)> {
        let lines = self.payout.lines.iter().enumerate();
        lines
            .skip(self.lines.start)
            .take(self.lines.len())
            .map(|(number, line)| (signed(number), line))
    }
}

/// Keeps a piece: what is new, and what has changed where it is. The account must be locked.
pub(crate) fn keep(
    connection: &mut Connection,
    account: AccountId,
    piece: &Piece,
) -> Result<(), Error> {
    keep_lines(connection, account, piece)?;
    if piece.is_last() {
        keep_payout(connection, account, &piece.payout)?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq, Insertable, AsChangeset, Queryable, Selectable)]
#[diesel(
    table_name = payout_line,
    treat_none_as_default_value = false,
    treat_none_as_null = true
)]
struct LineRow {
    account_id: AccountId,
    payout_id: String,
    number: i64,
    activity: String,
    detail: Option<String>,
    amount_minor: i64,
    settled_ms: Timestamp,
    transaction_id: Option<String>,
    reserve_ms: Option<Timestamp>,
    adjustment_id: Option<String>,
    adjustment_category: Option<String>,
}

impl LineRow {
    fn new(account_id: AccountId, payout: &PayoutRecord, number: i64, line: &PayoutLine) -> Self {
        let row = Self {
            account_id,
            payout_id: payout.id.to_string(),
            number,
            activity: String::new(),
            detail: None,
            amount_minor: line.amount.minor(),
            settled_ms: line.settled_at,
            transaction_id: None,
            reserve_ms: None,
            adjustment_id: None,
            adjustment_category: None,
        };
        match &line.activity {
            Activity::Transaction {
                transaction,
                kind: _,
            } => Self {
                activity: TRANSACTION.to_owned(),
                transaction_id: Some(transaction.to_string()),
                ..row
            },
            Activity::Fee { transaction, fee } => Self {
                activity: FEE.to_owned(),
                detail: Some(fee_name(*fee).to_owned()),
                transaction_id: Some(transaction.to_string()),
                ..row
            },
            Activity::ReserveHeld {
                transaction,
                release_at,
            } => Self {
                activity: RESERVE_HELD.to_owned(),
                transaction_id: Some(transaction.to_string()),
                reserve_ms: Some(*release_at),
                ..row
            },
            Activity::ReserveReleased {
                transaction,
                collected_at,
                release,
            } => Self {
                activity: RESERVE_RELEASED.to_owned(),
                detail: Some(release_name(*release).to_owned()),
                transaction_id: Some(transaction.to_string()),
                reserve_ms: Some(*collected_at),
                ..row
            },
            Activity::Adjustment { id, category } => Self {
                activity: ADJUSTMENT.to_owned(),
                adjustment_id: Some(id.clone()),
                adjustment_category: Some(category.clone()),
                ..row
            },
        }
    }
}

/// What a line can be, as reports name it.
pub(crate) const TRANSACTION: &str = "Transaction";
pub(crate) const FEE: &str = "Fee";
pub(crate) const RESERVE_HELD: &str = "Reserve Held";
pub(crate) const RESERVE_RELEASED: &str = "Reserve Released";
pub(crate) const ADJUSTMENT: &str = "Adjustment";

const fn fee_name(fee: Fee) -> &'static str {
    match fee {
        Fee::Percentage => "Percentage",
        Fee::Fixed => "Fixed",
        Fee::Dispute => "Dispute",
    }
}

const fn release_name(release: Release) -> &'static str {
    match release {
        Release::Scheduled => "Scheduled",
        Release::Refund => "Refund",
        Release::Chargeback => "Chargeback",
    }
}

fn keep_lines(connection: &mut Connection, account: AccountId, piece: &Piece) -> Result<(), Error> {
    let (start, end) = (signed(piece.lines.start), signed(piece.lines.end));
    let known: Vec<LineRow> = payout_line::table
        .filter(payout_line::account_id.eq(account))
        .filter(payout_line::payout_id.eq(piece.payout.id.as_str()))
        .filter(payout_line::number.ge(start))
        .filter(payout_line::number.lt(end))
        .select(LineRow::as_select())
        .load(connection)?;
    let known: HashMap<i64, LineRow> = known.into_iter().map(|row| (row.number, row)).collect();
    let mut new = Vec::new();
    for (number, line) in piece.numbered_lines() {
        let row = LineRow::new(account, &piece.payout, number, line);
        match known.get(&number) {
            None => new.push(row),
            Some(before) if *before == row => {}
            Some(_) => {
                let same = (account, piece.payout.id.as_str(), number);
                diesel::update(payout_line::table.find(same))
                    .set(&row)
                    .execute(connection)?;
            }
        }
    }
    both!(connection, c => diesel::insert_into(payout_line::table).values(new).execute(c))?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = payout)]
struct NewPayout<'a> {
    account_id: AccountId,
    id: &'a str,
    first_place: i64,
    sub_account_id: &'a str,
    first_sub_account_place: i64,
    line_count: i64,
    #[diesel(embed)]
    facts: Facts<'a>,
    process_ms: Timestamp,
}

/// What may change. The process date does not: places by day depend on it.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = payout, treat_none_as_null = true)]
struct Facts<'a> {
    amount_minor: i64,
    currency: &'a str,
    status: &'a str,
    rejected_ms: Option<Timestamp>,
    code: &'a str,
    reissue_of: Option<String>,
    descriptor: &'a str,
}

fn keep_payout(
    connection: &mut Connection,
    account: AccountId,
    record: &PayoutRecord,
) -> Result<(), Error> {
    let facts = Facts {
        amount_minor: record.amount.minor(),
        currency: record.amount.currency().code(),
        status: record.status.name(),
        rejected_ms: record.rejected_at,
        code: &record.authorization_or_error_code,
        reissue_of: record.reissue_of.as_ref().map(ToString::to_string),
        descriptor: &record.descriptor,
    };
    let line_count = signed(record.lines.len());
    let this = payout::table.find((account, record.id.as_str()));
    let known: Option<i64> = this
        .select(payout::line_count)
        .first(connection)
        .optional()?;
    match known {
        Some(count) if count == line_count => {
            diesel::update(this).set(facts).execute(connection)?;
        }
        Some(count) => {
            return Err(Error::ChangedPayout {
                payout: record.id.to_string(),
                known: count,
                reported: line_count,
            });
        }
        None => {
            let sub_account_id = record.sub_account.as_str();
            let rows = [(day_of(record.process_at), line_count)];
            let mut places = |scope| run::append(connection, &scope, rows);
            let new = NewPayout {
                account_id: account,
                id: record.id.as_str(),
                first_place: places(Scope::payouts(account, None))?,
                sub_account_id,
                first_sub_account_place: places(Scope::payouts(account, Some(sub_account_id)))?,
                line_count,
                facts,
                process_ms: record.process_at,
            };
            both!(connection, c => diesel::insert_into(payout::table).values(new).execute(c))?;
        }
    }
    Ok(())
}

/// A count of lines, which memory holds.
fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
