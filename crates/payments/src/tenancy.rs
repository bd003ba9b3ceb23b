//! Accounts and their applications: what an operator makes before anybody can ask for a token.

use std::collections::HashSet;
use std::fmt;

use contract::id::{AccountId, ListingId};
use data_encoding::BASE64URL_NOPAD;
use money::Currency;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Connection, Failure, Lock, new_id, random_bytes};
use subtle::ConstantTimeEq;

use crate::model::listing::zone;
use crate::store::account::{self, Account};
use crate::store::application::{self, Application};
use crate::{Error, Platform};

/// The scope that the routes under `/v1` ask for.
pub const SCOPE_OPEN_API: &str = "open-api";

const NAME_CHARS_MAX: usize = 200;
const SCOPE_CHARS_MAX: usize = 100;

/// Why an account or application was not made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No such account.
    #[error("there is no account {0}")]
    AccountNotFound(AccountId),
    /// Several accounts, and none was named.
    #[error("there are several accounts: say whose it is with the account's id ({})", list(.0))]
    AccountAmbiguous(Vec<AccountId>),
    /// An application cannot be limited to a listing that its account does not have.
    #[error("there is no listing {0} in the account")]
    UnknownListing(ListingId),
    /// A name that nobody could read.
    #[error("a name has 1 to 200 characters, none of them a control character")]
    InvalidName,
    /// A scope that could not be sent.
    #[error(
        "\"{0}\" is not a scope: scopes have 1 to 100 letters, digits and punctuation marks, \
         without blanks, quotes and backslashes"
    )]
    InvalidScope(String),
    /// A list of scopes without any.
    #[error("an application needs a scope: open-api is the one for all routes under /v1")]
    NoScope,
    /// The fixture was made before.
    #[error(
        "the fixture {fixture} is there already, as account {account}: use it, or give the server \
         an empty data directory with --data (on PostgreSQL, an empty database) for a fresh one"
    )]
    AlreadySeeded {
        /// The fixture.
        fixture: &'static str,
        /// Its account.
        account: AccountId,
    },
    /// Anything that went wrong inside.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<store::Error> for SetupError {
    fn from(error: store::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<processors::Failure> for SetupError {
    fn from(failure: processors::Failure) -> Self {
        Self::Failed(failure.into())
    }
}

impl Failure for SetupError {
    fn as_store(&self) -> Option<&store::Error> {
        match self {
            Self::Failed(error) => error.as_store(),
            _ => None,
        }
    }
}

fn list(accounts: &[AccountId]) -> String {
    let ids: Vec<_> = accounts.iter().map(AccountId::as_str).collect();
    ids.join(", ")
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// What people call it.
    pub name: String,
    /// What its listings are priced in, unless they say otherwise.
    pub currency: Currency,
    /// The IANA name of its time zone.
    pub timezone: String,
}

/// An application to be made.
#[derive(Debug, Clone)]
pub struct NewApplication {
    /// Whose it is.
    pub account: AccountId,
    /// What people call it.
    pub name: String,
    /// What its tokens may be good for.
    pub scopes: Vec<String>,
    /// The listings that it may see; `None`: all of the account's.
    pub listings: Option<HashSet<ListingId>>,
}

impl NewApplication {
    /// An application that may do and see all that its account has.
    pub fn named(account: AccountId, name: impl Into<String>) -> Self {
        Self {
            account,
            name: name.into(),
            scopes: vec![SCOPE_OPEN_API.to_owned()],
            listings: None,
        }
    }
}

/// What an application asks for tokens with. The secret is shown here and never again.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// Names the application.
    pub client_id: String,
    /// 256 random bits.
    pub client_secret: String,
}

/// Without the secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    fn generate() -> Self {
        Self {
            client_id: new_client_id(),
            client_secret: BASE64URL_NOPAD.encode(&random_bytes::<32>()),
        }
    }
}

