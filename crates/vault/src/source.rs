//! Where the keys come from, and which source wins when several are given.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::key_file;
use crate::keyring::{KeyError, Keyring};

/// The environment variable that may hold the keys.
pub const KEY_VARIABLE: &str = "NIGHTAUDIT_KEY";

/// The place the keys are loaded from.
pub enum KeySource {
    /// A key file the operator keeps; it must exist.
    File(PathBuf),
    /// The value of [`KEY_VARIABLE`]: one key, or several with commas between, the primary first.
    Env(Zeroizing<String>),
    /// The file `key` in this data directory, made with a fresh key when it is absent.
    DataDir(PathBuf),
}

impl KeySource {
    /// The source that wins: `--key-file`, then the environment, then the data directory.
    ///
    /// A variable that is set but empty wins too, and is refused when loaded: to fall back to a
    /// key made on the spot would hide the mistake.
    pub fn choose(key_file: Option<PathBuf>, variable: Option<String>, data_dir: PathBuf) -> Self {
        match (key_file, variable) {
            (Some(path), _) => Self::File(path),
            (None, Some(value)) => Self::Env(Zeroizing::new(value)),
            (None, None) => Self::DataDir(data_dir),
        }
    }

    /// Loads the keys. The data directory must exist if it is the source.
    pub fn load(&self) -> Result<Keyring, KeyError> {
        match self {
            Self::File(path) => key_file::read(path),
            Self::Env(value) => Keyring::parse(KEY_VARIABLE, value.split([',', '\n'])),
            Self::DataDir(dir) => key_file::read_or_create(&dir.join("key")),
        }
    }

    /// Loads the keys of what was sealed before: where there is none, a fresh one would open nothing.
    pub fn load_existing(&self) -> Result<Keyring, KeyError> {
        let Self::DataDir(dir) = self else {
            return self.load();
        };
        let path = dir.join("key");
        match key_file::read(&path) {
            Err(KeyError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Err(KeyError::Missing { path })
            }
            keys => keys,
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Env(_) => f.write_str("Env(redacted)"),
            Self::DataDir(dir) => f.debug_tuple("DataDir").field(dir).finish(),
        }
    }
}
