//! One key: 32 random bytes, their text form and the short name they are known by.

use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const KEY_BYTES: usize = 32;
const ID_BYTES: usize = 8;

/// A sealing key. Wiped from memory when dropped, and never shown by `Debug`.
///
/// The bytes are boxed, so that moving a key leaves no copy of them behind.
pub struct Key(Box<Zeroizing<[u8; KEY_BYTES]>>);

impl Key {
    /// A fresh key from the operating system's randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut key = Self(Box::default());
        getrandom::fill(key.0.as_mut_slice())?;
        Ok(key)
    }

    /// The key made of these bytes.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Self {
        let mut key = Self(Box::default());
        key.0.copy_from_slice(bytes);
        key
    }

    /// Reads 32 bytes written as hex or as base64 (either alphabet, padded or not).
    ///
    /// The lengths of the two forms differ, so no text can be read both ways.
    pub fn parse(text: &str) -> Option<Self> {
        let unpadded = text.trim_end_matches('=').as_bytes();
        let bytes = if text.len() == 2 * KEY_BYTES {
            HEXLOWER_PERMISSIVE.decode(text.as_bytes())
        } else {
            BASE64_NOPAD
                .decode(unpadded)
                .or_else(|_| BASE64URL_NOPAD.decode(unpadded))
        };
        let bytes = Zeroizing::new(bytes.ok()?);
        bytes.as_slice().try_into().ok().map(Self::from_bytes)
    }

    /// The name this key is known by.
    pub fn id(&self) -> KeyId {
        let digest = Sha256::new()
            .chain_update(b"nightaudit key id")
            .chain_update(self.bytes())
            .finalize();
        let mut id = [0; ID_BYTES];
        id.copy_from_slice(&digest[..ID_BYTES]);
        KeyId(id)
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    pub(crate) fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64.encode(self.bytes()))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, redacted)", self.id())
    }
}

/// A short hash of a key: tells keys apart, gives nothing of them away.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; ID_BYTES]);

impl KeyId {
    pub(crate) const LEN: usize = ID_BYTES;

    pub(crate) fn from_bytes(bytes: [u8; ID_BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; ID_BYTES] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}
