//! The data directory: one server at a time, and the note that tells other commands where it is.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process has it.
    #[error(
        "the data directory {0} is in use by another command, or by a server that starts or stops: \
         wait until that is done, or name another directory with --data"
    )]
    InUse(PathBuf),
    /// The file system says no.
    #[error("cannot use the data directory {path}: {source}")]
    Io {
        /// The directory or a file in it.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

/// Where the running server is, and the token that lets a command of the same user speak to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Control {
    /// The server's address.
    pub address: SocketAddr,
    /// A token for the server's own commands, new at every start.
    pub admin_token: String,
    /// What it serves, where it does not serve everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
}

/// A data directory that this process has to itself until the value is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Takes the directory, making it if need be (0700).
    ///
    /// # Errors
    /// [`DataDirError::InUse`] when another process has it.
    pub fn take(path: &Path) -> Result<Self, DataDirError> {
        let failed = |source| DataDirError::Io {
            path: path.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(failed)?;
        match try_lock_patiently(&lock) {
            Ok(()) => {
                // A killed server's note would send commands to where nobody is.
                let _ = fs::remove_file(path.join(CONTROL));
                Ok(Self {
                    path: path.to_owned(),
                    _lock: lock,
                })
            }
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Tells other commands where the server is (`control.json`, 0600).
    ///
    /// # Errors
    /// [`DataDirError::Io`].
    pub fn announce(&self, control: &Control) -> Result<(), DataDirError> {
        let path = self.path.join(CONTROL);
        let failed = |source| DataDirError::Io {
            path: path.clone(),
            source,
        };
        let unfinished = self.path.join("control.json.new");
        let _ = fs::remove_file(&unfinished);
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&unfinished)
            .map_err(failed)?;
        let text = serde_json::to_string(control).map_err(|e| failed(e.into()))?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        fs::rename(&unfinished, &path).map_err(failed)
    }

    /// Where the server of a data directory is, if one runs: the note counts only while the lock is
    /// held, since a killed server leaves it behind.
    pub fn control(path: &Path) -> Option<Control> {
        let lock = File::open(path.join("lock")).ok()?;
        match lock.try_lock_shared() {
            Ok(()) => None,
            Err(_) => serde_json::from_str(&fs::read_to_string(path.join(CONTROL)).ok()?).ok(),
        }
    }
}

const CONTROL: &str = "control.json";

/// A command that asks for the server holds the lock for a moment: that is no server.
fn try_lock_patiently(lock: &File) -> Result<(), TryLockError> {
    const TRIES: u32 = 20;
    for _ in 1..TRIES {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
            other => return other,
        }
    }
    lock.try_lock()
}

impl Drop for DataDir {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path.join(CONTROL));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn a_second_server_is_refused_and_commands_find_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let control = Control {
            address: "127.0.0.1:4711".parse().unwrap(),
            admin_token: "t".to_owned(),
            only: None,
        };

        let first = DataDir::take(dir.path()).unwrap();
        first.announce(&control).unwrap();
        let refused = DataDir::take(dir.path()).unwrap_err();
        assert!(matches!(refused, DataDirError::InUse(_)));
        assert!(refused.to_string().contains("another command"), "{refused}");
        assert_eq!(
            DataDir::control(dir.path()).unwrap().address,
            control.address
        );
        let mode = fs::metadata(dir.path().join(CONTROL))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        drop(first);
        assert!(DataDir::control(dir.path()).is_none());
        DataDir::take(dir.path()).unwrap();
    }

    #[test]
    fn a_command_that_asks_for_the_server_does_not_keep_one_from_starting() {
        let dir = tempfile::tempdir().unwrap();
        drop(DataDir::take(dir.path()).unwrap());
        let started = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !started.load(Ordering::Relaxed) {
                    assert!(DataDir::control(dir.path()).is_none());
                }
            });
            let taken: Result<Vec<()>, DataDirError> = (0..100)
                .map(|_| DataDir::take(dir.path()).map(drop))
                .collect();
            started.store(true, Ordering::Relaxed);
            taken.unwrap();
        });
    }

    #[test]
    fn the_note_of_a_killed_server_counts_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("lock"), "").unwrap();
        fs::write(
            dir.path().join(CONTROL),
            r#"{"address":"127.0.0.1:1","admin_token":"x"}"#,
        )
        .unwrap();
        assert!(DataDir::control(dir.path()).is_none());

        let _next = DataDir::take(dir.path()).unwrap();
        assert!(DataDir::control(dir.path()).is_none());
    }
}
