//! The import of payouts. One can have more lines than should be kept in one transaction: then they
//! are kept piece by piece, and the payout itself with the last of them. Until then no report shows
//! any of it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use contract::id::AccountId;
use processors::{Cursor, PayoutRecord, SubAccountId};
use store::Lock;

use super::Imports;
use super::order::in_order_of_time;
use crate::Error;
use crate::store::feed::{self, Source};
use crate::store::payout::{self, Piece};

/// How many payouts of a feed are read at once. Each comes with all its lines.
const BATCH: usize = 8;
/// How many lines are kept in one transaction.
const LINES: usize = 500;

impl Imports {
    /// Imports the next payouts of all feeds of a provider, and says whether those were all.
    pub(super) async fn import_payouts(&self, source: &Source) -> Result<bool, Error> {
        let feeds = self.feeds(source).await?;
        let mut positions = HashMap::new();
        let mut heads = Vec::with_capacity(feeds.len());
        for feed in &feeds {
            let id = SubAccountId::new(&feed.sub_account_id);
            let after = Cursor(feed.payout_position);
            heads.push(self.processor.payouts_after(&id, after, BATCH).await?);
            positions.insert(id, after);
        }
        let are_all = heads.iter().all(|head| head.len() < BATCH);
        let payouts = in_order_of_time(heads, BATCH, |payout| payout.process_at);
        if payouts.is_empty() {
            return Ok(true);
        }
        // What they are made of was reported by now, and is to be there when they are.
        while !self.import_transactions(source).await? {}
        for pieces in batches(pieces(payouts, positions)) {
            if !self.keep(source.account_id, pieces).await? {
                return Ok(false);
            }
        }
        Ok(are_all)
    }

    /// Keeps pieces of payouts, unless a feed is no longer where it was read from: then it says no.
    async fn keep(&self, account: AccountId, pieces: Vec<Piece>) -> Result<bool, Error> {
        self.store
            .write(Lock::row("account", &account), move |c| {
                for piece in &pieces {
                    if !feed::claim(c, account, piece)? {
                        return Ok(false);
                    }
                    payout::keep(c, account, piece)?;
                }
                Ok(true)
            })
            .await
    }
}

/// Cuts payouts into pieces, each with the position that its feed is at before the payout is kept.
fn pieces(
    payouts: Vec<PayoutRecord>,
    mut positions: HashMap<SubAccountId, Cursor>,
) -> impl Iterator<Item = Piece> {
    payouts.into_iter().flat_map(move |payout| {
        let after = positions.insert(payout.sub_account.clone(), payout.position);
        let payout = Arc::new(payout);
        parts(payout.lines.len()).map(move |lines| Piece {
            after: after.unwrap_or(Cursor::START),
            payout: Arc::clone(&payout),
            lines,
        })
    })
}

/// The parts of so many lines; one, where there are none.
fn parts(count: usize) -> impl Iterator<Item = Range<usize>> {
    let starts = (0..count.max(1)).step_by(LINES);
    starts.map(move |start| start..count.min(start + LINES))
}

/// As many pieces together as have no more lines than should be kept at once.
fn batches(pieces: impl Iterator<Item = Piece>) -> Vec<Vec<Piece>> {
    let mut batches: Vec<Vec<Piece>> = Vec::new();
    let mut room = 0;
    for piece in pieces {
        let count = piece.lines.len().max(1);
        match batches.last_mut() {
            Some(batch) if count <= room => batch.push(piece),
            _ => {
                batches.push(vec![piece]);
                room = LINES;
            }
        }
        room -= count;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_into_parts_that_are_kept_at_once() {
        let ends = |count| parts(count).map(|part| part.end).collect::<Vec<_>>();
        assert_eq!(ends(0), [0]);
        assert_eq!(ends(1), [1]);
        assert_eq!(ends(LINES), [LINES]);
        assert_eq!(ends(2 * LINES + 1), [LINES, 2 * LINES, 2 * LINES + 1]);
        for count in [0, 1, LINES, 2 * LINES + 1] {
            assert_eq!(
                parts(count).flatten().collect::<Vec<_>>(),
                (0..count).collect::<Vec<_>>()
            );
        }
    }
}
