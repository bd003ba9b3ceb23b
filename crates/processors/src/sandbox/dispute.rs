//! Disputes: a card holder objects to a sale, their bank charges it back, and somebody wins.

use chrono::Duration;
use contract::Timestamp;
use diesel::dsl::min;
use diesel::prelude::*;
use money::Money;
use store::Connection;

use super::account::Account;
use super::halt::Halt;
use super::method::Method;
use super::refusal::Refusal;
use super::tables::deadline;
use super::transaction::{self, Draft, Ruling, Transaction};
use super::{Sandbox, operation, rules, settlement};
use crate::{AttemptKey, Failure, StepKind, TransactionId, TransactionKind};

/// A dispute that nobody has won after so many days is lost.
const DISPUTE_DAYS: i64 = 45;
/// Fraud, card not present: Visa's number of the reason that test cards give.
const TEST_REASON: &str = "10.4";

/// A card holder's objection to a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// The charge, or the hold or its capture.
    pub transaction: TransactionId,
    /// Names the dispute, for the merchant.
    pub case_id: String,
    /// The card network's number of the reason, such as `10.4`.
    pub reason: String,
    /// Business time.
    pub at: Timestamp,
}

/// How a dispute ends for the merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DisputeOutcome {
    /// The chargeback is given back.
    Won,
    /// The chargeback stays.
    Lost,
}

impl Sandbox {
    /// Charges back what is left of a settled sale, and answers with the chargeback. A case names it:
    /// the same case again does nothing.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such sale, it is not settled, nothing of it is left, or
    /// the case is another sale's.
    pub async fn dispute(&self, dispute: Dispute) -> Result<TransactionId, Failure> {
        dispute.check()?;
        let unknown = Refusal::UnknownTransaction(dispute.transaction.to_string());
        let (_, account) = self
            .account_of(dispute.transaction.as_str(), unknown)
            .await?;
        self.write(account, move |c, account| {
            Ok(open(c, account, &dispute)?.public_id())
        })
        .await
    }

    /// Ends a dispute, named by its chargeback. One that is won posts a reversal of the chargeback,
    /// which is the answer. The same outcome again does nothing.
    ///
    /// # Errors
    /// [`Failure::Refused`] when there is no such chargeback, or the dispute has ended otherwise.
    pub async fn resolve_dispute(
        &self,
        chargeback: &TransactionId,
        outcome: DisputeOutcome,
        at: Timestamp,
    ) -> Result<Option<TransactionId>, Failure> {
        let unknown = || Refusal::UnknownChargeback(chargeback.to_string());
        let (id, account) = self.account_of(chargeback.as_str(), unknown()).await?;
        let named = chargeback.to_string();
        self.write(account, move |c, account| {
            let chargeback = transaction::find(c, id)?
                .filter(|found| found.kind == TransactionKind::Chargeback)
                .ok_or_else(|| Refusal::UnknownChargeback(named.clone()))?;
            match outcome {
                DisputeOutcome::Won => Ok(Some(win(c, account, &chargeback, at)?.public_id())),
                DisputeOutcome::Lost => lose(c, account, &chargeback).map(|()| None),
            }
        })
        .await
    }
}

impl Dispute {
    fn check(&self) -> Result<(), Refusal> {
        for (text, max) in [(&self.case_id, 100), (&self.reason, 20)] {
            let fits = (1..=max).contains(&text.chars().count());
            if !fits || text.chars().any(char::is_control) {
                return Err(Refusal::InvalidDispute);
            }
        }
        Ok(())
    }
}

fn open(c: &mut Connection, account: &Account, dispute: &Dispute) -> Result<Transaction, Halt> {
    let original = operation::original(c, account, &dispute.transaction)?;
    let key = chargeback_key(&dispute.case_id);
    if let Some(before) = transaction::by_key(c, account.merchant, &key)? {
        let same = before.kind == TransactionKind::Chargeback
            && before.original_id == Some(original.id)
            && before.authorization_or_error_code == dispute.reason;
        return if same {
            Ok(before)
        } else {
            Err(Refusal::DisputeExists(dispute.case_id.clone()).into())
        };
    }
    let method = operation::method_of(c, &original)?;
    let followers = transaction::followers(c, &original)?;
    let settled = match transaction::sale(&original, &followers) {
        Some(sale) => settlement::is_settled(c, account, sale, dispute.at)?,
        None => false,
    };
    let chain = transaction::chain(account, &method, &original, &followers);
    let draft = Draft {
        key,
        original_id: Some(original.id),
        kind: TransactionKind::Chargeback,
        amount: rules::charge_back(&chain, settled)?,
        method: original.method,
        ruling: Ruling::ApprovedUnder(dispute.reason.clone()),
        confirmation_code: original.confirmation_code,
        order_json: None,
        at: dispute.at,
        voids_sale_of: None,
        case_id: Some(dispute.case_id.clone()),
    };
    let chargeback = transaction::post(c, account, draft)?;
    Deadline {
        transaction_id: chargeback.id,
        sub_account: account.id.clone(),
        kind: LOSS.to_owned(),
        due_at: dispute.at + Duration::days(DISPUTE_DAYS),
    }
    .insert(c)?;
    Ok(chargeback)
}