impl Platform {
    /// Makes an account; its business time is wall time.
    ///
    /// # Errors
    /// [`SetupError::InvalidName`], and [`SetupError::Failed`], also for a zone that is none.
    pub async fn create_account(&self, new: NewAccount) -> Result<AccountId, SetupError> {
        check_name(&new.name)?;
        zone(&new.timezone).map_err(Error::from)?;
        let account = Account {
            id: new_id(),
            name: new.name,
            currency: new.currency.code().to_owned(),
            timezone: new.timezone,
            clock_offset_ms: 0,
            created_ms: self.clock.now(),
        };
        let id = account.id;
        self.store
            .write(Lock::none(), move |c| account::insert(c, &account))
            .await?;
        Ok(id)
    }

    /// Makes an application of an account. Of its secret only a hash is kept.
    ///
    /// # Errors
    /// A [`SetupError`] that says what does not exist or cannot be.
    pub async fn create_application(&self, new: NewApplication) -> Result<Credentials, SetupError> {
        check_name(&new.name)?;
        let scopes = checked_scopes(new.scopes)?;
        let credentials = Credentials::generate();
        let application = Application {
            client_id: credentials.client_id.clone(),
            account_id: new.account,
            name: new.name,
            secret_hash: hash(&credentials.client_secret).to_vec(),
            scopes,
            listings: new.listings,
            created: self.clock.now(),
        };
        let lock = Lock::row("account", &new.account);
        self.store
            .write(lock, move |c| insert_application(c, &application))
            .await?;
        Ok(credentials)
    }
}

fn insert_application(connection: &mut Connection, new: &Application) -> Result<(), SetupError> {
    if account::find(connection, new.account_id)?.is_none() {
        return Err(SetupError::AccountNotFound(new.account_id));
    }
    for id in new.listings.iter().flatten() {
        if !application::account_has_listing(connection, new.account_id, *id)? {
            return Err(SetupError::UnknownListing(*id));
        }
    }
    Ok(application::insert(connection, new)?)
}

impl Application {
    /// Whether this is its secret. The comparison takes as long wherever they differ.
    pub(crate) fn has_secret(&self, secret: &str) -> bool {
        hash(secret).ct_eq(self.secret_hash.as_slice()).into()
    }
}

/// One round of a fast hash is enough: nobody guesses 256 random bits, however fast they try. Slow
/// hashes are for what people choose.
fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// `0oa` and 17 letters and digits, as client ids of the Open API look.
fn new_client_id() -> String {
    format!("0oa{}", random_alphanumerics(17))
}

/// So many letters and digits that nobody can guess.
pub(crate) fn random_alphanumerics(count: usize) -> String {
    const CHARACTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // A byte picks any of 62 evenly only below 4 × 62; others are passed over.
    let random = std::iter::repeat_with(random_bytes::<32>).flatten();
    let picked = random
        .filter(|byte| *byte < 248)
        .map(|byte| char::from(CHARACTERS[usize::from(byte % 62)]));
    picked.take(count).collect()
}

pub(crate) fn check_name(name: &str) -> Result<(), SetupError> {
    let is_readable = !name.trim().is_empty() && !name.contains(char::is_control);
    if is_readable && name.chars().count() <= NAME_CHARS_MAX {
        Ok(())
    } else {
        Err(SetupError::InvalidName)
    }
}

/// In their order, each once.
fn checked_scopes(scopes: Vec<String>) -> Result<Vec<String>, SetupError> {
    let mut checked: Vec<String> = Vec::with_capacity(scopes.len());
    for scope in scopes {
        if !is_scope(&scope) {
            return Err(SetupError::InvalidScope(scope));
        }
        if !checked.contains(&scope) {
            checked.push(scope);
        }
    }
    if checked.is_empty() {
        return Err(SetupError::NoScope);
    }
    Ok(checked)
}

/// The `scope-token` of RFC 6749, appendix A.4.
fn is_scope(text: &str) -> bool {
    (1..=SCOPE_CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}
