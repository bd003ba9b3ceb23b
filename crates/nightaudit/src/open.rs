//! The data directory taken, and the databases of each system open.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use books::Books;
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

/// Makes sure that nobody works with the databases, from this directory or another.
pub(crate) async fn check_alone(config: &Config) -> Result<(), CommandError> {
    let given_up = Instant::now() + PATIENCE;
    for name in [payments::STORE_NAME, books::STORE_NAME] {
        if !store::exists(&config.database, name)? {
            continue;
        }
        while store::is_in_use(&config.database, name)? {
            if Instant::now() > given_up {
                return Err(CommandError::refused(format!(
                    "a server or another command works with the databases in {}: stop it first, since \
                     it could not open what is sealed anew, and start it again afterwards with the new \
                     key",
                    config.database
                )));
            }
            sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// The platform with its sandbox.
#[derive(Clone)]
pub(crate) struct Payments {
    pub(crate) platform: Arc<Platform>,
    pub(crate) sandbox: Arc<Sandbox>,
}

impl Payments {
    /// Opens the databases and brings them to this program's version.
    pub(crate) async fn open(config: &Config) -> Result<Self, CommandError> {
        let vault = Vault::new(config.keys.load()?);
        let store = Store::open(&config.database, SANDBOX_STORE, &sandbox::MIGRATIONS)?;
        let sandbox = Arc::new(Sandbox::open(store));
        let platform = Platform::open(
            &config.database,
            vault,
            Arc::<Sandbox>::clone(&sandbox),
            Arc::new(SystemClock),
            config.settings.clone(),
        )
        .await?;
        Ok(Self { platform, sandbox })
    }
}

/// Opens the books and brings them to this program's version.
pub(crate) async fn books(config: &Config) -> Result<Books, CommandError> {
    let vault = Arc::new(Vault::new(config.keys.load()?));
    let books = Books::open(&config.database, vault, Arc::new(SystemClock))?;
    books.check_key().await?;
    let books = books.with_public_url(config.public_url.clone());
    Ok(books.with_jobs(config.jobs))
}

/// The same of books that there are, whoever has them.
pub(crate) async fn books_that_are(config: &Config) -> Result<Books, CommandError> {
    are_there(config)?;
    books(config).await
}

/// Opens the books for reading, while a server may have them.
pub(crate) fn books_to_read(config: &Config) -> Result<Books, CommandError> {
    are_there(config)?;
    let vault = Arc::new(Vault::new(config.keys.load_existing()?));
    let clock = Arc::new(SystemClock);
    Ok(Books::open_read_only(&config.database, vault, clock)?)
}

fn are_there(config: &Config) -> Result<(), CommandError> {
    if !store::exists(&config.database, books::STORE_NAME)? {
        return Err(CommandError::refused(format!(
            "there are no books in {} yet: nightaudit connect begins them; if they are elsewhere, \
             name the place with --data or --database",
            config.database
        )));
    }
    Ok(())
}
