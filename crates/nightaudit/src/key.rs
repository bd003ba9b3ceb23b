//! `nightaudit key`: the key that seals the secrets of both systems, and what is sealed under it.

use books::Books;
use vault::{KEY_VARIABLE, KeySource, rotate_key_file};

use crate::cli::KeyArgs;
use crate::config::Config;
use crate::error::CommandError;
use crate::open::{self, Payments, check_alone, claim_alone};
use crate::output;

/// Puts a fresh key before the others, then seals all under it.
pub(crate) async fn rotate(args: KeyArgs) -> Result<(), CommandError> {
    let config = Config::of(args.place)?;
    let _directory = claim_alone(&config.data).await?;
    let file = match &config.keys {
        KeySource::File(path) => path.clone(),
        KeySource::DataDir(dir) => dir.join("key"),
        KeySource::Env(_) => {
            return Err(CommandError::refused(format!(
                "the key is in {KEY_VARIABLE}, which no command can change: put a new one before the \
                 old ({KEY_VARIABLE}=NEW,OLD), then run nightaudit key reseal"
            )));
        }
    };
    config.keys.load_existing()?;
    check_alone(&config).await?;
    // Before there is a new key: secrets that the present keys do not open must stop us here.
    Sealed::open(&config).await?.reseal().await?;
    let id = rotate_key_file(&file)?;
    output::line(format_args!("{} has the new key {id}", file.display()))?;
    seal_anew(&config).await
}

/// Seals all under the first key.
pub(crate) async fn reseal(args: KeyArgs) -> Result<(), CommandError> {
    let config = Config::of(args.place)?;
    let _directory = claim_alone(&config.data).await?;
    config.keys.load_existing()?;
    check_alone(&config).await?;
    seal_anew(&config).await
}

/// What has secrets.
struct Sealed {
    payments: Option<Payments>,
    books: Option<Books>,
}

impl Sealed {
    /// Opens what there is, with the keys as they are now.
    async fn open(config: &Config) -> Result<Self, CommandError> {
        let payments = if store::exists(&config.database, payments::STORE_NAME)? {
            Some(Payments::open(config).await?)
        } else {
            None
        };
        let books = if store::exists(&config.database, books::STORE_NAME)? {
            Some(open::books(config).await?)
        } else {
            None
        };
        Ok(Self { payments, books })
    }

    /// Seals anew what is not under the first key; says how much that was. Interrupted at any point,
    /// it is done by doing it again: the former keys are in the file still.
    async fn reseal(&self) -> Result<usize, CommandError> {
        let mut count = 0;
        if let Some(Payments { platform, .. }) = &self.payments {
            count += platform.reseal_secrets().await?;
        }
        if let Some(books) = &self.books {
            count += books.reseal().await?;
        }
        Ok(count)
    }
}

async fn seal_anew(config: &Config) -> Result<(), CommandError> {
    let count = Sealed::open(config).await?.reseal().await?;
    output::line(match count {
        0 => "all secrets are under the first key already".to_owned(),
        1 => "1 secret sealed anew under the first key".to_owned(),
        count => format!("{count} secrets sealed anew under the first key"),
    })?;
    output::note(
        "Former keys now open nothing here. Keep them as long as backups of the database are kept.",
    );
    Ok(())
}
