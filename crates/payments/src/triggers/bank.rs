//! What banks and the processor do: disputes, payouts that come back, adjustments.

use money::{Currency, Money};
use processors::sandbox::{Adjustment, DeclinedBy, Dispute, DisputeOutcome, Sandbox};
use processors::{PayoutId, TransactionId};
use store::new_id;

use super::{Scene, TriggerError, Triggered, nothing_fits};
use crate::Error;
use crate::model::Rejection;
use crate::model::amount::in_currency;

/// Fraud, card not present: Visa's number.
const REASON: &str = "10.4";
/// The account was closed: the ACH network's number.
const RETURN_CODE: &str = "R02";
const CATEGORY: &str = "Manual adjustment";

impl Scene<'_> {
    pub(super) async fn chargeback(&self) -> Result<Triggered, TriggerError> {
        let sandbox = self.sandbox()?;
        let transaction = match (&self.request.transaction, self.request.payment) {
            (Some(_), Some(_)) => {
                return Err(nothing_fits("give a transaction or a payment, not both"));
            }
            (Some(named), None) => TransactionId::new(self.own("transaction", named)?),
            (None, Some(_)) => self.transaction_of_payment().await?,
            (None, None) => self.latest_disputable(sandbox).await?,
        };
        let case_id = format!("DP-{}", new_id::<contract::ObjectId>());
        let dispute = Dispute {
            transaction: transaction.clone(),
            case_id: case_id.clone(),
            reason: self.code_or(REASON),
            at: self.now,
        };
        let chargeback = sandbox.dispute(dispute).await?;
        Ok(Triggered {
            happened: format!("transaction {transaction} is disputed, and was charged back"),
            payment: self.request.payment,
            transaction: Some(transaction.to_string()),
            new_transaction: Some(chargeback.to_string()),
            case_id: Some(case_id),
            ..Triggered::default()
        })
    }

    pub(super) async fn chargeback_won(&self) -> Result<Triggered, TriggerError> {
        self.resolve(DisputeOutcome::Won).await
    }

    pub(super) async fn chargeback_lost(&self) -> Result<Triggered, TriggerError> {
        self.resolve(DisputeOutcome::Lost).await
    }

    async fn resolve(&self, outcome: DisputeOutcome) -> Result<Triggered, TriggerError> {
        let sandbox = self.sandbox()?;
        let chargeback = match &self.request.transaction {
            Some(named) => TransactionId::new(self.own("transaction", named)?),
            None => self.latest_open_chargeback(sandbox).await?,
        };
        let reversal = sandbox
            .resolve_dispute(&chargeback, outcome, self.now)
            .await?;
        let happened = match outcome {
            DisputeOutcome::Won => "is won: it was given back",
            DisputeOutcome::Lost => "is lost: it stays",
        };
        Ok(Triggered {
            happened: format!("the dispute of chargeback {chargeback} {happened}"),
            transaction: Some(chargeback.to_string()),
            new_transaction: reversal.map(|id| id.to_string()),
            ..Triggered::default()
        })
    }

    pub(super) async fn payout_rejected(&self) -> Result<Triggered, TriggerError> {
        let sandbox = self.sandbox()?;
        let payout = self.payout(sandbox, false).await?;
        let code = self.code_or(RETURN_CODE);
        let again = sandbox.reject_payout(&payout, &code, self.now).await?;
        Ok(came_back(
            &payout,
            &again,
            &format!("was rejected by the bank with {code}"),
        ))
    }

    pub(super) async fn payout_declined(&self) -> Result<Triggered, TriggerError> {
        let sandbox = self.sandbox()?;
        let payout = self.payout(sandbox, true).await?;
        let by = DeclinedBy::Processor;
        let again = sandbox.decline_payout(&payout, by, self.now).await?;
        Ok(came_back(&payout, &again, "was declined by the processor"))
    }

    pub(super) async fn adjustment(&self) -> Result<Triggered, TriggerError> {
        let sandbox = self.sandbox()?;
        let corrupt = |error: money::MoneyError| Error::Corrupt(error.to_string());
        let currency: Currency = self.account.currency.parse().map_err(corrupt)?;
        let amount = self.request.amount.ok_or_else(|| {
            nothing_fits("an adjustment needs an amount: less than 0 for what the merchant owes")
        })?;
        let amount: Money = in_currency("amount", &amount, currency)?;
        for merchant in &self.merchants {
            let accounts = self.platform.sandbox.sub_accounts(merchant).await?;
            let Some(account) = accounts.into_iter().find(|one| one.currency == currency) else {
                continue;
            };
            let id = format!("ADJ-{}", new_id::<contract::ObjectId>());
            let adjustment = Adjustment {
                sub_account: account.id.clone(),
                id: id.clone(),
                category: self.code_or(CATEGORY),
                amount,
                at: self.now,
            };
            sandbox.adjust(adjustment).await?;
            return Ok(Triggered {
                happened: format!(
                    "the balance of {} was put right by {amount}",
                    account.label()
                ),
                case_id: Some(id),
                amount: Some(amount.to_string()),
                ..Triggered::default()
            });
        }
        Err(Rejection::NoSubAccount(currency).into())
    }

    pub(super) fn code_or(&self, otherwise: &str) -> String {
        let code = self.request.code.as_deref();
        code.unwrap_or(otherwise).to_owned()
    }

    /// What was named, if it is this account's: another's does not exist for it.
    fn own<'a>(&self, what: &str, id: &'a str) -> Result<&'a str, TriggerError> {
        let is_ours = self
            .merchants
            .iter()
            .any(|merchant| Sandbox::is_of(merchant, id));
        let unknown = || nothing_fits(format!("the account has no {what} \"{id}\""));
        is_ours.then_some(id).ok_or_else(unknown)
    }

    async fn latest_disputable(&self, sandbox: &Sandbox) -> Result<TransactionId, TriggerError> {
        for merchant in &self.merchants {
            if let Some(sale) = sandbox.latest_disputable(merchant, self.now).await? {
                return Ok(sale);
            }
        }
        Err(nothing_fits(
            "no settled sale is left to charge back: take a card payment, then let its day end with \
             nightaudit sandbox advance 1d (POST /sandbox/advance)",
        ))
    }

    async fn latest_open_chargeback(
        &self,
        sandbox: &Sandbox,
    ) -> Result<TransactionId, TriggerError> {
        for merchant in &self.merchants {
            if let Some(chargeback) = sandbox.latest_open_chargeback(merchant).await? {
                return Ok(chargeback);
            }
        }
        Err(nothing_fits("no dispute is open: trigger chargeback first"))
    }

    async fn payout(&self, sandbox: &Sandbox, or_pending: bool) -> Result<PayoutId, TriggerError> {
        if let Some(named) = &self.request.payout {
            return Ok(PayoutId::new(self.own("payout", named)?));
        }
        for merchant in &self.merchants {
            if let Some(payout) = sandbox.latest_payout(merchant, or_pending).await? {
                return Ok(payout);
            }
        }
        Err(nothing_fits(
            "nothing was paid out yet: take a card payment, then let it be settled and paid out with \
             nightaudit sandbox advance 10d (POST /sandbox/advance)",
        ))
    }
}

fn came_back(payout: &PayoutId, again: &PayoutId, how: &str) -> Triggered {
    Triggered {
        happened: format!("payout {payout} {how}, and is sent again as {again}"),
        payout: Some(payout.to_string()),
        new_payout: Some(again.to_string()),
        ..Triggered::default()
    }
}
