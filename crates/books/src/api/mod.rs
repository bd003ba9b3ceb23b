//! HTTP. Nothing outside this folder knows it.

mod around;
mod control;
mod health;
mod heard;
mod webhooks;

pub use around::around;
pub use control::control_router;
pub use health::{health_beside, health_router};
pub use webhooks::webhook_router;
