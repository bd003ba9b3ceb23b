//! What processors reported.
