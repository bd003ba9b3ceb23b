//! HTTP. Nothing outside this folder knows it.

mod control;

pub use control::control_router;
