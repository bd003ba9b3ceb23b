//! The data directory taken, the databases open, the platform and its sandbox on them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use payments::Platform;
use processors::sandbox::{self, Sandbox};
use store::{Control, DataDir, DataDirError, Store, SystemClock};
use tokio::time::{Instant, sleep};
use vault::Vault;

use crate::config::Config;
use crate::error::CommandError;

/// The name of the sandbox's file or schema.
const SANDBOX_STORE: &str = "sandbox";

/// For how long a directory may be in use before we give up: another command is done by then, or a
/// server that starts has said where it is.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// Who has a data directory.
pub(crate) enum Claim {
    /// We do.
    Ours(DataDir),
    /// A running server does.
    Server(Control),
}

/// Takes a data directory, or finds the server that has it.
pub(crate) async fn claim(path: &Path) -> Result<Claim, CommandError> {
    let given_up = Instant::now() + PATIENCE;
    loop {
        if let Some(control) = DataDir::control(path) {
            return Ok(Claim::Server(control));
        }
        match DataDir::take(path) {
            Ok(directory) => return Ok(Claim::Ours(directory)),
            Err(DataDirError::InUse(_)) if Instant::now() < given_up => sleep(PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Takes a data directory for work that no server can do meanwhile.
pub(crate) async fn claim_alone(path: &Path) -> Result<DataDir, CommandError> {
    match claim(path).await? {
        Claim::Ours(directory) => Ok(directory),
        Claim::Server(control) => Err(CommandError::refused(format!(
            "the data directory {} is in use by the server at http://{}: stop that server, or name \
             another directory with --data",
            path.display(),
            control.address
        ))),
    }
}

/// The platform and its sandbox, on a data directory of ours.
pub(crate) struct House {
    pub(crate) platform: Arc<Platform>,
    pub(crate) sandbox: Arc<Sandbox>,
    /// Let go last, when all databases are closed.
    pub(crate) directory: DataDir,
}

impl House {
    /// Opens the databases and brings them to this program's version.
    pub(crate) async fn open(config: &Config, directory: DataDir) -> Result<Self, CommandError> {
        let vault = Vault::new(config.keys.load()?);
        let books = Store::open(&config.database, SANDBOX_STORE, &sandbox::MIGRATIONS)?;
        let sandbox = Arc::new(Sandbox::open(books));
        let platform = Platform::open(
            &config.database,
            vault,
            Arc::<Sandbox>::clone(&sandbox),
            Arc::new(SystemClock),
            config.settings.clone(),
        )
        .await?;
        Ok(Self {
            platform,
            sandbox,
            directory,
        })
    }
}
