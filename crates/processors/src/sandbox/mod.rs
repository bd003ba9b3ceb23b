//! The sandbox: a card processor in its own right, with books of its own. Merchants, sub-accounts,
//! stored methods and transactions are kept under GuestyPay's rules, and answered in the form that
//! the stored method asks for.
//!
//! It has no clock, every request says when it is made, and it knows nothing of what the money is
//! for beyond what it is told.

mod account;
mod brand;
mod declines;
mod dispute;
mod feed;
mod halt;
mod method;
mod names;
mod operation;
mod pick;
mod processor;
mod refusal;
mod reply;
mod reset;
mod rules;
mod settlement;
mod stripe_amount;
mod tables;
mod together;
mod tokens;
mod transaction;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use diesel_migrations::embed_migrations;
use money::Currency;
use store::{Connection, Lock, Migrations, Store};

pub use self::dispute::{Dispute, DisputeOutcome};
pub use self::settlement::{Adjustment, Balance, DeclinedBy, ReservePolicy, ReserveTerms};

use self::account::{Account, Merchant};
use self::halt::Halt;
use self::method::Method;
use self::refusal::Refusal;
use crate::{Billing, Failure, MerchantId, MethodToken, Shape, SubAccountId, TransactionKind};

/// What brings the sandbox's database to this program's version.
pub const MIGRATIONS: Migrations = embed_migrations!("migrations/sandbox");

/// How often a new merchant's number is drawn, when others open at the same time.
const OPENINGS_MAX: usize = 16;

/// The sandbox processor.
pub struct Sandbox {
    store: Store,
    /// Merchants, once read; they never change.
    merchants: RwLock<HashMap<i64, Arc<Merchant>>>,
}

/// A method to be put into the vault under a token that is known already.
#[derive(Debug, Clone)]
pub struct KnownMethod {
    /// The token under which it will be charged.
    pub token: MethodToken,
    /// Whose it is.
    pub merchant: MerchantId,
    /// The form in which to keep it.
    pub shape: Shape,
    /// The sandbox's token of the card, such as `pm_card_visa`.
    pub card: String,
    /// Month of expiry, from 1.
    pub exp_month: u8,
    /// Year of expiry, in full.
    pub exp_year: u16,
    /// The card holder.
    pub billing: Billing,
}

impl Sandbox {
    /// Opens the sandbox over its database, which was migrated with [`MIGRATIONS`].
    pub fn open(store: Store) -> Self {
        Self {
            store,
            merchants: RwLock::default(),
        }
    }

    /// Opens a merchant with a sub-account for each currency, numbered from 1 in the order given.
    ///
    /// # Errors
    /// [`Failure::Refused`] when the name is empty or too long, or a currency is given twice.
    pub async fn open_merchant(
        &self,
        name: &str,
        currencies: &[Currency],
    ) -> Result<MerchantId, Failure> {
        for _ in 0..OPENINGS_MAX {
            let (name, currencies) = (name.to_owned(), currencies.to_vec());
            let opened = self
                .store
                .write(Lock::none(), move |c| account::open(c, &name, &currencies))
                .await;
            match opened {
                Err(Halt::Store(store::Error::Duplicate(_))) => {}
                other => return Ok(MerchantId::new(other?.to_string())),
            }
        }
        Err(Failure::Unavailable)
    }

    /// Puts a method into the vault under a known token, without a transaction.
    ///
    /// # Errors
    /// [`Failure::Refused`] when the token is taken, or the card or the merchant unknown.
    pub async fn store_method(&self, known: KnownMethod) -> Result<(), Failure> {
        let merchant = self.merchant(&known.merchant).await?;
        let behaviour = tokens::by_name(&known.card).ok_or(Refusal::UnknownToken(known.card))?;
        let method = Method {
            token: known.token,
            merchant: merchant.number,
            shape: known.shape,
            behaviour,
            card: method::card_facts(behaviour, known.exp_month, known.exp_year),
            billing: known.billing,
            usable: true,
            declined_once: false,
            refuses: None,
        };
        let taken = Refusal::MethodExists(method.token.to_string());
        let stored = self
            .store
            .write(Lock::none(), move |c| method::insert(c, &method))
            .await;
        match stored {
            Err(Halt::Store(store::Error::Duplicate(_))) => Err(taken.into()),
            other => Ok(other?),
        }
    }

