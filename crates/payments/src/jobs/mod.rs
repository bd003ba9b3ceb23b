//! Work that nobody waits for.

pub(crate) mod agenda;
pub(crate) mod calls;
pub(crate) mod idempotency_keys;
pub(crate) mod import;
pub(crate) mod processor_time;
pub(crate) mod webhooks;
