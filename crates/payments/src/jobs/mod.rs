//! Work that nobody waits for.

pub(crate) mod agenda;
pub(crate) mod calls;
pub(crate) mod import;
pub(crate) mod webhooks;