    /// Lets a stored method decline the next thing of a kind that it is asked for: a charge, a hold, a
    /// capture, a release, a refund or a credit. `error_id` is GuestyPay's number of the reason, such
    /// as `10329`. Asked again, it forgets what it would have declined before.
    ///
    /// # Errors
    /// [`Failure::Refused`] when the method or the number is unknown, or the kind is not asked for.
    pub async fn refuse_next(
        &self,
        method: &MethodToken,
        asked: TransactionKind,
        error_id: &str,
    ) -> Result<(), Failure> {
        use TransactionKind::{Authorization, Capture, Charge, Credit, Refund, Void};
        if ![Charge, Authorization, Capture, Void, Refund, Credit].contains(&asked) {
            return Err(Refusal::NotAskedOfCards(asked.name()).into());
        }
        let decline = declines::by_error_id(error_id)
            .ok_or_else(|| Refusal::UnknownDecline(error_id.to_owned()))?;
        let method = method.clone();
        let refused = self.store.write(Lock::none(), move |c| {
            method::refuse(c, &method, Some((asked, decline)))
        });
        Ok(refused.await?)
    }

    async fn merchant(&self, id: &MerchantId) -> Result<Arc<Merchant>, Failure> {
        let number = account::merchant_number(id)?;
        let known = self
            .merchants
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&number)
            .cloned();
        if let Some(merchant) = known {
            return Ok(merchant);
        }
        let merchant = Arc::new(self.read(move |c| account::load(c, number)).await?);
        let mut merchants = self
            .merchants
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        merchants.insert(number, Arc::clone(&merchant));
        Ok(merchant)
    }

    async fn account(&self, id: &SubAccountId) -> Result<Account, Failure> {
        let unknown = || Refusal::UnknownSubAccount(id.to_string());
        let (merchant, _) = id.as_str().split_once('.').ok_or_else(unknown)?;
        let merchant = self.merchant(&MerchantId::new(merchant)).await?;
        let mut accounts = merchant.accounts.iter();
        let account = accounts.find(|account| account.id == id.as_str());
        Ok(account.ok_or_else(unknown)?.clone())
    }

    /// The sub-account that the id of one of its transactions or payouts tells.
    async fn account_of(&self, id: &str, unknown: Refusal) -> Result<(i64, Account), Failure> {
        let Some((id, merchant, number)) = transaction::read_id(id) else {
            return Err(unknown.into());
        };
        let account = SubAccountId::new(format!("{merchant}.{number}"));
        match self.account(&account).await {
            Ok(account) => Ok((id, account)),
            Err(Failure::Refused { .. }) => Err(unknown.into()),
            Err(other) => Err(other),
        }
    }

    /// Works on one sub-account, locked. No caller names a row that could be there already, but for
    /// one that came into being meanwhile: nothing is kept, and it is told apart from a key reused.
    async fn write<T: Send + 'static>(
        &self,
        account: Account,
        work: impl Fn(&mut Connection, &Account) -> Result<T, Halt> + Send + 'static,
    ) -> Result<T, Failure> {
        let lock = Lock::row("sub_account", &account.id);
        let done = self.store.write(lock, move |c| work(c, &account)).await;
        done.map_err(|halt| match halt {
            Halt::Store(error @ store::Error::Duplicate(_)) => {
                tracing::error!(%error, "the sandbox would write what it has written already");
                Failure::Unavailable
            }
            other => other.into(),
        })
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, Halt> + Send + 'static,
    ) -> Result<T, Failure> {
        self.store.read(work).await.map_err(|halt| match halt {
            Halt::Store(error) => {
                tracing::error!(%error, "the sandbox cannot read its database");
                Failure::Unavailable
            }
            other => other.into(),
        })
    }
}
