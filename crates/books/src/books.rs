//! The books as they are opened.

use std::sync::Arc;

use contract::id::ConnectionId;
use diesel::prelude::*;
use store::{Clock, DatabaseUrl, Store};
use vault::Vault;

use crate::connection::WebhookBase;
use crate::evidence::Chain;
use crate::inbox::Inbox;
use crate::jobs::JobSettings;
use crate::schema::chain;
use crate::{Error, MIGRATIONS, STORE_NAME};

/// The books, open. Cheap to clone; all clones share the database.
#[derive(Clone)]
pub struct Books {
    store: Store,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    public_url: Option<WebhookBase>,
    jobs: JobSettings,
    inbox: Arc<Inbox>,
}

impl Books {
    /// Opens the books' database and brings it to this program's version.
    pub fn open(
        url: &DatabaseUrl,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let store = Store::open(url, STORE_NAME, &MIGRATIONS)?;
        Ok(Self::over(store, vault, clock))
    }

    /// Opens the books for reading only, while a server may have them open for writing.
    pub fn open_read_only(
        url: &DatabaseUrl,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let store = Store::open_read_only(url, STORE_NAME, &MIGRATIONS)?;
        Ok(Self::over(store, vault, clock))
    }

    fn over(store: Store, vault: Arc<Vault>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            vault,
            clock,
            public_url: None,
            jobs: JobSettings::default(),
            inbox: Arc::default(),
        }
    }

    /// The same books, with the address under which the source reaches this server.
    #[must_use]
    pub fn with_public_url(self, public_url: Option<WebhookBase>) -> Self {
        Self { public_url, ..self }
    }

    pub(crate) fn public_url(&self) -> Option<&WebhookBase> {
        self.public_url.as_ref()
    }

    /// The same books, with work in the background as it is set here.
    #[must_use]
    pub fn with_jobs(self, jobs: JobSettings) -> Self {
        Self { jobs, ..self }
    }

    pub(crate) fn jobs(&self) -> JobSettings {
        self.jobs
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The database, for what else belongs to the books.
    pub fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    /// Where the books read the time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Whether the vault's keys belong to these books: asked at the start, a wrong key is noticed
    /// before anything is done with it.
    pub async fn check_key(&self) -> Result<(), Error> {
        let newest = self.store.read(|c| {
            let newest = chain::table.order(chain::id.desc()).select(chain::id);
            Ok::<_, Error>(newest.first::<ConnectionId>(c).optional()?)
        });
        let Some(id) = newest.await? else {
            return Ok(());
        };
        match self.chain(id).await {
            Err(Error::Vault(error @ vault::Error::UnknownKey { .. })) => Err(error.into()),
            // One row that was changed is for the verification to tell.
            _ => Ok(()),
        }
    }

    /// The chain of a connection that has one.
    pub async fn chain(&self, connection: ConnectionId) -> Result<Chain, Error> {
        Chain::find(&self.store, &self.vault, connection).await
    }

    /// The chain of a connection; an empty one is begun where there is none.
    pub async fn begin_chain(&self, connection: ConnectionId) -> Result<Chain, Error> {
        Chain::begin(&self.store, &self.vault, connection).await
    }
}
