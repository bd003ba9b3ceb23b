//! Merchants and their sub-accounts, one for each currency.

use diesel::prelude::*;
use money::{Currency, Money, Rate};
use store::Connection;

use super::halt::Halt;
use super::refusal::Refusal;
use super::settlement::ReservePolicy;
use super::tables::{merchant, sub_account};
use crate::{MerchantId, SubAccount, SubAccountId};

/// The first merchant's number.
const FIRST_MERCHANT: i64 = 1387;
/// The last whose transaction ids are positive 64-bit integers.
const LAST_MERCHANT: i64 = 9221;
/// What fits on a card's statement.
const DESCRIPTOR_MAX: usize = 22;
/// A statement of GuestyPay's terms: 2.9 % + 0.30 of the sale, and 10 % kept back for 90 days.
const FEE_PERCENT: &str = "2.9";
/// About 0.30 and 15.00 US dollars in minor units: of a currency with two digits or none, and of one
/// with three. A unit of a currency without any is worth about a cent, one of a currency with three
/// digits about three tenths of one.
const FEE_FIXED: (i64, i64) = (30, 100);
const FEE_DISPUTE: (i64, i64) = (1_500, 5_000);
const RESERVE_PERCENT: &str = "10";
const RESERVE_DAYS: i32 = 90;

/// A merchant with all its sub-accounts, which never change.
#[derive(Debug)]
pub(crate) struct Merchant {
    pub(crate) number: i64,
    pub(crate) accounts: Vec<Account>,
}

/// A sub-account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) merchant: i64,
    pub(crate) number: i32,
    pub(crate) name: String,
    pub(crate) currency: Currency,
    /// What statements say.
    pub(crate) descriptor: String,
    pub(crate) fee_rate: Rate,
    pub(crate) fee_fixed: Money,
    pub(crate) fee_dispute: Money,
    /// What of a sale is kept back, and for how many days from its settlement.
    pub(crate) reserve_rate: Rate,
    pub(crate) reserve_days: i64,
}

impl Merchant {
    /// The sub-account for a currency; without one, the first.
    pub(crate) fn account_in(&self, currency: Option<Currency>) -> Result<&Account, Refusal> {
        match currency {
            Some(currency) => self
                .accounts
                .iter()
                .find(|account| account.currency == currency)
                .ok_or(Refusal::NoSubAccount(currency)),
            None => self.accounts.first().ok_or(Refusal::NoSubAccounts),
        }
    }
}

impl From<&Account> for SubAccount {
    fn from(account: &Account) -> Self {
        Self {
            id: SubAccountId::new(&account.id),
            merchant: MerchantId::new(account.merchant.to_string()),
            name: account.name.clone(),
            currency: account.currency,
        }
    }
}

/// The merchant's number, if the text could be one.
pub(crate) fn merchant_number(id: &MerchantId) -> Result<i64, Refusal> {
    let number = id
        .as_str()
        .parse()
        .ok()
        .filter(|number: &i64| number.to_string() == id.as_str());
    number.ok_or_else(|| Refusal::UnknownMerchant(id.to_string()))
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = sub_account)]
struct Row {
    id: String,
    merchant: i64,
    number: i32,
    name: String,
    currency: String,
    descriptor: String,
    fee_percent: String,
    fee_fixed_minor: i64,
    reserve_percent: String,
    reserve_days: i32,
    last_position: i64,
    reserve_on_refund: ReservePolicy,
    fee_dispute_minor: i64,
    reserve_on_chargeback: ReservePolicy,
}

/// Reads a merchant.
pub(crate) fn load(c: &mut Connection, number: i64) -> Result<Merchant, Halt> {
    let found: i64 = merchant::table.find(number).count().get_result(c)?;
    if found == 0 {
        return Err(Refusal::UnknownMerchant(number.to_string()).into());
    }
    let rows: Vec<Row> = sub_account::table
        .filter(sub_account::merchant.eq(number))
        .order(sub_account::number)
        .load(c)?;
    let accounts = rows.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok(Merchant { number, accounts })
}

fn read(row: Row) -> Result<Account, Halt> {
    let currency = row.currency.parse().map_err(Halt::corrupt)?;
    Ok(Account {
        id: row.id,
        merchant: row.merchant,
        number: row.number,
        name: row.name,
        currency,
        descriptor: row.descriptor,
        fee_rate: Rate::from_percent(&row.fee_percent).map_err(Halt::corrupt)?,
        fee_fixed: Money::from_minor(row.fee_fixed_minor, currency),
        fee_dispute: Money::from_minor(row.fee_dispute_minor, currency),
        reserve_rate: Rate::from_percent(&row.reserve_percent).map_err(Halt::corrupt)?,
        reserve_days: row.reserve_days.into(),
    })
}

/// Writes a new merchant, and answers with its number.
pub(crate) fn open(c: &mut Connection, name: &str, currencies: &[Currency]) -> Result<i64, Halt> {
    check(name, currencies)?;
    let last: Option<i64> = merchant::table
        .select(diesel::dsl::max(merchant::id))
        .first(c)?;
    let number = last.map_or(FIRST_MERCHANT, |last| last + 1);
    if number > LAST_MERCHANT {
        return Err(Refusal::TooManyMerchants.into());
    }
    diesel::insert_into(merchant::table)
        .values((merchant::id.eq(number), merchant::name.eq(name)))
        .execute(c)?;
    for (position, currency) in (1..).zip(currencies) {
        diesel::insert_into(sub_account::table)
            .values(row(number, position, name, *currency))
            .execute(c)?;
    }
    Ok(number)
}

fn check(name: &str, currencies: &[Currency]) -> Result<(), Refusal> {
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Refusal::InvalidName);
    }
    for (position, currency) in currencies.iter().enumerate() {
        if currencies[..position].contains(currency) {
            return Err(Refusal::CurrencyTwice(*currency));
        }
    }
    Ok(())
}

fn row(merchant: i64, number: i32, name: &str, currency: Currency) -> Row {
    Row {
        id: format!("{merchant}.{number}"),
        merchant,
        number,
        name: name.to_owned(),
        currency: currency.code().to_owned(),
        descriptor: name.chars().take(DESCRIPTOR_MAX).collect(),
        fee_percent: FEE_PERCENT.to_owned(),
        fee_fixed_minor: in_units_of(currency, FEE_FIXED),
        reserve_percent: RESERVE_PERCENT.to_owned(),
        reserve_days: RESERVE_DAYS,
        last_position: 0,
        reserve_on_refund: ReservePolicy::Kept,
        fee_dispute_minor: in_units_of(currency, FEE_DISPUTE),
        reserve_on_chargeback: ReservePolicy::Kept,
    }
}

/// One of two amounts, by the digits of the currency.
fn in_units_of(currency: Currency, (cents, mils): (i64, i64)) -> i64 {
    match currency.exponent() {
        3 => mils,
        _ => cents,
    }
}
