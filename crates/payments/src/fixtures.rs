//! Accounts to start from.
