//! The rows of the payouts report: each line of each payout, with the transaction that it is or belongs
//! to, in the order in which payouts became known.

use std::collections::{BTreeMap, HashSet};

use contract::Timestamp;
use contract::id::{AccountId, ListingId};
use diesel::dsl::{IntoBoxed, auto_type};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use store::{Connection, MultiBackend, both};

use super::run::{self, Book, Scope, Span};
use super::transaction::Transaction;
use crate::Error;
use crate::model::report::{Filter, ReportRequest, Window};
use crate::schema::{payout, payout_line, processor_transaction as transaction, reservation};

/// A row.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payout)]
pub(crate) struct PayoutRow {
    #[diesel(embed)]
    pub(crate) payout: Payout,
    #[diesel(embed)]
    pub(crate) line: Line,
    /// What the line is, or belongs to.
    #[diesel(embed)]
    pub(crate) transaction: Option<Transaction>,
}

/// The payout of a row.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payout)]
pub(crate) struct Payout {
    pub(crate) id: String,
    pub(crate) sub_account_id: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) status: String,
    pub(crate) process_ms: Timestamp,
    pub(crate) rejected_ms: Option<Timestamp>,
    pub(crate) code: String,
    pub(crate) reissue_of: Option<String>,
    pub(crate) descriptor: String,
}

/// The line of a row.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payout_line)]
pub(crate) struct Line {
    pub(crate) activity: String,
    pub(crate) detail: Option<String>,
    pub(crate) amount_minor: i64,
    pub(crate) settled_ms: Timestamp,
    pub(crate) transaction_id: Option<String>,
    pub(crate) reserve_ms: Option<Timestamp>,
    pub(crate) adjustment_id: Option<String>,
    pub(crate) adjustment_category: Option<String>,
}

#[auto_type(type_case = "PascalCase")]
fn lines() -> _ {
    payout::table
        .inner_join(
            payout_line::table.on(payout_line::account_id
                .eq(payout::account_id)
                .and(payout_line::payout_id.eq(payout::id))),
        )
        .left_join(
            transaction::table.on(transaction::account_id
                .eq(payout_line::account_id)
                .and(transaction::id.nullable().eq(payout_line::transaction_id))),
        )
}

type Query<'a> = IntoBoxed<'a, Lines, MultiBackend>;

/// One page of the report: of the account's rows, or of those that belong to reservations of some
/// listings.
pub(crate) fn page(
    connection: &mut Connection,
    account: AccountId,
    listings: Option<&HashSet<ListingId>>,
    request: &ReportRequest,
) -> Result<Vec<PayoutRow>, Error> {
    let &ReportRequest {
        ref filter,
        skip,
        take,
    } = request;
    match filter {
        Filter::ConfirmationCode(code) => {
            let spans = spans_of_code(connection, account, listings, code)?;
            let all = Rows {
                account,
                listings: None,
                sub_account: None,
            };
            run::page(connection, &all, &spans, skip, take)
        }
        Filter::Dates {
            window,
            sub_account_id,
            payout_id,
        } => {
            let rows = Rows {
                account,
                listings,
                sub_account: sub_account_id.as_deref(),
            };
            let spans = match payout_id {
                Some(id) => rows.span_of(connection, *window, id)?,
                None => rows.spans(connection, *window)?,
            };
            run::page(connection, &rows, &spans, skip, take)
        }
    }
}

/// The places of all that belongs to a reservation's transactions, if it is one of these listings'.
///
/// Payouts are looked up one by one, and few they are: as long as PostgreSQL has no statistics, it takes an
/// account's payouts for one or two, and would read all of their lines.
fn spans_of_code(
    connection: &mut Connection,
    account: AccountId,
    listings: Option<&HashSet<ListingId>>,
    code: &str,
) -> Result<Vec<Span>, Error> {
    if let Some(ids) = listings
        && !is_of_listings(connection, account, ids, code)?
    {
        return Ok(Vec::new());
    }
    let lines: Vec<(String, i64)> = transaction::table
        .inner_join(
            payout_line::table.on(payout_line::account_id
                .eq(transaction::account_id)
                .and(payout_line::transaction_id.eq(transaction::id.nullable()))),
        )
        .filter(transaction::account_id.eq(account))
        .filter(transaction::confirmation_code.eq(code))
        .select((payout_line::payout_id, payout_line::number))
        .load(connection)?;
    let mut numbers: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (payout, number) in lines {
        numbers.entry(payout).or_default().push(number);
    }
    let mut places = Vec::new();
    for (id, numbers) in numbers {
        let first_place: Option<i64> = payout::table
            .find((account, id))
            .select(payout::first_place)
            .first(connection)
            .optional()?;
        let first_place = first_place.into_iter();
        places
            .extend(first_place.flat_map(|first| numbers.iter().map(move |number| first + number)));
    }
    places.sort_unstable();
    Ok(run::joined(places))
}

