//! Key files: read with their permissions checked, created once, rotated atomically.
//!
//! A file is never written in place. It is written whole under another name, made durable, and
//! renamed, so that a reader or a crash meets the old keys or the new ones and nothing between.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::key::{Key, KeyId};
use crate::keyring::{KeyError, Keyring};

const FILE_BYTES_MAX: u64 = 64 * 1024;
const OTHERS: u32 = 0o077;

/// Makes a fresh key the primary of this key file and returns its name; the keys already there
/// become former keys. The file keeps its owner and ends with mode 0600.
///
/// A running program keeps the keys it started with: restart it before anything is sealed under
/// the new key, then re-seal, and only then take the former keys out of the file.
pub fn rotate_key_file(path: &Path) -> Result<KeyId, KeyError> {
    // Through a symbolic link, the file is replaced and not the link.
    let path = &fs::canonicalize(path).map_err(failed("find", path))?;
    let locked = lock(path)?;
    let old_text = read_text(path, &locked)?;
    parse(path, &old_text)?;

    let key = Key::generate()?;
    let mut text = key_line(&key);
    text.push_str(&old_text);
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(too_large(path));
    }
    let temporary = write_beside(path, &text)?;
    keep_owner(&locked, temporary.as_file()).map_err(failed("keep the owner of", path))?;
    temporary
        .persist(path)
        .map_err(|e| failed("replace", path)(e.error))?;
    sync_parent(path)?;
    Ok(key.id())
}

pub(crate) fn read(path: &Path) -> Result<Keyring, KeyError> {
    let file = File::open(path).map_err(failed("open", path))?;
    parse(path, &read_text(path, &file)?)
}

/// Reads the file back even when this call has made it: of several processes that start at once,
/// one makes the file and all read the same key.
pub(crate) fn read_or_create(path: &Path) -> Result<Keyring, KeyError> {
    if !path.try_exists().map_err(failed("look for", path))? {
        create_unless_exists(path)?;
    }
    read(path)
}

fn create_unless_exists(path: &Path) -> Result<(), KeyError> {
    let temporary = write_beside(path, &key_line(&Key::generate()?))?;
    match temporary.persist_noclobber(path) {
        Ok(_) => sync_parent(path),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(failed("create", path)(e.error)),
    }
}

/// Locks the file that the path names *after* the lock is held: a rotation that held it before us
/// has put another file there, and the keys of that one must not be lost.
fn lock(path: &Path) -> Result<File, KeyError> {
    loop {
        let file = File::open(path).map_err(failed("open", path))?;
        file.lock().map_err(failed("lock", path))?;
        let held = file.metadata().map_err(failed("inspect", path))?;
        let named = fs::metadata(path).map_err(failed("inspect", path))?;
        if (held.dev(), held.ino()) == (named.dev(), named.ino()) {
            return Ok(file);
        }
    }
}

/// The permissions are those of the open file, so none can be swapped in after the check.
fn read_text(path: &Path, file: &File) -> Result<Zeroizing<String>, KeyError> {
    let mode = file.metadata().map_err(failed("inspect", path))?.mode() & 0o777;
    if mode & OTHERS != 0 {
        return Err(KeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    // Room for all of it at once: a string that grows leaves copies behind.
    let capacity = usize::try_from(FILE_BYTES_MAX + 1).unwrap_or(usize::MAX);
    let mut text = Zeroizing::new(String::with_capacity(capacity));
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(failed("read", path))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(too_large(path));
    }
    Ok(text)
}

fn parse(path: &Path, text: &str) -> Result<Keyring, KeyError> {
    Keyring::parse(&path.display().to_string(), text.lines())
}

fn key_line(key: &Key) -> Zeroizing<String> {
    let base64 = key.to_base64();
    Zeroizing::new([base64.as_str(), "\n"].concat())
}

/// A temporary file is readable by its owner alone from its first moment.
fn write_beside(path: &Path, text: &str) -> Result<NamedTempFile, KeyError> {
    let mut temporary = tempfile::Builder::new()
        .prefix(".key-")
        .tempfile_in(parent(path))
        .map_err(failed("create", path))?;
    temporary
        .write_all(text.as_bytes())
        .and_then(|()| temporary.as_file().sync_all())
        .map_err(failed("write", path))?;
    Ok(temporary)
}

/// An administrator who rotates must not take the file away from the service that reads it.
fn keep_owner(from: &File, to: &File) -> io::Result<()> {
    let (from, now) = (from.metadata()?, to.metadata()?);
    if from.uid() == now.uid() {
        return Ok(());
    }
    fchown(to, Some(from.uid()), Some(from.gid()))
}

fn sync_parent(path: &Path) -> Result<(), KeyError> {
    File::open(parent(path))
        .and_then(|dir| dir.sync_all())
        .map_err(failed("make durable", path))
}

/// The parent of a bare file name is the empty path, which cannot be opened.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(dir) if dir != Path::new("") => dir.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::File {
        action,
        path,
        source,
    }
}

fn too_large(path: &Path) -> KeyError {
    KeyError::TooLarge {
        path: path.to_owned(),
        limit_bytes: FILE_BYTES_MAX,
    }
}
