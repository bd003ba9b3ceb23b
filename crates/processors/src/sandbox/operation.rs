//! What each request does to the books, inside one transaction, with the sub-account locked.
//!
//! Always in one order: was this attempt made before → is what it names there → does a rule forbid
//! it → how does the card behave → post.

use money::Money;
use store::Connection;

use super::account::Account;
use super::declines;
use super::dispute;
use super::halt::Halt;
use super::method::{self, Method};
use super::refusal::Refusal;
use super::rules::{self, Chain};
use super::settlement;
use super::tokens::Outcome;
use super::transaction::{self, Draft, Ruling, Transaction};
use crate::{AttemptKey, Charge, FollowUp, Request, Shape, TransactionId, TransactionKind, Verify};

/// A transaction in the books, with what a reply about it needs.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) transaction: Transaction,
    pub(crate) original: Option<Transaction>,
    pub(crate) method: Method,
    /// Whether it gives back what was taken. A void does, if it is not a hold's release.
    pub(crate) returns: bool,
    /// Whether the caller hears of it.
    pub(crate) answered: bool,
}

impl Posted {
    /// The kind that was asked for, as a whole.
    pub(crate) const fn asked(&self) -> TransactionKind {
        if self.returns {
            TransactionKind::Refund
        } else {
            self.transaction.kind.whole()
        }
    }
}

/// Makes the stored method `new`, whose token nobody has yet.
pub(crate) fn verify(
    c: &mut Connection,
    account: &Account,
    request: &Verify,
    new: &Method,
) -> Result<Posted, Halt> {
    if let Some(posted) = find(c, account.merchant, &request.key)? {
        let same = posted.transaction.kind == TransactionKind::Verify
            && posted.transaction.sub_account == account.id
            && posted.method.behaviour.name == new.behaviour.name
            && posted.method.shape == new.shape;
        return if same {
            Ok(posted)
        } else {
            Err(Refusal::KeyReused.into())
        };
    }
    let (ruling, answered) = rule(c, new, TransactionKind::Verify)?;
    let new = Method {
        usable: !matches!(ruling, Ruling::Declined(_)),
        ..new.clone()
    };
    method::insert(c, &new)?;
    let draft = Draft {
        key: request.key.clone(),
        original_id: None,
        kind: TransactionKind::Verify,
        amount: Money::zero(account.currency),
        method: new.token.to_string(),
        ruling,
        confirmation_code: request.confirmation_code.clone(),
        order_json: None,
        at: request.at,
        voids_sale_of: None,
        case_id: None,
    };
    let transaction = transaction::post(c, account, draft)?;
    Ok(Posted {
        transaction,
        original: None,
        method: new,
        returns: false,
        answered,
    })
}

/// Does what is asked.
pub(crate) fn execute(
    c: &mut Connection,
    account: &Account,
    request: &Request,
) -> Result<Posted, Halt> {
    match request {
        Request::Charge(request) => charge(c, account, request, TransactionKind::Charge),
        Request::Hold(request) => charge(c, account, request, TransactionKind::Authorization),
        Request::Capture(request) => capture(c, account, request),
        Request::Void(request) => void(c, account, request),
        Request::Refund(request) => refund(c, account, request),
    }
}

/// Charges a method, holds an amount on it, or credits it.
pub(crate) fn charge(
    c: &mut Connection,
    account: &Account,
    request: &Charge,
    kind: TransactionKind,
) -> Result<Posted, Halt> {
    let order_json = serde_json::to_string(&request.order).map_err(Halt::corrupt)?;
    if let Some(posted) = find(c, account.merchant, &request.key)? {
        let before = &posted.transaction;
        let same = before.kind == kind
            && before.sub_account == account.id
            && before.amount_minor == request.amount.minor()
            && before.method == request.method.as_str()
            && before.order_json.as_deref() == Some(&order_json);
        return if same {
            Ok(posted)
        } else {
            Err(Refusal::KeyReused.into())
        };
    }
    let method = method::find(c, request.method.as_str())?
        .filter(|method| method.merchant == account.merchant && method.usable)
        .ok_or_else(|| Refusal::UnknownMethod(request.method.to_string()))?;
    if kind == TransactionKind::Credit && method.shape != Shape::Amaryllis {
        return Err(Refusal::NoCredit(request.method.to_string()).into());
    }
    rules::check_amount(request.amount, method.shape)?;
    let (ruling, answered) = rule(c, &method, kind)?;
    let draft = Draft {
        key: request.key.clone(),
        original_id: None,
        kind,
        amount: request.amount,
        method: method.token.to_string(),
        ruling,
        confirmation_code: Some(request.order.confirmation_code.clone()),
        order_json: Some(order_json),
        at: request.at,
        voids_sale_of: None,
        case_id: None,
    };
    let transaction = transaction::post(c, account, draft)?;
    dispute::expect(c, account, &method, &transaction)?;
    Ok(Posted {
        transaction,
        original: None,
        method,
        returns: false,
        answered,
    })
}

/// Takes what is held.
fn capture(c: &mut Connection, account: &Account, request: &FollowUp) -> Result<Posted, Halt> {
    follow_up(c, account, request, TransactionKind::Capture, |chain, _| {
        rules::capture(chain, request.amount, request.at)
    })
}

/// Lets go of what is held.
fn void(c: &mut Connection, account: &Account, request: &FollowUp) -> Result<Posted, Halt> {
    follow_up(c, account, request, TransactionKind::Void, |chain, _| {
        rules::void(chain, request.at)
    })
}

