//! Bounds of texts.

use super::Rejection;

/// Refuses a text of more than `max` characters.
pub(crate) fn check_length(
    field: impl Into<String>,
    text: &str,
    max: usize,
) -> Result<(), Rejection> {
    if text.chars().count() > max {
        return Err(Rejection::invalid(
            field,
            format!("longer than {max} characters"),
        ));
    }
    Ok(())
}
