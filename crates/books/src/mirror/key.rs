//! What objects are kept and looked for by: texts of the source, as every database holds them in an
//! index. A text that none could is kept under its beginning and its digest, so that it stays
//! distinct; the state has it whole.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The longest text that is kept as it is. The id of a payout's line is made of six.
const BYTES_MAX: usize = 200;
const BEGINNING_BYTES: usize = 100;
/// How much of the digest is kept: more than can be made to be equal.
const DIGEST_BYTES: usize = 16;

/// Whether a text is kept as it is.
pub(super) fn is_plain(text: &str) -> bool {
    text.len() <= BYTES_MAX && !text.contains('\0')
}

/// What a text is kept under. What that gives is plain itself.
pub(super) fn key(text: String) -> String {
    if is_plain(&text) {
        return text;
    }
    let end = text.floor_char_boundary(BEGINNING_BYTES);
    let printable = text[..end].chars().filter(|c| !c.is_control());
    let mut key: String = printable.chain(['…']).collect();
    for byte in &Sha256::digest(&text)[..DIGEST_BYTES] {
        // A text takes whatever is written to it.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// What an object may be kept under whose id is asked for: the id that it was shown with may be put
/// together of several, and so longer than what is kept as it is.
pub(super) fn keys(id: &str) -> impl Iterator<Item = String> {
    let shown = (!id.contains('\0')).then(|| id.to_owned());
    let kept = (!is_plain(id)).then(|| key(id.to_owned()));
    shown.into_iter().chain(kept)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_that_no_index_holds_is_known_by_its_beginning() {
        assert_eq!(key("GY-1".to_owned()), "GY-1");
        assert!(key("GY-\0\n1".to_owned()).starts_with("GY-1…"));
        let long = key("é".repeat(6_000));
        assert_eq!(long.chars().filter(|c| *c == 'é').count(), 50);
    }

    proptest! {
        #[test]
        fn keys_are_plain_and_as_distinct_as_what_they_stand_for(
            one in "(?s)(\0|a|é|.){0,300}", other in "(?s)(\0|a|é|.){0,300}",
        ) {
            let kept = key(one.clone());
            prop_assert!(is_plain(&kept), "{kept}");
            prop_assert_eq!(key(kept.clone()), kept.clone());
            prop_assert_eq!(one == other, kept == key(other));
            prop_assert!(keys(&one).any(|key| key == kept));
        }
    }
}
