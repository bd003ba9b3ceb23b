//! The keys in use: one seals, the former ones still open. Also every way of failing to get them.

use std::io;
use std::path::PathBuf;

use crate::key::{Key, KeyId};

/// A primary key, which seals, and the former keys, which only open what they sealed.
#[derive(Debug)]
pub struct Keyring {
    primary: Key,
    former: Vec<Key>,
}

impl Keyring {
    /// The keys in order, the primary first.
    pub fn new(primary: Key, former: Vec<Key>) -> Self {
        Self { primary, former }
    }

    /// The key that seals.
    pub fn primary(&self) -> &Key {
        &self.primary
    }

    /// The names of all keys, the primary first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.keys().map(Key::id)
    }

    pub(crate) fn find(&self, id: KeyId) -> Option<&Key> {
        self.keys().find(|key| key.id() == id)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.primary).chain(&self.former)
    }

    /// Reads one key from each entry; blank entries and `#` comments are passed over.
    ///
    /// A failure names the entry by its place and never repeats it: it may be a key mistyped.
    pub(crate) fn parse<'a>(
        origin: &str,
        entries: impl Iterator<Item = &'a str>,
    ) -> Result<Self, KeyError> {
        let mut keys = entries
            .map(str::trim)
            .filter(|entry| !entry.is_empty() && !entry.starts_with('#'))
            .enumerate()
            .map(|(index, entry)| {
                Key::parse(entry).ok_or_else(|| KeyError::Unreadable {
                    origin: origin.to_owned(),
                    position: index + 1,
                    length: entry.chars().count(),
                })
            });
        let primary = keys.next().ok_or_else(|| KeyError::Empty {
            origin: origin.to_owned(),
        })??;
        Ok(Self::new(primary, keys.collect::<Result<_, _>>()?))
    }
}

impl From<Key> for Keyring {
    fn from(primary: Key) -> Self {
        Self::new(primary, Vec::new())
    }
}

/// Why no keys could be had. Each message says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// An entry is no key.
    #[error(
        "key {position} of {origin} has {length} characters and is not 32 bytes in base64 \
         (44 characters) or hex (64 characters): correct it; `openssl rand -base64 32` makes a key"
    )]
    Unreadable {
        /// The file or variable.
        origin: String,
        /// Which of its keys, counted from 1.
        position: usize,
        /// How long the entry is, which tells a cut key from a foreign one.
        length: usize,
    },
    /// The source is there and holds no key.
    #[error(
        "{origin} holds no key: put a key in it (`openssl rand -base64 32` makes one) or leave it out"
    )]
    Empty {
        /// The file or variable.
        origin: String,
    },
    /// Other users of the machine may read or change the file.
    #[error(
        "the key file {} can be used by others (its mode is {mode:03o}): chmod 600 {}",
        path.display(), path.display()
    )]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is no key where something was sealed before.
    #[error(
        "there is no key at {}: give the one that the secrets are sealed with, by the data directory \
         that has it (--data), its file (--key-file) or itself ({})",
        path.display(), crate::KEY_VARIABLE
    )]
    Missing {
        /// Where a key file would be.
        path: PathBuf,
    },
    /// The file is far larger than any key file.
    #[error("{} is larger than {limit_bytes} bytes, so it is no key file", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most a key file may hold.
        limit_bytes: u64,
    },
    /// The file system refused.
    #[error("cannot {action} the key file {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The key file.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// The operating system gave no randomness for a new key.
    #[error("the operating system gives no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
}
