//! What processors reported, in the order in which it became known.
//!
//! Each new row takes the next place among its account's rows, and among its sub-account's; a row
//! that changes keeps its places. So a report, which prints rows in that order, only ever grows at
//! its end, and paging neither repeats nor skips a row while others arrive. [`super::run`] says
//! where in that order the rows of a day stand, so that deep pages are found without a walk.

use std::collections::{BTreeMap, HashSet};

use contract::Timestamp;
use contract::id::{AccountId, ListingId, PaymentId, ReservationId};
use diesel::prelude::*;
use processors::{TransactionId, TransactionRecord};
use store::{Connection, MultiBackend, both};

use super::run::{self, Book, Scope, Span};
use crate::Error;
use crate::model::report::{Filter, ReportRequest, Window, day_of};
use crate::schema::{attempt, payment, processor_transaction as transaction, reservation};

type Rows<'a> = transaction::BoxedQuery<'a, MultiBackend>;

/// A transaction, as the reports print it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = transaction)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) sub_account_id: String,
    pub(crate) confirmation_code: String,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) last4: String,
    pub(crate) bin: String,
    pub(crate) merchant_ms: Timestamp,
    pub(crate) system_ms: Timestamp,
    pub(crate) settlement_ms: Option<Timestamp>,
    pub(crate) payment_method: String,
    pub(crate) arn: Option<String>,
    pub(crate) descriptor: String,
    pub(crate) status: String,
    pub(crate) kind: String,
    pub(crate) code: String,
    pub(crate) case_id: Option<String>,
}

#[derive(Insertable)]
#[diesel(table_name = transaction)]
struct NewRow<'a> {
    account_id: AccountId,
    id: &'a str,
    place: i64,
    sub_account_id: &'a str,
    sub_account_place: i64,
    #[diesel(embed)]
    facts: Facts<'a>,
    merchant_ms: Timestamp,
}

/// What may change. The merchant date does not: places by day depend on it.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = transaction, treat_none_as_null = true)]
struct Facts<'a> {
    confirmation_code: &'a str,
    amount_minor: i64,
    currency: &'a str,
    last4: &'a str,
    bin: &'a str,
    system_ms: Timestamp,
    settlement_ms: Option<Timestamp>,
    payment_method: &'a str,
    arn: Option<String>,
    descriptor: &'a str,
    status: &'a str,
    kind: &'a str,
    code: &'a str,
    attempt_key: &'a str,
    case_id: Option<String>,
}

impl<'a> From<&'a TransactionRecord> for Facts<'a> {
    fn from(record: &'a TransactionRecord) -> Self {
        Self {
            confirmation_code: record.confirmation_code.as_deref().unwrap_or_default(),
            amount_minor: record.amount.minor(),
            currency: record.amount.currency().code(),
            last4: &record.last4,
            bin: &record.bin,
            system_ms: record.system_at,
            settlement_ms: record.settled_at,
            payment_method: &record.payment_method,
            arn: record.arn.clone(),
            descriptor: &record.dynamic_descriptor,
            status: record.status.name(),
            kind: record.kind.name(),
            code: &record.authorization_or_error_code,
            attempt_key: record.key.as_str(),
            case_id: record.case_id.clone(),
        }
    }
}

/// Keeps what a processor reported, and says what of it is new: new transactions at the end, changed
/// ones where they are. The account must be locked.
pub(crate) fn keep<'a>(
    connection: &mut Connection,
    account: AccountId,
    records: &'a [TransactionRecord],
) -> Result<Vec<&'a TransactionRecord>, Error> {
    let mut seen = HashSet::new();
    let (mut fresh, mut changed) = (Vec::new(), Vec::new());
    for record in records {
        let is_first = seen.insert(&record.id);
        if is_first && !is_known(connection, account, &record.id)? {
            fresh.push(record);
        } else {
            changed.push(record);
        }
    }
    insert(connection, account, &fresh)?;
    for record in changed {
        diesel::update(transaction::table.find((account, record.id.as_str())))
            .set(Facts::from(record))
            .execute(connection)?;
    }
    Ok(fresh)
}

/// The payment of ours that a transaction was made for, with its reservation.
pub(crate) fn payment_of(
    connection: &mut Connection,
    account: AccountId,
    id: &TransactionId,
) -> Result<Option<(PaymentId, ReservationId)>, Error> {
    Ok(transaction::table
        .inner_join(attempt::table.on(attempt::id.eq(transaction::attempt_key)))
        .inner_join(payment::table.on(payment::id.eq(attempt::payment_id)))
        .filter(transaction::account_id.eq(account))
        .filter(transaction::id.eq(id.as_str()))
        .filter(payment::account_id.eq(account))
        .select((payment::id, payment::reservation_id))
        .first(connection)
        .optional()?)
}

/// One by one: for a list of ids PostgreSQL may read all of an account's rows, as long as it has no
/// statistics of how many those are.
fn is_known(
    connection: &mut Connection,
    account: AccountId,
    id: &TransactionId,
) -> Result<bool, Error> {
    let found: Option<String> = transaction::table
        .find((account, id.as_str()))
        .select(transaction::id)
        .first(connection)
        .optional()?;
    Ok(found.is_some())
}

