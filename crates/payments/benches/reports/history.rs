//! A processor with a long history: a month of sales in four currencies, and what was paid out of
//! them. It is the same each time, and made up as it is read.

use async_trait::async_trait;
use contract::Timestamp;
use money::{Currency, Money};
use processors::{
    Activity, Answer, AttemptKey, Cursor, Failure, Fee, MerchantId, PayoutId, PayoutLine,
    PayoutRecord, PayoutStatus, Processor, Request, SubAccount, SubAccountId, TransactionId,
    TransactionKind, TransactionRecord, TransactionStatus, Verify,
};

const CURRENCIES: [&str; 4] = ["USD", "EUR", "GBP", "CAD"];
/// 2026-03-01, in milliseconds.
const START: i64 = 1_772_323_200_000;
const DAY: i64 = 86_400_000;
const DAYS: i64 = 31;

/// Sales spread evenly over March 2026. Every second one is paid out on the morning after, which
/// takes two rows: the sale and its fee.
#[derive(Clone, Copy)]
pub(crate) struct History {
    /// Of a sub-account; even.
    sales_a_day: i64,
}

impl History {
    /// Of at least so many transactions.
    pub(crate) fn of(transactions: u32) -> Self {
        let days = u32::try_from(DAYS).unwrap() * 4;
        Self {
            sales_a_day: i64::from(transactions.div_ceil(days).next_multiple_of(2).max(2)),
        }
    }

    /// How many transactions there are, and how many rows in the payouts.
    pub(crate) fn rows(self) -> i64 {
        self.sales_a_day * DAYS * i64::try_from(CURRENCIES.len()).unwrap()
    }

    fn sale(self, number: usize, position: i64) -> TransactionRecord {
        let (day, index) = (
            (position - 1) / self.sales_a_day,
            (position - 1) % self.sales_a_day,
        );
        let at = Timestamp::from_millis(START + day * DAY + DAY / self.sales_a_day * index);
        TransactionRecord {
            position: Cursor(position),
            id: transaction_id(number, position),
            sub_account: sub_account_id(number),
            key: AttemptKey::new(format!("{number}-{position}")),
            original: None,
            kind: TransactionKind::Charge,
            status: TransactionStatus::Processed,
            amount: Money::from_minor(price(position), currency(number)),
            last4: String::from("4242"),
            bin: String::from("424242"),
            payment_method: String::from("Visa"),
            confirmation_code: Some(format!("HA-{number}{:07}", position / 2)),
            merchant_at: at,
            system_at: at,
            settled_at: Some(Timestamp::from_millis(START + (day + 1) * DAY)),
            arn: Some(String::from("74537604221222132710572")),
            dynamic_descriptor: String::from("MY COMPANY"),
            authorization_or_error_code: String::from("275640"),
            case_id: None,
        }
    }

    /// What was paid out of a day, the first being 1.
    fn payout(self, number: usize, day: i64) -> PayoutRecord {
        let first = (day - 1) * self.sales_a_day + 1;
        let settled_at = Timestamp::from_millis(START + day * DAY);
        let mut lines = Vec::new();
        let mut total = 0;
        for position in (first..first + self.sales_a_day).step_by(2) {
            let transaction = transaction_id(number, position);
            let sale = Activity::Transaction {
                transaction: transaction.clone(),
                kind: TransactionKind::Charge,
            };
            let fee = Activity::Fee {
                transaction,
                fee: Fee::Percentage,
            };
            for (minor, activity) in [
                (price(position), sale),
                (-(price(position) * 29 / 1000), fee),
            ] {
                total += minor;
                lines.push(PayoutLine {
                    number: first + i64::try_from(lines.len()).unwrap(),
                    amount: Money::from_minor(minor, currency(number)),
                    settled_at,
                    activity,
                });
            }
        }
        PayoutRecord {
            position: Cursor(day),
            id: PayoutId::new(format!("1387{:03}9{day:011}", number + 1)),
            sub_account: sub_account_id(number),
            amount: Money::from_minor(total, currency(number)),
            status: PayoutStatus::Processed,
            process_at: Timestamp::from_millis(START + day * DAY + DAY / 3),
            rejected_at: None,
            authorization_or_error_code: String::from("1"),
            reissue_of: None,
            descriptor: String::from("MY COMPANY"),
            lines,
        }
    }
}

#[async_trait]
impl Processor for History {
    async fn sub_accounts(&self, merchant: &MerchantId) -> Result<Vec<SubAccount>, Failure> {
        let sub_account = |number| SubAccount {
            id: sub_account_id(number),
            merchant: merchant.clone(),
            name: String::from("My Company"),
            currency: currency(number),
        };
        Ok((0..CURRENCIES.len()).map(sub_account).collect())
    }

    async fn transactions_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<TransactionRecord>, Failure> {
        let number = number(sub_account);
        Ok((after.0 + 1..=self.sales_a_day * DAYS)
            .take(limit)
            .map(|position| self.sale(number, position))
            .collect())
    }

    async fn payouts_after(
        &self,
        sub_account: &SubAccountId,
        after: Cursor,
        limit: usize,
    ) -> Result<Vec<PayoutRecord>, Failure> {
        let number = number(sub_account);
        Ok((after.0 + 1..=DAYS)
            .take(limit)
            .map(|day| self.payout(number, day))
            .collect())
    }

    async fn lookup(&self, _: &MerchantId, _: &AttemptKey) -> Result<Option<Answer>, Failure> {
        Ok(None)
    }

    async fn verify(&self, _: Verify) -> Result<Answer, Failure> {
        Err(Failure::Unavailable)
    }

    async fn execute(&self, _: Request) -> Result<Answer, Failure> {
        Err(Failure::Unavailable)
    }
}

/// In minor units; from 50.00 to 1,050.00.
fn price(position: i64) -> i64 {
    5_000 + position * 7_919 % 100_000
}

fn transaction_id(number: usize, position: i64) -> TransactionId {
    TransactionId::new(format!("1387{:03}{position:012}", number + 1))
}

fn sub_account_id(number: usize) -> SubAccountId {
    SubAccountId::new(format!("1387.{}", number + 1))
}

fn number(sub_account: &SubAccountId) -> usize {
    (0..CURRENCIES.len())
        .find(|number| sub_account_id(*number) == *sub_account)
        .unwrap()
}

fn currency(number: usize) -> Currency {
    CURRENCIES[number].parse().unwrap()
}