/// Gives back what was taken.
fn refund(c: &mut Connection, account: &Account, request: &FollowUp) -> Result<Posted, Halt> {
    follow_up(
        c,
        account,
        request,
        TransactionKind::Refund,
        |chain, settled| rules::refund(chain, request.amount, settled),
    )
}

/// Does what is asked for, by the rule that decides it: of what became of the charge or hold, and
/// whether it is settled.
fn follow_up(
    c: &mut Connection,
    account: &Account,
    request: &FollowUp,
    asked: TransactionKind,
    decide: impl Fn(&Chain, bool) -> Result<(TransactionKind, Money), Refusal>,
) -> Result<Posted, Halt> {
    let original = original(c, account, &request.original)?;
    if let Some(posted) = find(c, account.merchant, &request.key)? {
        let before = &posted.transaction;
        let same = posted.asked() == asked
            && before.original_id == Some(original.id)
            && request.amount.is_none_or(|amount| {
                asked == TransactionKind::Void || amount == before.amount(account)
            });
        return if same {
            Ok(posted)
        } else {
            Err(Refusal::KeyReused.into())
        };
    }
    let method = method_of(c, &original)?;
    let followers = transaction::followers(c, &original)?;
    let sale = transaction::sale(&original, &followers);
    let settled = match sale {
        Some(sale) => settlement::is_settled(c, account, sale, request.at)?,
        None => false,
    };
    let chain = transaction::chain(account, &method, &original, &followers);
    let (kind, amount) = decide(&chain, settled)?;
    let (ruling, answered) = match rule(c, &method, asked)? {
        // The bank is asked anew only for money that goes back.
        (Ruling::Approved, answered) if kind.whole() != TransactionKind::Refund => (
            Ruling::ApprovedUnder(original.authorization_or_error_code.clone()),
            answered,
        ),
        ruled => ruled,
    };
    let draft = Draft {
        key: request.key.clone(),
        original_id: Some(original.id),
        kind,
        amount,
        method: method.token.to_string(),
        ruling,
        confirmation_code: original.confirmation_code.clone(),
        order_json: None,
        at: request.at,
        voids_sale_of: sale
            .filter(|_| kind.whole() == TransactionKind::Void)
            .map(|sale| sale.system_at),
        case_id: None,
    };
    let transaction = transaction::post(c, account, draft)?;
    dispute::expect(c, account, &method, &transaction)?;
    Ok(Posted {
        transaction,
        original: Some(original),
        method,
        returns: asked == TransactionKind::Refund,
        answered,
    })
}

/// The charge or hold that a follow-up is about; it may name it by its capture.
pub(crate) fn original(
    c: &mut Connection,
    account: &Account,
    named: &TransactionId,
) -> Result<Transaction, Halt> {
    let unknown = || Refusal::UnknownTransaction(named.to_string());
    let (id, ..) = transaction::read_id(named.as_str()).ok_or_else(unknown)?;
    let named = transaction::find(c, id)?
        .filter(|named| named.sub_account == account.id)
        .ok_or_else(unknown)?;
    match named.original_id {
        None => Ok(named),
        Some(id) if named.kind.whole() == TransactionKind::Capture => {
            Ok(transaction::find(c, id)?.ok_or_else(unknown)?)
        }
        Some(_) => Err(Refusal::NotRefundable.into()),
    }
}

/// What an attempt made, if it was made before.
pub(crate) fn find(
    c: &mut Connection,
    merchant: i64,
    key: &AttemptKey,
) -> Result<Option<Posted>, Halt> {
    let Some(transaction) = transaction::by_key(c, merchant, key)? else {
        return Ok(None);
    };
    let original = match transaction.original_id {
        Some(id) => transaction::find(c, id)?,
        None => None,
    };
    let method = method_of(c, &transaction)?;
    let returns = match (transaction.kind, &original) {
        (TransactionKind::Void, Some(original)) => {
            let followers = transaction::followers(c, original)?;
            transaction::sale(original, &followers).is_some()
        }
        (kind, _) => matches!(
            kind.whole(),
            TransactionKind::Refund | TransactionKind::Void
        ),
    };
    Ok(Some(Posted {
        transaction,
        original,
        method,
        returns,
        answered: true,
    }))
}

pub(crate) fn method_of(c: &mut Connection, transaction: &Transaction) -> Result<Method, Halt> {
    method::find(c, &transaction.method)?
        .ok_or_else(|| Halt::corrupt(format!("method {} is gone", transaction.method)))
}

/// How the card behaves, and whether the caller hears of it. What is declined once, is so now.
fn rule(
    c: &mut Connection,
    method: &Method,
    asked: TransactionKind,
) -> Result<(Ruling, bool), Halt> {
    if let Some((_, decline)) = method.refuses.filter(|(kind, _)| *kind == asked) {
        method::refuse(c, &method.token, None)?;
        return Ok((Ruling::Declined(decline), true));
    }
    match method.behaviour.outcome(asked) {
        Outcome::Approved => Ok((Ruling::Approved, true)),
        Outcome::DeclinedOnce(_) if method.declined_once => Ok((Ruling::Approved, true)),
        Outcome::DeclinedOnce(decline) => {
            method::mark_declined(c, &method.token)?;
            Ok((Ruling::Declined(decline), true))
        }
        Outcome::Declined(decline) => Ok((Ruling::Declined(decline), true)),
        Outcome::AuthenticationRequired => {
            Ok((Ruling::Declined(&declines::AUTHENTICATION_REQUIRED), true))
        }
        Outcome::AnswerLost => Ok((Ruling::Approved, false)),
        Outcome::RequestLost => Err(Halt::RequestLost),
        Outcome::Unavailable => Err(Halt::Unavailable),
    }
}
