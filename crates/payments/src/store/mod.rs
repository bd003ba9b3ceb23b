//! All the SQL: a file for each noun, functions over a connection. Nothing here decides anything.

pub(crate) mod account;
pub(crate) mod application;
pub(crate) mod secret;
