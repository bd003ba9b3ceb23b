//! The order in which several feeds are imported as one.

use std::collections::VecDeque;

use contract::Timestamp;

/// The beginnings of several feeds as one, the earliest date first, so that a history arrives as it
/// happened; each feed keeps its own order. Where a feed goes on beyond `limit`, the others are taken
/// only as far as it was read; the rest comes with the next batch.
pub(super) fn in_order_of_time<T>(
    heads: Vec<Vec<T>>,
    limit: usize,
    date: impl Fn(&T) -> Timestamp,
) -> Vec<T> {
    let mut feeds: Vec<(bool, VecDeque<T>)> = heads
        .into_iter()
        .map(|head| (head.len() >= limit, head.into()))
        .collect();
    let mut records = Vec::new();
    while feeds
        .iter()
        .all(|(goes_on, head)| !goes_on || !head.is_empty())
    {
        let first = feeds
            .iter_mut()
            .filter_map(|(_, head)| Some((date(head.front()?), head)))
            .min_by_key(|(date, _)| *date);
        let Some(record) = first.and_then(|(_, head)| head.pop_front()) else {
            break;
        };
        records.push(record);
    }
    records
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: usize = 4;

    proptest! {
        /// Records are a feed and a date. However they come, nothing is lost but what stands behind
        /// the end of a feed that goes on.
        #[test]
        fn each_feed_keeps_its_order_and_one_that_goes_on_is_read_to_its_end_at_most(
            dates in prop::collection::vec(prop::collection::vec(0..9_i64, 0..=LIMIT), 0..4),
        ) {
            let heads: Vec<Vec<(usize, i64)>> = dates
                .iter()
                .enumerate()
                .map(|(feed, dates)| dates.iter().map(|date| (feed, *date)).collect())
                .collect();
            let date = |(_, date): &(usize, i64)| Timestamp::from_millis(*date);
            let merged = in_order_of_time(heads.clone(), LIMIT, date);
            for (feed, head) in heads.iter().enumerate() {
                let taken: Vec<_> = merged.iter().filter(|record| record.0 == feed).copied().collect();
                prop_assert_eq!(&taken, &head[..taken.len()]);
            }
            let goes_on = |head: &&Vec<(usize, i64)>| head.len() == LIMIT;
            if let Some((last, _)) = merged.last() {
                // Something was taken, and if not all, then all of a feed that goes on.
                let total: usize = heads.iter().map(Vec::len).sum();
                prop_assert!(merged.len() == total || goes_on(&&heads[*last]));
            } else {
                prop_assert!(heads.iter().all(Vec::is_empty));
            }
        }
    }

    #[test]
    fn feeds_in_the_order_of_their_dates_become_one_in_that_order() {
        let date = |at: &i64| Timestamp::from_millis(*at);
        let merged = in_order_of_time(vec![vec![1, 4, 6, 9], vec![2, 3, 7], vec![8]], 4, date);
        assert_eq!(merged, [1, 2, 3, 4, 6, 7, 8, 9]);
        // What comes after 6 in the first feed is not known.
        let merged = in_order_of_time(vec![vec![1, 4, 6], vec![2, 7]], 3, date);
        assert_eq!(merged, [1, 2, 4, 6]);
    }
}
