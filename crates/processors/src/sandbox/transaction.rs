//! The transactions in the sandbox's books.

use contract::Timestamp;
use diesel::prelude::*;
use money::Money;
use store::{Connection, both};

use super::account::Account;
use super::declines::{self, Decline};
use super::halt::Halt;
use super::method::Method;
use super::rules::{self, Chain};
use super::tables::{sub_account, transaction};
use crate::{AttemptKey, TransactionId, TransactionKind, TransactionStatus};

/// A row of the books.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = transaction, treat_none_as_default_value = false)]
pub(crate) struct Transaction {
    pub(crate) id: i64,
    pub(crate) merchant: i64,
    pub(crate) sub_account: String,
    pub(crate) position: i64,
    pub(crate) attempt_key: String,
    /// The charge or hold that this one follows up.
    pub(crate) original_id: Option<i64>,
    pub(crate) kind: TransactionKind,
    pub(crate) status: TransactionStatus,
    pub(crate) amount_minor: i64,
    pub(crate) method: String,
    pub(crate) authorization_or_error_code: String,
    pub(crate) confirmation_code: Option<String>,
    /// What charges and holds were for; what follows them up is for the same.
    pub(crate) order_json: Option<String>,
    #[diesel(column_name = merchant_ms)]
    pub(crate) merchant_at: Timestamp,
    #[diesel(column_name = system_ms)]
    pub(crate) system_at: Timestamp,
    #[diesel(column_name = settlement_ms)]
    pub(crate) settled_at: Option<Timestamp>,
    /// From when on its day can be closed, until it is.
    #[diesel(column_name = open_ms)]
    pub(crate) open_at: Option<Timestamp>,
    /// The dispute that it belongs to.
    pub(crate) case_id: Option<String>,
}

/// A transaction that is about to be posted.
pub(crate) struct Draft {
    pub(crate) key: AttemptKey,
    pub(crate) original_id: Option<i64>,
    pub(crate) kind: TransactionKind,
    pub(crate) amount: Money,
    pub(crate) method: String,
    pub(crate) ruling: Ruling,
    pub(crate) confirmation_code: Option<String>,
    pub(crate) order_json: Option<String>,
    pub(crate) at: Timestamp,
    /// When the sale that it voids was made, if it voids one: both are closed together.
    pub(crate) voids_sale_of: Option<Timestamp>,
    pub(crate) case_id: Option<String>,
}

/// How the card's bank decided.
#[derive(Debug, Clone)]
pub(crate) enum Ruling {
    /// With an authorization of its own.
    Approved,
    /// Under an authorization that was given before.
    ApprovedUnder(String),
    Declined(&'static Decline),
}

impl Transaction {
    pub(crate) fn amount(&self, account: &Account) -> Money {
        Money::from_minor(self.amount_minor, account.currency)
    }

    pub(crate) fn is_approved(&self) -> bool {
        self.status == TransactionStatus::Processed
    }

    /// Why it was declined, if it was.
    pub(crate) fn decline(&self) -> Option<&'static Decline> {
        match self.status {
            TransactionStatus::Processed => None,
            TransactionStatus::Declined => declines::by_error_id(&self.authorization_or_error_code),
        }
    }

    /// Whether the card holder's bank made it, in nobody's attempt.
    pub(crate) fn is_of_dispute(&self) -> bool {
        self.case_id.is_some()
    }

    pub(crate) fn public_id(&self) -> TransactionId {
        TransactionId::new(self.id.to_string())
    }
}

/// Nineteen digits: merchant, sub-account, and a number that counts up from where the books begin.
/// The last is never the same twice, for it is the position at which the transaction was posted.
const MERCHANT: i64 = 1_000_000_000_000_000;
const SUB_ACCOUNT: i64 = 1_000_000_000_000;
const FIRST: i64 = 358_100_000_000;

fn id_at(account: &Account, position: i64) -> i64 {
    id_after(account, FIRST, position)
}

/// The merchant and the sub-account's number that an id tells.
pub(crate) fn read_id(id: &str) -> Option<(i64, i64, i64)> {
    let id: i64 = id.parse().ok()?;
    (id > 0).then_some((id, id / MERCHANT, id % MERCHANT / SUB_ACCOUNT))
}

/// Six digits as a bank gives them. They never have a decline's number of digits.
pub(crate) fn authorization_code(position: i64) -> String {
    // Prime to a million, so that codes look random and repeat only after a million transactions.
    const STEP: i64 = 275_641;
    format!("{:06}", position.wrapping_mul(STEP).rem_euclid(1_000_000))
}

/// Writes a transaction at the end of the sub-account's feed. The sub-account is locked.
pub(crate) fn post(
    c: &mut Connection,
    account: &Account,
    draft: Draft,
) -> Result<Transaction, Halt> {
    let position = move_last_position(c, account, 1)?;
    let (status, code) = match draft.ruling {
        Ruling::Approved => (TransactionStatus::Processed, authorization_code(position)),
        Ruling::ApprovedUnder(code) => (TransactionStatus::Processed, code),
        Ruling::Declined(decline) => (TransactionStatus::Declined, decline.error_id.to_owned()),
    };
    let new = Transaction {
        id: id_at(account, position),
        merchant: account.merchant,
        sub_account: account.id.clone(),
        position,
        attempt_key: draft.key.as_str().to_owned(),
        original_id: draft.original_id,
        kind: draft.kind,
        status,
        amount_minor: draft.amount.minor(),
        method: draft.method,
        authorization_or_error_code: code,
        confirmation_code: draft.confirmation_code,
        order_json: draft.order_json,
        merchant_at: draft.at,
        system_at: draft.at,
        settled_at: None,
        open_at: Some(
            draft
                .voids_sale_of
                .map_or(draft.at, |sale| sale.max(draft.at)),
        ),
        case_id: draft.case_id,
    };
    both!(c, c => diesel::insert_into(transaction::table).values(&new).execute(c))?;
    Ok(new)
}

