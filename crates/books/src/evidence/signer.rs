//! The signature of a record.
//!
//! It is HMAC-SHA-256, under the chain's key, of these parts one after the other, each behind its
//! length in bytes (64 bits). Numbers are big-endian, texts UTF-8:
//!
//! ```text
//! form        "nightaudit evidence 1"
//! previous    32 bytes   the signature of the record before; zeros for the first
//! chain       text       the connection's id
//! number      64 bits
//! kind        text
//! subject     text
//! status      32 bits
//! page        32 bits
//! pages       32 bits
//! at          64 bits    milliseconds since 1970 began in UTC
//! body        bytes      compressed, as it is kept
//! ```

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Head, Record};

const FORM: &[u8] = b"nightaudit evidence 1";

/// Signs the records of one chain.
#[derive(Clone)]
pub(crate) struct Signer(Hmac<Sha256>);

impl Signer {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    fn of(&self, previous: Head, record: &Record) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        let mut part = |bytes: &[u8]| {
            mac.update(&(bytes.len() as u64).to_be_bytes());
            mac.update(bytes);
        };
        part(FORM);
        part(&previous.0);
        part(record.chain_id.as_bytes());
        part(&record.number.to_be_bytes());
        part(record.kind.as_bytes());
        part(record.subject.as_bytes());
        for number in [record.status, record.page, record.pages] {
            part(&number.to_be_bytes());
        }
        part(&record.at.millis().to_be_bytes());
        part(&record.body);
        mac
    }

    /// The signature that a record should have.
    pub(crate) fn sign(&self, previous: Head, record: &Record) -> Head {
        Head(self.of(previous, record).finalize().into_bytes().into())
    }

    /// The record's signature, if it is the right one.
    pub(crate) fn check(&self, previous: Head, record: &Record) -> Option<Head> {
        let mac = self.of(previous, record);
        mac.verify_slice(&record.signature).ok()?;
        Some(Head(record.signature.as_slice().try_into().ok()?))
    }
}