fn insert(
    connection: &mut Connection,
    account: AccountId,
    fresh: &[&TransactionRecord],
) -> Result<(), Error> {
    let days = |record: &&TransactionRecord| (day_of(record.merchant_at), 1);
    let first_place = run::append(
        connection,
        &Scope::transactions(account, None),
        fresh.iter().map(days),
    )?;
    let mut indices: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, record) in fresh.iter().enumerate() {
        let of_sub_account = indices.entry(record.sub_account.as_str()).or_default();
        of_sub_account.push(index);
    }
    let mut sub_account_places = vec![0; fresh.len()];
    for (sub_account, indices) in indices {
        let first_place = run::append(
            connection,
            &Scope::transactions(account, Some(sub_account)),
            indices.iter().map(|index| days(&fresh[*index])),
        )?;
        for (place, index) in (first_place..).zip(indices) {
            sub_account_places[index] = place;
        }
    }

    let rows: Vec<NewRow<'_>> = (first_place..)
        .zip(sub_account_places)
        .zip(fresh)
        .map(|((place, sub_account_place), record)| NewRow {
            account_id: account,
            id: record.id.as_str(),
            place,
            sub_account_id: record.sub_account.as_str(),
            sub_account_place,
            facts: Facts::from(*record),
            merchant_ms: record.merchant_at,
        })
        .collect();
    both!(connection, c => diesel::insert_into(transaction::table).values(rows).execute(c))?;
    Ok(())
}

/// One page of a report: of the account's rows, or of those that belong to reservations of some
/// listings.
pub(crate) fn page(
    connection: &mut Connection,
    account: AccountId,
    listings: Option<&HashSet<ListingId>>,
    request: &ReportRequest,
) -> Result<Vec<Transaction>, Error> {
    match &request.filter {
        Filter::ConfirmationCode(code) => {
            let rows = transaction::table
                .filter(transaction::account_id.eq(account))
                .filter(transaction::confirmation_code.eq(code))
                .into_boxed();
            Ok(of_listings(rows, account, listings)
                .order(transaction::place)
                .offset(request.skip)
                .limit(request.take)
                .select(Transaction::as_select())
                .load(connection)?)
        }
        Filter::Dates {
            window,
            sub_account_id,
            payout_id: _,
        } => {
            let sub_account = sub_account_id.as_deref();
            let dates = Dates {
                account,
                listings,
                window: *window,
                sub_account,
            };
            let scope = Scope::transactions(account, sub_account);
            let spans = run::spans(connection, &scope, *window)?;
            run::page(connection, &dates, &spans, request.skip, request.take)
        }
    }
}

/// Only the rows of reservations of these listings, if there are any to keep to.
fn of_listings<'a>(
    rows: Rows<'a>,
    account: AccountId,
    listings: Option<&'a HashSet<ListingId>>,
) -> Rows<'a> {
    let Some(ids) = listings else {
        return rows;
    };
    let codes = reservation::table
        .filter(reservation::account_id.eq(account))
        .filter(reservation::listing_id.eq_any(ids))
        .select(reservation::confirmation_code);
    rows.filter(transaction::confirmation_code.eq_any(codes))
}

/// The rows of a span of time, of an account or one of its sub-accounts.
struct Dates<'a> {
    account: AccountId,
    listings: Option<&'a HashSet<ListingId>>,
    window: Window,
    sub_account: Option<&'a str>,
}

/// Only days of which a part is asked for are counted row by row, and all days for an application
/// that may not see every row.
impl Book for Dates<'_> {
    type Row = Transaction;

    fn is_exact(&self, span: &Span) -> bool {
        span.is_whole && self.listings.is_none()
    }

    fn count(&self, connection: &mut Connection, span: &Span) -> Result<i64, Error> {
        Ok(self.matching(span).count().get_result(connection)?)
    }

    fn rows(
        &self,
        connection: &mut Connection,
        span: &Span,
        skip: i64,
        take: i64,
    ) -> Result<Vec<Transaction>, Error> {
        if self.is_exact(span) {
            return self.at(connection, span);
        }
        Ok(self
            .in_order(self.matching(span))
            .offset(skip)
            .limit(take)
            .select(Transaction::as_select())
            .load(connection)?)
    }
}

impl<'a> Dates<'a> {
    /// All rows at these places, by a statement that each connection prepares once: most pages are
    /// of whole days.
    fn at(&self, connection: &mut Connection, span: &Span) -> Result<Vec<Transaction>, Error> {
        let (first, last) = span.places();
        let of_account = transaction::table.filter(transaction::account_id.eq(self.account));
        let rows = match self.sub_account {
            Some(id) => both!(connection, c => of_account
                .filter(transaction::sub_account_id.eq(id))
                .filter(transaction::sub_account_place.between(first, last))
                .order(transaction::sub_account_place)
                .select(Transaction::as_select())
                .load(c)),
            None => both!(connection, c => of_account
                .filter(transaction::place.between(first, last))
                .order(transaction::place)
                .select(Transaction::as_select())
                .load(c)),
        };
        Ok(rows?)
    }

    /// The rows at these places that are inside the span of time.
    fn matching(&self, span: &Span) -> Rows<'a> {
        let (first, last) = span.places();
        let query = transaction::table
            .filter(transaction::account_id.eq(self.account))
            .filter(transaction::merchant_ms.between(self.window.first, self.window.last))
            .into_boxed();
        let query = match self.sub_account {
            Some(id) => query
                .filter(transaction::sub_account_id.eq(id))
                .filter(transaction::sub_account_place.between(first, last)),
            None => query.filter(transaction::place.between(first, last)),
        };
        of_listings(query, self.account, self.listings)
    }

    /// Both are one order; each has its index.
    fn in_order(&self, rows: Rows<'a>) -> Rows<'a> {
        match self.sub_account {
            Some(_) => rows.order(transaction::sub_account_place),
            None => rows.order(transaction::place),
        }
    }
}