fn win(
    c: &mut Connection,
    account: &Account,
    chargeback: &Transaction,
    at: Timestamp,
) -> Result<Transaction, Halt> {
    let key = reversal_key(chargeback)?;
    if let Some(before) = transaction::by_key(c, account.merchant, &key)? {
        return Ok(before);
    }
    let deadline = Deadline::find(c, chargeback.id)?;
    if deadline.is_none_or(|deadline| at >= deadline.due_at) {
        return Err(Refusal::DisputeLost.into());
    }
    Deadline::remove(c, chargeback.id)?;
    let draft = Draft {
        key,
        original_id: chargeback.original_id,
        kind: TransactionKind::ReversalChargeback,
        amount: chargeback.amount(account),
        method: chargeback.method.clone(),
        ruling: Ruling::ApprovedUnder(chargeback.authorization_or_error_code.clone()),
        confirmation_code: chargeback.confirmation_code.clone(),
        order_json: None,
        at: at.max(chargeback.system_at),
        voids_sale_of: None,
        case_id: chargeback.case_id.clone(),
    };
    transaction::post(c, account, draft)
}

fn lose(c: &mut Connection, account: &Account, chargeback: &Transaction) -> Result<(), Halt> {
    let key = reversal_key(chargeback)?;
    if transaction::by_key(c, account.merchant, &key)?.is_some() {
        return Err(Refusal::DisputeWon.into());
    }
    Ok(Deadline::remove(c, chargeback.id)?)
}

/// The books keep what the bank posts under a key too: of a case, so that it is posted once.
fn chargeback_key(case_id: &str) -> AttemptKey {
    AttemptKey::new(format!("chargeback {case_id}"))
}

fn reversal_key(chargeback: &Transaction) -> Result<AttemptKey, Halt> {
    let case_id = chargeback.case_id.as_ref();
    let case_id = case_id.ok_or_else(|| Halt::corrupt("a chargeback without a case"))?;
    Ok(AttemptKey::new(format!("reversal {case_id}")))
}

/// What time will do: of a sale, that it is disputed; of a chargeback, that it is lost.
#[derive(Debug, Queryable, Insertable)]
#[diesel(table_name = deadline)]
struct Deadline {
    transaction_id: i64,
    sub_account: String,
    kind: String,
    #[diesel(column_name = due_ms)]
    due_at: Timestamp,
}

const DISPUTE: &str = "Dispute";
pub(super) const LOSS: &str = "Loss";

impl Deadline {
    fn insert(&self, c: &mut Connection) -> QueryResult<()> {
        diesel::insert_into(deadline::table)
            .values(self)
            .execute(c)?;
        Ok(())
    }

    fn find(c: &mut Connection, transaction: i64) -> QueryResult<Option<Self>> {
        deadline::table.find(transaction).first(c).optional()
    }

    fn remove(c: &mut Connection, transaction: i64) -> QueryResult<()> {
        diesel::delete(deadline::table.find(transaction)).execute(c)?;
        Ok(())
    }
}

/// Remembers that a sale on a card that disputes will be disputed, once it is settled.
pub(crate) fn expect(
    c: &mut Connection,
    account: &Account,
    method: &Method,
    sale: &Transaction,
) -> QueryResult<()> {
    let is_sale = matches!(
        sale.kind.whole(),
        TransactionKind::Charge | TransactionKind::Capture
    );
    if !(method.behaviour.disputes && is_sale && sale.is_approved()) {
        return Ok(());
    }
    let due_at = settlement::disputed_at(c, account, sale)?;
    Deadline {
        transaction_id: sale.id,
        sub_account: account.id.clone(),
        kind: DISPUTE.to_owned(),
        due_at,
    }
    .insert(c)
}

/// When a dispute is opened or lost next.
pub(crate) fn next(c: &mut Connection, account: &Account) -> QueryResult<Option<Timestamp>> {
    deadline::table
        .filter(deadline::sub_account.eq(&account.id))
        .select(min(deadline::due_ms))
        .first(c)
}

/// Lets time open or lose a dispute that is due. Nothing comes of a dispute that the rules
/// refuse, such as of a sale of which nothing is left.
pub(crate) fn take(
    c: &mut Connection,
    account: &Account,
    at: Timestamp,
) -> Result<Option<StepKind>, Halt> {
    let due: Deadline = deadline::table
        .filter(deadline::sub_account.eq(&account.id))
        .filter(deadline::due_ms.le(at))
        .order((deadline::due_ms, deadline::transaction_id))
        .first(c)?;
    Deadline::remove(c, due.transaction_id)?;
    let named = TransactionId::new(due.transaction_id.to_string());
    if due.kind == LOSS {
        return Ok(Some(StepKind::DisputeLost { chargeback: named }));
    }
    let dispute = Dispute {
        case_id: format!("DP-{named}"),
        transaction: named,
        reason: TEST_REASON.to_owned(),
        at,
    };
    match open(c, account, &dispute) {
        Ok(chargeback) => Ok(Some(StepKind::DisputeOpened {
            chargeback: chargeback.public_id(),
            amount: Money::from_minor(chargeback.amount_minor, account.currency),
        })),
        Err(Halt::Refused(_)) => Ok(None),
        Err(halt) => Err(halt),
    }
}
