//! Sealing and opening.
//!
//! Sealed bytes are `version (1) | key id (8) | nonce (24) | ciphertext | tag (16)`, under
//! XChaCha20-Poly1305. Version, key id and context are authenticated with the ciphertext. The
//! nonce is random: at 192 bits chance repeats none.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::key::{Key, KeyId};
use crate::keyring::Keyring;
use crate::source::KEY_VARIABLE;

/// The most that can be sealed at once. Secrets are small; a file is not a secret.
pub const PLAINTEXT_BYTES_MAX: usize = 1024 * 1024;

const VERSION: u8 = 1;
const HEADER_LEN: usize = 1 + KeyId::LEN;
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;

const CHECK_CONTEXT: &str = "vault.check_value";
const CHECK_PLAINTEXT: &[u8] = b"nightaudit";

/// Seals and opens secrets. It holds no state but its keys, and can be shared between threads.
#[derive(Debug)]
pub struct Vault {
    keys: Keyring,
}

impl Vault {
    /// A vault over these keys.
    pub fn new(keys: impl Into<Keyring>) -> Self {
        Self { keys: keys.into() }
    }

    /// Seals `plaintext` under the primary key.
    ///
    /// `context` names the place the sealed bytes are stored in, such as
    /// `payments.signing_key/KID`: moved to another place, they do not open.
    pub fn seal(&self, context: &str, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        if plaintext.len() > PLAINTEXT_BYTES_MAX {
            return Err(Error::TooLarge(plaintext.len()));
        }
        let key = self.keys.primary();
        let mut nonce = XNonce::default();
        getrandom::fill(&mut nonce)?;

        let ciphertext_at = HEADER_LEN + NONCE_LEN;
        let mut sealed = Vec::with_capacity(ciphertext_at + plaintext.len() + TAG_LEN);
        sealed.push(VERSION);
        sealed.extend_from_slice(key.id().as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let associated = associated_data(&sealed[..HEADER_LEN], context);
        let tag = cipher(key)
            .encrypt_inout_detached(&nonce, &associated, (&mut sealed[ciphertext_at..]).into())
            .map_err(|_| Error::TooLarge(plaintext.len()))?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens what was sealed for this context, under the primary key or a former one.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let parts = Parts::of(sealed)?;
        let key = self
            .keys
            .find(parts.key_id)
            .ok_or_else(|| Error::UnknownKey {
                sealed_with: parts.key_id,
                given: self.keys.ids().collect(),
            })?;
        let mut plaintext = Zeroizing::new(parts.ciphertext.to_vec());
        cipher(key)
            .decrypt_inout_detached(
                parts.nonce,
                &associated_data(parts.header, context),
                plaintext.as_mut_slice().into(),
                parts.tag,
            )
            .map_err(|_| Error::Tampered {
                context: context.to_owned(),
            })?;
        Ok(plaintext)
    }

    /// Whether [`rotate`](Self::rotate) has something to do here: the bytes were not sealed under
    /// the primary key. True of malformed bytes too, so that rotating meets them and says so.
    pub fn needs_rotation(&self, sealed: &[u8]) -> bool {
        Parts::of(sealed).map_or(true, |parts| parts.key_id != self.keys.primary().id())
    }

    /// Opens the bytes and seals their content under the primary key, for the same context.
    pub fn rotate(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal(context, &self.open(context, sealed)?)
    }

    /// A value to store beside the sealed data, by which a wrong key is noticed at start.
    ///
    /// When keys are rotated, renew it last: while it stands under a former key, a keyring that
    /// has lost that key is refused.
    pub fn check_value(&self) -> Result<Vec<u8>, Error> {
        self.seal(CHECK_CONTEXT, CHECK_PLAINTEXT)
    }

    /// Whether these keys belong to the data that this check value was stored with.
    pub fn verify_check_value(&self, check_value: &[u8]) -> Result<(), Error> {
        if self.open(CHECK_CONTEXT, check_value)?.as_slice() == CHECK_PLAINTEXT {
            return Ok(());
        }
        Err(Error::Tampered {
            context: CHECK_CONTEXT.to_owned(),
        })
    }
}

/// Why something was not sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None of the keys at hand sealed this.
    #[error(
        "this data was sealed with key {sealed_with}; {}: \
         give the right one with --key-file or {KEY_VARIABLE}",
        describe(given)
    )]
    UnknownKey {
        /// The key that sealed it.
        sealed_with: KeyId,
        /// The keys at hand, the primary first.
        given: Vec<KeyId>,
    },
    /// The right key, and yet it does not open: changed, or moved from another row.
    #[error(
        "the sealed data of {context} has been altered or moved there from elsewhere: \
         restore that row from a backup"
    )]
    Tampered {
        /// The place it was read from.
        context: String,
    },
    /// Not something that a vault has sealed.
    #[error("{0} bytes are too few for sealed data: it was cut, or never sealed")]
    Malformed(usize),
    /// Sealed in a form this program does not know.
    #[error(
        "this data was sealed in form {0}, and this program knows form {VERSION}: \
         it is damaged, or of a newer version of the program"
    )]
    UnknownVersion(u8),
    /// More than a vault seals at once.
    #[error("{0} bytes are too many to seal: the limit is {PLAINTEXT_BYTES_MAX}")]
    TooLarge(usize),
    /// The operating system gave no randomness for a nonce.
    #[error("the operating system gives no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
}

/// The fields of sealed bytes, each where it lies.
struct Parts<'a> {
    header: &'a [u8],
    key_id: KeyId,
    nonce: &'a XNonce,
    ciphertext: &'a [u8],
    tag: &'a Tag,
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Result<Self, Error> {
        match sealed.first() {
            Some(&VERSION) => Self::split(sealed).ok_or(Error::Malformed(sealed.len())),
            Some(&version) => Err(Error::UnknownVersion(version)),
            None => Err(Error::Malformed(0)),
        }
    }

    fn split(sealed: &'a [u8]) -> Option<Self> {
        let (header, rest) = sealed.split_at_checked(HEADER_LEN)?;
        let (nonce, rest) = rest.split_at_checked(NONCE_LEN)?;
        let (ciphertext, tag) = rest.split_at_checked(rest.len().checked_sub(TAG_LEN)?)?;
        Some(Self {
            header,
            key_id: KeyId::from_bytes(header[1..].try_into().ok()?),
            nonce: nonce.try_into().ok()?,
            ciphertext,
            tag: tag.try_into().ok()?,
        })
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

/// The header has a fixed length, so no two pairs of header and context read the same.
fn associated_data(header: &[u8], context: &str) -> Vec<u8> {
    [header, context.as_bytes()].concat()
}

fn describe(given: &[KeyId]) -> String {
    let ids: Vec<_> = given.iter().map(KeyId::to_string).collect();
    match ids.as_slice() {
        [only] => format!("the key given is {only}"),
        _ => format!("the keys given are {}", ids.join(", ")),
    }
}
