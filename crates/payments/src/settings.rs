//! What an operator may set.

use std::num::NonZeroU32;

/// The platform's settings, with the documented behaviour as the default.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many tokens an application may ask for in 24 hours (the Open API's own limit is 5).
    pub tokens_per_day: NonZeroU32,
    /// Whether the reports print amounts as strings (`"1000.00"`) rather than as JSON numbers.
    pub report_amounts_as_text: bool,
    /// Whether this is a sandbox: routes under `/sandbox` and fixtures exist, and business time can
    /// be moved.
    pub is_sandbox: bool,
}

impl Default for Settings {
    fn default() -> Self {
        const FIVE: NonZeroU32 = NonZeroU32::new(5).unwrap();
        Self {
            tokens_per_day: FIVE,
            report_amounts_as_text: false,
            is_sandbox: true,
        }
    }
}