fn is_of_listings(
    connection: &mut Connection,
    account: AccountId,
    listings: &HashSet<ListingId>,
    code: &str,
) -> Result<bool, Error> {
    let found: Option<ListingId> = reservation::table
        .filter(reservation::account_id.eq(account))
        .filter(reservation::confirmation_code.eq(code))
        .select(reservation::listing_id)
        .first(connection)
        .optional()?;
    Ok(found.is_some_and(|listing| listings.contains(&listing)))
}

/// The rows of an account or of one of its sub-accounts, by their places.
struct Rows<'a> {
    account: AccountId,
    /// If so, only those of reservations of these listings.
    listings: Option<&'a HashSet<ListingId>>,
    sub_account: Option<&'a str>,
}

impl<'a> Rows<'a> {
    /// The places of all rows that are inside the window. Of a day of which only a part is asked for,
    /// they are the places of its payouts.
    fn spans(&self, connection: &mut Connection, window: Window) -> Result<Vec<Span>, Error> {
        let scope = Scope::payouts(self.account, self.sub_account);
        let mut spans = Vec::new();
        for span in run::spans(connection, &scope, window)? {
            if span.is_whole {
                spans.push(span);
            } else {
                spans.extend(self.payouts_at(connection, window, &span)?);
            }
        }
        Ok(spans)
    }

    /// The places of the payouts at these places that are inside the window.
    fn payouts_at(
        &self,
        connection: &mut Connection,
        window: Window,
        span: &Span,
    ) -> Result<Vec<Span>, Error> {
        let (first, last) = span.places();
        let inside = payout::table
            .filter(payout::account_id.eq(self.account))
            .filter(payout::process_ms.between(window.first, window.last));
        let found: Vec<(i64, i64)> = match self.sub_account {
            Some(id) => inside
                .filter(payout::sub_account_id.eq(id))
                .filter(payout::first_sub_account_place.between(first, last))
                .order(payout::first_sub_account_place)
                .select((payout::first_sub_account_place, payout::line_count))
                .load(connection)?,
            None => inside
                .filter(payout::first_place.between(first, last))
                .order(payout::first_place)
                .select((payout::first_place, payout::line_count))
                .load(connection)?,
        };
        Ok(found.into_iter().map(whole).collect())
    }

    /// The places of one payout, if it is inside.
    fn span_of(
        &self,
        connection: &mut Connection,
        window: Window,
        id: &str,
    ) -> Result<Vec<Span>, Error> {
        let this = payout::table
            .find((self.account, id))
            .filter(payout::process_ms.between(window.first, window.last));
        let found: Option<(i64, i64)> = match self.sub_account {
            Some(id) => this
                .filter(payout::sub_account_id.eq(id))
                .select((payout::first_sub_account_place, payout::line_count))
                .first(connection),
            None => this
                .select((payout::first_place, payout::line_count))
                .first(connection),
        }
        .optional()?;
        Ok(found.into_iter().map(whole).collect())
    }

    /// The first place of the payout whose line is at a place.
    fn head(&self, connection: &mut Connection, place: i64) -> Result<i64, Error> {
        let of_account = payout::table.filter(payout::account_id.eq(self.account));
        let head: Option<i64> = match self.sub_account {
            Some(id) => both!(connection, c => of_account
                .filter(payout::sub_account_id.eq(id))
                .filter(payout::first_sub_account_place.le(place))
                .order(payout::first_sub_account_place.desc())
                .select(payout::first_sub_account_place)
                .first(c)
                .optional()),
            None => both!(connection, c => of_account
                .filter(payout::first_place.le(place))
                .order(payout::first_place.desc())
                .select(payout::first_place)
                .first(c)
                .optional()),
        }?;
        Ok(head.unwrap_or(place))
    }

