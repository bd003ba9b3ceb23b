//! Sealing of secrets with a key that is kept outside the database.
//!
//! A [`KeySource`] says where the keys are and loads them into a [`Keyring`]; a [`Vault`] made of
//! it seals and opens bytes, each bound to the place they are stored in. A program that keeps a
//! [`Vault::check_value`] in its database refuses a wrong key at start, before anything else.
//!
//! This crate refuses to know what is sealed, which database the sealed bytes lie in, and who asks.
//! It stands on Unix file permissions and does not build elsewhere.

mod key;
mod key_file;
mod keyring;
mod source;
mod vault;

pub use key::{Key, KeyId};
pub use key_file::rotate_key_file;
pub use keyring::{KeyError, Keyring};
pub use source::{KEY_VARIABLE, KeySource};
pub use vault::{Error, PLAINTEXT_BYTES_MAX, Vault};