/// An id of a merchant's sub-account.
pub(crate) fn id_after(account: &Account, first: i64, count: i64) -> i64 {
    account.merchant * MERCHANT + i64::from(account.number) * SUB_ACCOUNT + first + count
}

/// Marks transactions as settled, and puts them at the end of the feed, in this order.
pub(crate) fn settle(
    c: &mut Connection,
    account: &Account,
    ids: &[i64],
    at: Timestamp,
) -> Result<(), Halt> {
    let count = i64::try_from(ids.len()).map_err(Halt::corrupt)?;
    let last = move_last_position(c, account, count)?;
    let placed: Vec<_> = (last - count + 1..).zip(ids).collect();
    for placed in placed.chunks(SETTLED_AT_ONCE) {
        let values: Vec<_> = placed
            .iter()
            .map(|(position, id)| format!("({id},{position})"))
            .collect();
        diesel::sql_query(format!(
            "UPDATE \"transaction\" \
             SET settlement_ms = {}, open_ms = NULL, position = place.column2 \
             FROM (VALUES {}) AS place WHERE \"transaction\".id = place.column1",
            at.millis(),
            values.join(","),
        ))
        .execute(c)?;
    }
    Ok(())
}

/// So many that a round trip for each does not count, so few that PostgreSQL looks each up by its id.
const SETTLED_AT_ONCE: usize = 100;

fn move_last_position(c: &mut Connection, account: &Account, by: i64) -> QueryResult<i64> {
    let moved = diesel::update(sub_account::table.find(&account.id))
        .set(sub_account::last_position.eq(sub_account::last_position + by))
        .returning(sub_account::last_position);
    both!(c, c => moved.get_result(c))
}

/// The transaction that an attempt made, if it made one.
pub(crate) fn by_key(
    c: &mut Connection,
    merchant: i64,
    key: &AttemptKey,
) -> QueryResult<Option<Transaction>> {
    let of_key = transaction::table
        .filter(transaction::merchant.eq(merchant))
        .filter(transaction::attempt_key.eq(key.as_str()));
    both!(c, c => of_key.first(c)).optional()
}

/// A transaction by its id.
pub(crate) fn find(c: &mut Connection, id: i64) -> QueryResult<Option<Transaction>> {
    transaction::table.find(id).first(c).optional()
}

/// What followed a charge or hold, in order.
pub(crate) fn followers(
    c: &mut Connection,
    original: &Transaction,
) -> QueryResult<Vec<Transaction>> {
    transaction::table
        .filter(transaction::original_id.eq(original.id))
        .order(transaction::position)
        .load(c)
}

/// The transaction that took the money: the charge itself, or the capture of the hold.
pub(crate) fn sale<'a>(
    original: &'a Transaction,
    followers: &'a [Transaction],
) -> Option<&'a Transaction> {
    let sale = match original.kind {
        TransactionKind::Charge => Some(original),
        TransactionKind::Authorization => followers
            .iter()
            .find(|one| one.kind.whole() == TransactionKind::Capture && one.is_approved()),
        _ => None,
    };
    sale.filter(|sale| sale.is_approved())
}

/// Sums up what became of a charge or hold.
pub(crate) fn chain(
    account: &Account,
    method: &Method,
    original: &Transaction,
    followers: &[Transaction],
) -> Chain {
    use TransactionKind::{
        Authorization, Chargeback, PartialRefund, PartialVoid, Refund, ReversalChargeback, Void,
    };

    let approved = || followers.iter().filter(|follower| follower.is_approved());
    let taken = sale(original, followers).map(|sale| sale.amount(account));
    let returned = approved()
        .filter(|one| match one.kind {
            Refund | PartialRefund | PartialVoid => true,
            Void => taken.is_some(),
            _ => false,
        })
        .map(|one| one.amount_minor)
        .sum();
    let charged_back = approved().map(|one| match one.kind {
        Chargeback => one.amount_minor,
        ReversalChargeback => -one.amount_minor,
        _ => 0,
    });
    Chain {
        shape: method.shape,
        hold_expires_at: (original.kind == Authorization && original.is_approved())
            .then(|| rules::hold_expires_at(&method.card.brand, original.system_at)),
        amount: original.amount(account),
        taken,
        released: taken.is_none() && approved().any(|one| one.kind == Void),
        returned: Money::from_minor(returned, account.currency),
        charged_back: Money::from_minor(charged_back.sum(), account.currency),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authorization_code_comes_again_only_after_a_million() {
        let codes: std::collections::HashSet<_> = (1..=1_000_000).map(authorization_code).collect();
        assert_eq!(codes.len(), 1_000_000);
        assert!(codes.iter().all(|code| code.len() == 6));
    }
}
