//! Issued tokens, for the daily quota.
