//! Going through a chain from its first record to its last.

use std::fmt;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use store::Connection;

use super::{Chain, Head, Record, Signer, Tip, chain};
use crate::Error;
use crate::threads::{read_apart, side_by_side};

/// How many records are looked at together.
const BATCH: i64 = 500;

/// What became of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every record is as it was appended.
    Sound {
        /// Where the chain ends.
        tip: Tip,
    },
    /// This record is the first that is not.
    Broken {
        /// Its number.
        number: i64,
        /// What is wrong there.
        flaw: Flaw,
    },
    /// Every record is as it was appended, but none has the head that was given: that is mistyped,
    /// of another connection, or the end of the chain was cut off, together with the chain's row.
    UnknownHead {
        /// Where the chain ends.
        tip: Tip,
    },
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It does not match its signature: something in it was changed.
    Changed,
    /// It is not there.
    Missing,
    /// In its place stands a record that was appended as another.
    Moved {
        /// The number of the record that stands there.
        was: i64,
    },
    /// The chain's own row was changed: it says that the chain ends elsewhere.
    Uncounted,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("was changed"),
            Self::Missing => f.write_str("is missing"),
            Self::Moved { was } => write!(f, "was moved: record {was} stands in its place"),
            Self::Uncounted => f.write_str("is not what the chain's row says is the last"),
        }
    }
}

impl Chain {
    /// Goes through the chain and names the first record that is not as it was appended. With a
    /// head that was written down, shows also whether everything up to it is still there.
    /// `progress` is told how many records are done.
    ///
    /// A record is checked with the signature that stands in the one before it, right or not. So
    /// parts of the chain are checked side by side: the first part in which something is wrong has
    /// the first record that is wrong.
    pub async fn verify(
        &self,
        head: Option<Head>,
        mut progress: impl FnMut(i64) + Send,
    ) -> Result<Verdict, Error> {
        let (mut done, mut previous) = (0, Head::EMPTY);
        let mut is_found = head.is_none_or(|head| head == Head::EMPTY);
        loop {
            let (id, from) = (self.id, done);
            let read = self.store.read(move |c| {
                let is_end = chain::after(c, id, from, 1)?.is_empty();
                Ok::<_, Error>((chain::tip(c, id)?, is_end))
            });
            let (tip, is_end) = read.await?;
            if is_end {
                return Ok(compare_end(tip, done, previous, is_found));
            }
            let parts = chain::parts(done, tip.length.max(done + BATCH), BATCH);
            let parts = parts.map(|(start, end)| self.part(start, end, head));
            let mut parts = stream::iter(parts).buffered(side_by_side());
            while let Some(part) = parts.next().await {
                let part = part?;
                let should_go_on = part.end <= tip.length || part.done == done;
                let is_short = part.done < part.end && should_go_on;
                if let Some(flaw) = part.flaw.or(is_short.then_some(Flaw::Missing)) {
                    let number = part.done + 1;
                    return Ok(Verdict::Broken { number, flaw });
                }
                (done, previous) = (part.done, part.previous);
                is_found |= part.is_head_found;
                progress(done);
            }
        }
    }

    /// Checks the records after one, up to another.
    async fn part(&self, start: i64, end: i64, head: Option<Head>) -> Result<Part, Error> {
        let (id, signer) = (self.id, Arc::clone(&self.signer));
        let check = move |c: &mut Connection| {
            let records = chain::after(c, id, start - 1, end - start + 1)?;
            Ok(Part::check(&signer, start, end, &records, head))
        };
        read_apart(&self.store, check).await
    }
}

/// What became of a part of a chain.
struct Part {
    end: i64,
    /// The last record that is sound, and its signature.
    done: i64,
    previous: Head,
    /// What is wrong with the next.
    flaw: Option<Flaw>,
    is_head_found: bool,
}

impl Part {
    /// Checks records, of which the one before the part may be the first.
    fn check(
        signer: &Signer,
        start: i64,
        end: i64,
        records: &[Record],
        head: Option<Head>,
    ) -> Self {
        let before = records.first().filter(|record| record.number == start);
        let mut walk = Walk {
            signer,
            done: start,
            // Without the one before, that one is named.
            previous: before.and_then(signature).unwrap_or(Head::EMPTY),
        };
        let mut part = Self {
            end,
            done: start,
            previous: walk.previous,
            flaw: None,
            is_head_found: false,
        };
        let of_part = records
            .iter()
            .filter(|record| (start + 1..=end).contains(&record.number));
        for record in of_part {
            if let Err(flaw) = walk.step(record) {
                part.flaw = Some(moved(signer, records, walk.done + 1, flaw));
                break;
            }
            part.is_head_found |= head == Some(walk.previous);
        }
        Self {
            done: walk.done,
            previous: walk.previous,
            ..part
        }
    }
}

/// How far a chain was gone through.
pub(super) struct Walk<'a> {
    pub(super) signer: &'a Signer,
    pub(super) done: i64,
    pub(super) previous: Head,
}

impl Walk<'_> {
    /// Goes on to the next record.
    pub(super) fn step(&mut self, record: &Record) -> Result<(), Flaw> {
        if record.number != self.done + 1 {
            return Err(Flaw::Missing);
        }
        let signed = self.signer.check(self.previous, record);
        self.previous = signed.ok_or(Flaw::Changed)?;
        self.done = record.number;
        Ok(())
    }
}

/// Compares the last record with what the chain's row says.
fn compare_end(tip: Tip, done: i64, previous: Head, is_head_found: bool) -> Verdict {
    let flaw = if tip.length > done {
        Flaw::Missing
    } else if tip.length < done || tip.head != previous {
        Flaw::Uncounted
    } else if is_head_found {
        return Verdict::Sound { tip };
    } else {
        return Verdict::UnknownHead { tip };
    };
    let number = match flaw {
        Flaw::Uncounted => done,
        _ => done + 1,
    };
    Verdict::Broken { number, flaw }
}

/// The signature that stands in a record, right or not.
fn signature(record: &Record) -> Option<Head> {
    Some(Head(record.signature.as_slice().try_into().ok()?))
}

/// Tells a record that was moved from one that was changed: it is another's place that its
/// signature fits, behind the record that stands before that place now, or in it.
fn moved(signer: &Signer, records: &[Record], number: i64, flaw: Flaw) -> Flaw {
    let Some(found) = records.iter().find(|record| record.number == number) else {
        return flaw;
    };
    let fits = |before: &Record, was: i64| {
        let Some(previous) = signature(before) else {
            return false;
        };
        let mut record = found.clone();
        record.number = was;
        signer.check(previous, &record).is_some()
    };
    let mut places = records
        .iter()
        .flat_map(|r| [(r, r.number + 1), (r, r.number)]);
    match places.find(|(before, was)| fits(before, *was)) {
        Some((_, was)) => Flaw::Moved { was },
        None => flaw,
    }
}
