//! Which answer is newer, where several read the same objects at once.
//!
//! Whoever takes in an answer leaves a mark of what it was about, whether that had changed or not.
//! An answer that was asked for before somebody else left a mark may be older than what the mark
//! stands for: it may not change that, and is asked for again.

use contract::ObjectId;
use contract::id::ConnectionId;
use diesel::prelude::*;
use store::{Connection, both, new_id};

use super::Kind;
use super::fold::Reading;
use crate::Error;
use crate::evidence::Chain;
use crate::schema::{object, read_mark};

/// How many marks are kept. What was asked for before all of them is asked for again.
const KEPT: i64 = 1_000;

/// Who reads. What one reader asks for does not overtake itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReaderId(ObjectId);

/// Something that is about to be asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking {
    reader: ObjectId,
    /// The last mark that there was before.
    after: i64,
}

/// What a mark is about: objects of a kind, from one id to another.
#[derive(Queryable)]
struct Mark {
    kind: String,
    first: String,
    last: String,
}

impl Mark {
    fn is_about(&self, kind: Kind, id: &str) -> bool {
        self.kind == kind.name() && self.first.as_str() <= id && id <= self.last.as_str()
    }
}

impl ReaderId {
    pub(crate) fn new() -> Self {
        Self(new_id())
    }

    /// To be called before each request.
    pub(crate) async fn asks(self, chain: &Chain) -> Result<Asking, Error> {
        let id = chain.id;
        let after = chain.store.read(move |c| last(c, id)).await?;
        Ok(Asking {
            reader: self.0,
            after,
        })
    }
}

impl Asking {
    /// Refuses an answer that would change what others have read since it was asked for.
    pub(super) fn is_not_overtaken(
        self,
        c: &mut Connection,
        chain: ConnectionId,
        mirror: i64,
        reading: &Reading,
    ) -> Result<(), Error> {
        let is_forgotten = last(c, chain)? - self.after > KEPT;
        let marks = self.marks(c, chain)?;
        let is_touched =
            |kind, id: &str| is_forgotten || marks.iter().any(|mark| mark.is_about(kind, id));
        for seen in &reading.seen {
            if is_touched(seen.kind, &seen.id)
                && state(c, mirror, seen.kind, &seen.id)? != Some((false, seen.state.clone()))
            {
                return Err(overtaken(seen.kind, &seen.id));
            }
        }
        if let Some((kind, id)) = &reading.gone
            && is_touched(*kind, id)
            && state(c, mirror, *kind, id)?.is_some_and(|(is_removed, _)| !is_removed)
        {
            return Err(overtaken(*kind, id));
        }
        Ok(())
    }

    /// Leaves a mark, inside a transaction that holds the chain's lock.
    pub(super) fn leave(
        self,
        c: &mut Connection,
        chain: ConnectionId,
        reading: &Reading,
    ) -> Result<(), Error> {
        let seen = reading.seen.iter().map(|seen| (seen.kind, &seen.id));
        let gone = reading.gone.iter().map(|(kind, id)| (*kind, id));
        let Some((kind, _)) = seen.clone().chain(gone.clone()).next() else {
            return Ok(());
        };
        let ids = seen.chain(gone).map(|(_, id)| id);
        let (first, end) = (ids.clone().min(), ids.max());
        let number = last(c, chain)? + 1;
        let mark = (
            read_mark::chain_id.eq(chain.as_str()),
            read_mark::number.eq(number),
            read_mark::reader.eq(self.reader.as_str()),
            read_mark::kind.eq(kind.name()),
            read_mark::first_id.eq(first.map_or("", |id| id)),
            read_mark::last_id.eq(end.map_or("", |id| id)),
        );
        both!(c, c => diesel::insert_into(read_mark::table).values(mark).execute(c))?;
        let old = read_mark::table
            .filter(read_mark::chain_id.eq(chain.as_str()))
            .filter(read_mark::number.le(number - KEPT));
        both!(c, c => diesel::delete(old).execute(c))?;
        Ok(())
    }

    /// What others have left since.
    fn marks(self, c: &mut Connection, chain: ConnectionId) -> Result<Vec<Mark>, Error> {
        let marks = read_mark::table
            .filter(read_mark::chain_id.eq(chain.as_str()))
            .filter(read_mark::number.gt(self.after))
            .filter(read_mark::reader.ne(self.reader.as_str()))
            .select((read_mark::kind, read_mark::first_id, read_mark::last_id));
        Ok(both!(c, c => marks.load::<Mark>(c))?)
    }
}

fn overtaken(kind: Kind, id: &str) -> Error {
    let id = id.to_owned();
    Error::Overtaken { kind, id }
}

/// Whether an object is removed, and what it is.
fn state(
    c: &mut Connection,
    mirror: i64,
    kind: Kind,
    id: &str,
) -> Result<Option<(bool, String)>, Error> {
    let row = object::table.find((mirror, kind.name(), id));
    let row = row.select((object::is_removed, object::state));
    Ok(both!(c, c => row.first::<(bool, String)>(c).optional())?)
}

/// The number of the last mark; 0 if there is none.
fn last(c: &mut Connection, chain: ConnectionId) -> Result<i64, Error> {
    let last = read_mark::table
        .filter(read_mark::chain_id.eq(chain.as_str()))
        .order(read_mark::number.desc())
        .select(read_mark::number);
    Ok(both!(c, c => last.first::<i64>(c).optional())?.unwrap_or(0))
}
