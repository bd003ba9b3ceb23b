//! New ids, and randomness from the operating system.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use contract::ObjectId;

/// Bytes that nobody can guess.
///
/// # Panics
/// When the operating system has no randomness to give: no secret could be made then.
#[expect(
    clippy::expect_used,
    reason = "without randomness no secret may be made at all"
)]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A new id: seconds of wall time, five random bytes of this process, a counter. Ids of one process
/// ascend, so that they stand together in an index.
pub fn new_id<Id: From<ObjectId>>() -> Id {
    static PROCESS: LazyLock<[u8; 5]> = LazyLock::new(random_bytes);
    static COUNTER: LazyLock<AtomicU32> = LazyLock::new(|| {
        let [a, b] = random_bytes();
        AtomicU32::new(u32::from_be_bytes([0, 0, a, b]))
    });
    // Unsigned 32-bit seconds last until 2106; after that ids still differ, they only start anew.
    let seconds = (chrono::Utc::now().timestamp() & 0xffff_ffff).to_be_bytes();
    let counter = COUNTER.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&seconds[4..]);
    bytes[4..9].copy_from_slice(&*PROCESS);
    bytes[9..].copy_from_slice(&counter[1..]);
    ObjectId::from_bytes(bytes).into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_made_at_once_by_many_threads_all_differ() {
        let threads: Vec<_> = (0..8)
            .map(|_| std::thread::spawn(|| (0..1000).map(|_| new_id()).collect::<Vec<ObjectId>>()))
            .collect();
        let ids: HashSet<ObjectId> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(ids.len(), 8000);
    }
}
