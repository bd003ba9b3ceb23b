//! Ids as Stripe writes them. They are computed from what they name, so that the books need not
//! keep them.

use sha2::{Digest, Sha256};

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters after the prefix, which is `pi_3` or the like.
const LENGTH: usize = 23;

/// The id with this prefix that stands for the subject.
pub(crate) fn stripe(prefix: &str, subject: &[u8]) -> String {
    let mut name = String::with_capacity(prefix.len() + LENGTH);
    name.push_str(prefix);
    let digest = Sha256::new()
        .chain_update(prefix)
        .chain_update([0])
        .chain_update(subject)
        .finalize();
    let digits = digest
        .iter()
        .map(|byte| char::from(DIGITS[usize::from(*byte) % DIGITS.len()]));
    name.extend(digits.take(LENGTH));
    name
}
