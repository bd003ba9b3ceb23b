//! The platform as it runs: its store, its processors, its clock and its secrets.

use std::sync::Arc;

use axum::Router;
use contract::ObjectId;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use processors::Processor;
use processors::sandbox::Sandbox;
use store::{Clock, DatabaseUrl, Migrations, Store, new_id};
use tokio_util::sync::CancellationToken;
use vault::Vault;

use crate::advance::Turns;
use crate::api::{self, Callers, Limits, TokenKeys, control};
use crate::collect::Merchants;
use crate::jobs::agenda;
use crate::jobs::calls::{Calls, Counted};
use crate::jobs::idempotency_keys;
use crate::jobs::import::{self, Imports};
use crate::jobs::webhooks::{self, Webhooks};
use crate::metrics::Metrics;
use crate::store::secret;
use crate::{Error, Settings, idempotency};

/// The platform's migrations.
pub const MIGRATIONS: Migrations = MIGRATIONS_EMBEDDED;
const MIGRATIONS_EMBEDDED: EmbeddedMigrations = embed_migrations!();

/// The name of the platform's file or schema.
pub const STORE_NAME: &str = "payments";

/// The payments platform, running.
pub struct Platform {
    pub(crate) store: Store,
    pub(crate) vault: Vault,
    pub(crate) sandbox: Arc<dyn Processor>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) token_keys: TokenKeys,
    pub(crate) callers: Callers,
    /// This server among others on the same database.
    pub(crate) node: ObjectId,
    pub(crate) merchants: Arc<Merchants>,
    pub(crate) imports: Imports,
    pub(crate) turns: Turns,
    pub(crate) webhooks: Webhooks,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
}

impl Platform {
    /// Opens the platform on a database, with the processor that its sandbox providers use.
    ///
    /// # Errors
    /// As [`Store::open`]; [`Error::Vault`] when the vault's key is not the one that this database's
    /// secrets were sealed with.
    pub async fn open(
        database: &DatabaseUrl,
        vault: Vault,
        sandbox: Arc<dyn Processor>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Result<Arc<Self>, Error> {
        let store = Store::open(database, STORE_NAME, &MIGRATIONS)?;
        let token_keys = TokenKeys::load(&store, &vault, &*clock).await?;
        let calls = Arc::new(Calls::default());
        let sandbox: Arc<dyn Processor> = Arc::new(Counted::new(sandbox, Arc::clone(&calls)));
        let metrics = Arc::new(Metrics::default());
        let imports = Imports::new(
            store.clone(),
            Arc::clone(&sandbox),
            calls,
            Arc::clone(&metrics),
        );
        let webhooks = Webhooks::new(&settings);
        Ok(Arc::new(Self {
            store,
            vault,
            sandbox,
            clock,
            limits: Limits::new(settings.limits),
            settings,
            token_keys,
            callers: Callers::default(),
            node: new_id(),
            merchants: Arc::default(),
            imports,
            turns: Turns::default(),
            webhooks,
            metrics,
        }))
    }

    /// Does the work that nobody waits for, until told to stop; what is under way is finished first.
    pub async fn run_jobs(self: Arc<Self>, stop: CancellationToken) {
        tokio::join!(
            agenda::run(Arc::clone(&self), stop.clone()),
            import::run(&self.imports, stop.clone()),
            idempotency_keys::run(&self, stop.clone()),
            webhooks::run(&self, stop),
        );
    }

    /// Carries out everything whose time has come; says how much that was.
    ///
    /// # Errors
    /// [`Error::Store`] when the agenda cannot be read.
    pub async fn run_due(self: &Arc<Self>) -> Result<usize, Error> {
        agenda::run_due(self, &CancellationToken::new()).await
    }

    /// Imports whatever the processors have to report by now. What fails is logged, and tried again
    /// by the next import.
    pub async fn run_imports(&self) {
        self.imports.poll_all().await;
    }

    /// Makes messages of all that happened and sends whatever is due to subscribers; says how often
    /// something was sent.
    ///
    /// # Errors
    /// [`Error::Store`] when the database cannot say what is due.
    pub async fn run_webhooks(self: &Arc<Self>) -> Result<usize, Error> {
        webhooks::run_once(self).await
    }

    /// Forgets the idempotency keys that have been kept for long enough; says how many those were.
    ///
    /// # Errors
    /// [`Error::Store`] when the database fails.
    pub async fn prune_idempotency_keys(&self) -> Result<usize, Error> {
        idempotency::prune(self).await
    }

    /// Seals the platform's own secrets anew where they are not under the vault's primary key yet;
    /// says how many those were. Then its former keys are needed no more.
    ///
    /// # Errors
    /// [`Error::Vault`] when a secret does not open; then all stay as they were.
    pub async fn reseal_secrets(&self) -> Result<usize, Error> {
        secret::reseal(&self.store, &self.vault).await
    }

    /// The routes by which a command of the same machine's user works through this platform while
    /// it runs. Whoever reaches them may make applications of any account: who else is let in is for
    /// the caller to see to.
    pub fn control_router(self: &Arc<Self>, sandbox: Arc<Sandbox>) -> Router {
        control::router(Arc::clone(self), sandbox)
    }

    /// All routes of the platform that its clients may use.
    pub fn router(self: &Arc<Self>) -> Router {
        api::router(Arc::clone(self))
    }
}
