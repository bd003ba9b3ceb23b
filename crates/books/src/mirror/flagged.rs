//! All that is flagged: how much of each kind, and a page of it at a time.
//!
//! What the source has no more does not count.

use std::collections::BTreeMap;

use contract::id::ConnectionId;
use diesel::dsl::{count_star, not};
use diesel::prelude::*;
use store::{Connection, both};

use super::Kind;
use super::flag::Flagged;
use super::read::{Mirror, current};
use crate::Error;
use crate::schema::object;

/// How many objects of each kind are flagged, by the names of the kinds; none are left out.
pub type FlaggedCounts = BTreeMap<String, i64>;

/// Some of what is flagged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlaggedPage {
    /// The objects, by kind and id.
    pub objects: Vec<Flagged>,
    /// Whether others come after them.
    pub is_more: bool,
}

impl Mirror {
    /// How many objects of each kind have something in them that the books do not understand.
    pub async fn count_flagged(&self) -> Result<FlaggedCounts, Error> {
        let chain = self.chain.id;
        let count = self.chain.store.read(move |c| count_flagged(c, chain));
        count.await
    }

    /// Some of these objects, of some kinds in the order of [`Kind::ALL`], after one of them.
    pub async fn flagged(
        &self,
        kinds: &[Kind],
        after: Option<(Kind, String)>,
        at_most: usize,
    ) -> Result<FlaggedPage, Error> {
        let left = Kind::ALL.into_iter();
        let left = left.skip_while(|kind| after.as_ref().is_some_and(|(last, _)| kind != last));
        let left: Vec<Kind> = left.filter(|kind| kinds.contains(kind)).collect();
        let chain = self.chain.id;
        let read = self.chain.store.read(move |c| {
            let mut page = FlaggedPage::default();
            let Some(mirror) = current(c, chain)? else {
                return Ok::<_, Error>(page);
            };
            for &kind in &left {
                let after = after.as_ref().filter(|(last, _)| kind == *last);
                let after = after.map_or("", |(_, id)| id);
                // One more shows whether there is more.
                let room = at_most + 1 - page.objects.len();
                page.objects.extend(of_kind(c, mirror, kind, after, room)?);
                page.is_more = page.objects.len() > at_most;
                if page.is_more {
                    page.objects.truncate(at_most);
                    break;
                }
            }
            Ok(page)
        });
        read.await
    }
}

/// How many objects of each kind are flagged in the mirror of a chain.
pub(crate) fn count_flagged(
    c: &mut Connection,
    chain: ConnectionId,
) -> Result<FlaggedCounts, Error> {
    let Some(mirror) = current(c, chain)? else {
        return Ok(FlaggedCounts::new());
    };
    // The condition is written as the index has it: with values of parameters it would not serve.
    let counts = object::table
        .filter(object::mirror_id.eq(mirror))
        .filter(object::is_flagged)
        .filter(not(object::is_removed))
        .group_by(object::kind)
        .select((object::kind, count_star()));
    let counts = both!(c, c => counts.load::<(String, i64)>(c))?;
    Ok(counts.into_iter().collect())
}

fn of_kind(
    c: &mut Connection,
    mirror: i64,
    kind: Kind,
    after: &str,
    at_most: usize,
) -> Result<Vec<Flagged>, Error> {
    let rows = object::table
        .filter(object::mirror_id.eq(mirror))
        .filter(object::kind.eq(kind.name()))
        .filter(object::is_flagged)
        .filter(not(object::is_removed))
        .filter(object::id.gt(after))
        .order(object::id)
        .limit(i64::try_from(at_most).unwrap_or(i64::MAX))
        .select((object::id, object::code, object::state));
    let rows = both!(c, c => rows.load::<(String, Option<String>, String)>(c))?;
    let rows = rows.into_iter().map(|(id, code, state)| {
        let corrupt = |error| Error::Corrupt(format!("{kind} {id}: {error}"));
        let flags = kind.flags(&state).map_err(corrupt)?;
        Ok(Flagged::new(kind, &id, code, flags))
    });
    rows.collect()
}