    /// The rows at these places that belong to the listings.
    fn matching(&self, head: i64, span: &Span) -> Query<'a> {
        let (first, last) = span.places();
        let rows = lines()
            .filter(payout::account_id.eq(self.account))
            .into_boxed();
        let rows = match self.sub_account {
            Some(id) => rows
                .filter(payout::sub_account_id.eq(id))
                .filter(payout::first_sub_account_place.between(head, last))
                .filter(payout_line::number.between(
                    first.into_sql::<BigInt>() - payout::first_sub_account_place,
                    last.into_sql::<BigInt>() - payout::first_sub_account_place,
                )),
            None => rows.filter(payout::first_place.between(head, last)).filter(
                payout_line::number.between(
                    first.into_sql::<BigInt>() - payout::first_place,
                    last.into_sql::<BigInt>() - payout::first_place,
                ),
            ),
        };
        let Some(ids) = self.listings else {
            return rows;
        };
        let codes = reservation::table
            .filter(reservation::account_id.eq(self.account))
            .filter(reservation::listing_id.eq_any(ids))
            .select(reservation::confirmation_code.nullable());
        rows.filter(
            transaction::confirmation_code
                .nullable()
                .eq_any(codes)
                .assume_not_null(),
        )
    }

    /// All rows at these places. A payout's lines are found by their numbers, so one with a hundred
    /// thousand of them costs no more than others.
    fn at(
        &self,
        connection: &mut Connection,
        head: i64,
        span: &Span,
    ) -> Result<Vec<PayoutRow>, Error> {
        let (first, last) = span.places();
        let rows = match self.sub_account {
            Some(id) => both!(connection, c => lines()
                .filter(payout::account_id.eq(self.account))
                .filter(payout::sub_account_id.eq(id))
                .filter(payout::first_sub_account_place.between(head, last))
                .filter(payout_line::number.between(
                    first.into_sql::<BigInt>() - payout::first_sub_account_place,
                    last.into_sql::<BigInt>() - payout::first_sub_account_place,
                ))
                .order((payout::first_sub_account_place, payout_line::number))
                .limit(span.row_count)
                .select(PayoutRow::as_select())
                .load(c)),
            None => both!(connection, c => lines()
                .filter(payout::account_id.eq(self.account))
                .filter(payout::first_place.between(head, last))
                .filter(payout_line::number.between(
                    first.into_sql::<BigInt>() - payout::first_place,
                    last.into_sql::<BigInt>() - payout::first_place,
                ))
                .order((payout::first_place, payout_line::number))
                .limit(span.row_count)
                .select(PayoutRow::as_select())
                .load(c)),
        };
        Ok(rows?)
    }
}

fn whole((first_place, row_count): (i64, i64)) -> Span {
    Span {
        first_place,
        row_count,
        is_whole: true,
    }
}

/// For an application that may not see every row, rows are counted one by one.
impl Book for Rows<'_> {
    type Row = PayoutRow;

    fn is_exact(&self, _: &Span) -> bool {
        self.listings.is_none()
    }

    fn count(&self, connection: &mut Connection, span: &Span) -> Result<i64, Error> {
        let head = self.head(connection, span.first_place)?;
        Ok(self.matching(head, span).count().get_result(connection)?)
    }

    fn rows(
        &self,
        connection: &mut Connection,
        span: &Span,
        skip: i64,
        take: i64,
    ) -> Result<Vec<PayoutRow>, Error> {
        let head = self.head(connection, span.first_place)?;
        if self.is_exact(span) {
            return self.at(connection, head, span);
        }
        let rows = self.matching(head, span);
        let rows = match self.sub_account {
            Some(_) => rows.order((payout::first_sub_account_place, payout_line::number)),
            None => rows.order((payout::first_place, payout_line::number)),
        };
        Ok(rows
            .offset(skip)
            .limit(take)
            .select(PayoutRow::as_select())
            .load(connection)?)
    }
}
