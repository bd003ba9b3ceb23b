//! Accounts on the wire.
