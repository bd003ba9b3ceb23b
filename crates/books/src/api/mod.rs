//! HTTP. Nothing outside this folder knows it.

mod around;
mod control;
mod health;

pub use around::around;
pub use control::control_router;
pub use health::health_router;
