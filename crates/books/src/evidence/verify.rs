//! Going through a chain from its first record to its last.

use std::fmt;

use super::{Chain, Head, Record, Signer, Tip, chain};
use crate::Error;

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
    /// It and all after it are gone: the chain ends before the head that was given.
    CutOff,
    /// The chain's own row was changed: it says that the chain ends elsewhere.
    Uncounted,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed => f.write_str("was changed"),
            Self::Missing => f.write_str("is missing"),
            Self::Moved { was } => write!(f, "was moved: record {was} stands in its place"),
            Self::CutOff => f.write_str("was cut off, with the head that was given"),
            Self::Uncounted => f.write_str("is not what the chain's row says is the last"),
        }
    }
}

impl Chain {
    /// Goes through the chain and names the first record that is not as it was appended. With a
    /// head that was written down, shows also whether everything up to it is still there.
    /// `progress` is told how many records are done.
    pub async fn verify(
        &self,
        head: Option<Head>,
        mut progress: impl FnMut(i64) + Send,
    ) -> Result<Verdict, Error> {
        let mut walk = Walk {
            signer: &self.signer,
            done: 0,
            previous: Head::EMPTY,
        };
        let mut is_found = head.is_none_or(|head| head == Head::EMPTY);
        loop {
            let (id, done) = (self.id, walk.done);
            let read = self.store.read(move |c| {
                let tip = chain::tip(c, id)?;
                Ok::<_, Error>((tip, chain::after(c, id, done, BATCH)?))
            });
            let (tip, records) = read.await?;
            for record in &records {
                if let Err(flaw) = walk.step(record) {
                    let number = walk.done + 1;
                    let flaw = moved(&self.signer, &records, number, flaw);
                    return Ok(Verdict::Broken { number, flaw });
                }
                is_found |= head == Some(walk.previous);
            }
            progress(walk.done);
            if records.is_empty() {
                return Ok(walk.end(tip, is_found));
            }
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

    /// Compares the last record with what the chain's row says.
    fn end(&self, tip: Tip, is_found: bool) -> Verdict {
        let flaw = if tip.length > self.done {
            Flaw::Missing
        } else if tip.length < self.done || tip.head != self.previous {
            Flaw::Uncounted
        } else if !is_found {
            Flaw::CutOff
        } else {
            return Verdict::Sound { tip };
        };
        let number = match flaw {
            Flaw::Uncounted => self.done,
            _ => self.done + 1,
        };
        Verdict::Broken { number, flaw }
    }
}

/// Tells a record that was moved from one that was changed: it is another's place that its
/// signature fits, behind the record that stands before that place now, or in it.
fn moved(signer: &Signer, records: &[Record], number: i64, flaw: Flaw) -> Flaw {
    let Some(found) = records.iter().find(|record| record.number == number) else {
        return flaw;
    };
    let fits = |before: &Record, was: i64| {
        let Ok(previous) = before.signature.as_slice().try_into() else {
            return false;
        };
        let mut record = found.clone();
        record.number = was;
        signer.check(Head(previous), &record).is_some()
    };
    let mut places = records
        .iter()
        .flat_map(|r| [(r, r.number + 1), (r, r.number)]);
    match places.find(|(before, was)| fits(before, *was)) {
        Some((_, was)) => Flaw::Moved { was },
        None => flaw,
    }
}
