//! What an operator's commands do, the same whether a running server is asked or the database is
//! opened for the purpose.

use std::collections::HashSet;

use contract::id::{AccountId, ListingId};
use money::Currency;
use processors::MerchantId;
use processors::sandbox::Sandbox;
use serde::{Deserialize, Serialize};
use store::{Lock, new_id};

use crate::store::account::{self, Account};
use crate::store::setup::{SandboxProvider, insert_provider};
use crate::tenancy::{self, Credentials, NewApplication, SCOPE_OPEN_API, SetupError};
use crate::{Error, Platform};

/// More accounts than this are not named when one must be chosen.
const ACCOUNTS_NAMED_MAX: i64 = 10;

/// What people call the sandbox among their providers.
pub(crate) const PROVIDER_NAME: &str = "Sandbox";
/// What the sandbox gives each merchant a sub-account for.
const CURRENCIES: [&str; 13] = [
    "USD", "EUR", "GBP", "CAD", "AUD", "NZD", "CHF", "SEK", "NOK", "DKK", "JPY", "ILS", "KWD",
];

/// An application, ordered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationOrder {
    /// What people call it.
    pub name: String,
    /// Whose it is; `None`: the only account's, and a new one's where there is none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What its tokens may be good for; `None`: all routes under `/v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// The listings that it may see; `None`: all of the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listings: Option<HashSet<ListingId>>,
}

/// An application, made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApplicationMade {
    /// What it asks for tokens with.
    #[serde(flatten)]
    pub credentials: Credentials,
    /// Whose it is.
    pub account: AccountId,
    /// Whether the account was made for it.
    pub is_new_account: bool,
}

impl Platform {
    /// Makes an application, and an account that can take payments in the sandbox if there is no
    /// account yet.
    ///
    /// # Errors
    /// A [`SetupError`] that says what does not exist or cannot be.
    pub async fn order_application(
        &self,
        sandbox: &Sandbox,
        order: ApplicationOrder,
    ) -> Result<ApplicationMade, SetupError> {
        let found = self.account_ordered(order.account).await?;
        let account = match found {
            Some(account) => account,
            None => self.open_sandbox_account(sandbox, &order.name).await?,
        };
        let new = NewApplication {
            account,
            name: order.name,
            scopes: order
                .scopes
                .unwrap_or_else(|| vec![SCOPE_OPEN_API.to_owned()]),
            listings: order.listings,
        };
        Ok(ApplicationMade {
            credentials: self.create_application(new).await?,
            account,
            is_new_account: found.is_none(),
        })
    }

    /// Makes an account in US dollars and UTC, with a provider that the sandbox runs.
    async fn open_sandbox_account(
        &self,
        sandbox: &Sandbox,
        name: &str,
    ) -> Result<AccountId, SetupError> {
        tenancy::check_name(name)?;
        let now = self.clock.now();
        let account = Account {
            id: new_id(),
            name: name.to_owned(),
            currency: CURRENCIES[0].to_owned(),
            timezone: "UTC".to_owned(),
            clock_offset_ms: 0,
            created_ms: now,
        };
        let id = account.id;
        let provider = SandboxProvider {
            id: new_id(),
            account_id: id,
            name: PROVIDER_NAME.to_owned(),
            method: "AMARYLLIS",
            merchant: open_merchant(sandbox, name).await?.to_string(),
            created_ms: now,
        };
        self.store
            .write(Lock::none(), move |c| {
                account::insert(c, &account)?;
                insert_provider(c, &provider)
            })
            .await?;
        Ok(id)
    }

    /// The account that an order names, or else the only one; `None`: there is none yet.
    pub(crate) async fn account_ordered(
        &self,
        named: Option<AccountId>,
    ) -> Result<Option<AccountId>, SetupError> {
        if named.is_some() {
            return Ok(named);
        }
        let accounts = self
            .store
            .read(|c| account::ids(c, ACCOUNTS_NAMED_MAX))
            .await?;
        match accounts.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(*only)),
            _ => Err(SetupError::AccountAmbiguous(accounts)),
        }
    }
}

/// Opens a merchant at the sandbox, with a sub-account for each common currency.
pub(crate) async fn open_merchant(sandbox: &Sandbox, name: &str) -> Result<MerchantId, SetupError> {
    let currencies = CURRENCIES
        .iter()
        .map(|code| code.parse())
        .collect::<Result<Vec<Currency>, _>>()
        .map_err(|error| Error::Corrupt(error.to_string()))?;
    Ok(sandbox.open_merchant(name, &currencies).await?)
}
