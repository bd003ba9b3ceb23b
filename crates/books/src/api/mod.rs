//! HTTP. Nothing outside this folder knows it.

mod control;
mod health;

pub use control::control_router;
pub use health::health_router;
