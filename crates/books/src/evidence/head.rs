//! The signature of a chain's last record, as people write it down.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;

/// The signature of a record; of the last one it stands for the whole chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head(pub(crate) [u8; 32]);

impl Head {
    /// What the first record is chained to.
    pub const EMPTY: Self = Self([0; 32]);
}

/// A text that is no head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the head of a chain: give the 64 hexadecimal digits that were shown with it")]
pub struct InvalidHead;

impl FromStr for Head {
    type Err = InvalidHead;

    fn from_str(text: &str) -> Result<Self, InvalidHead> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes());
        let bytes = bytes.map_err(|_| InvalidHead)?;
        Ok(Self(bytes.try_into().map_err(|_| InvalidHead)?))
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
    }
}
