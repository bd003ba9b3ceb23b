//! Taking away the mirrors that are not read: one that another was put in the place of, or one that
//! was not finished.

use diesel::prelude::*;
use store::{Connection, both, update_prepared};

use super::Kind;
use super::read::Mirror;
use crate::Error;
use crate::schema::{mirror, object, version};

/// How many rows are taken away together: others that write wait meanwhile.
const ROWS: i64 = 5_000;

impl Mirror {
    /// Takes them away, a part at a time.
    pub(super) async fn take_away_others(&self) -> Result<(), Error> {
        let id = self.chain.id;
        loop {
            let part = self.chain.store.write(self.chain.lock(), move |c| {
                let other = mirror::table
                    .filter(mirror::chain_id.eq(id.as_str()))
                    .filter(mirror::is_current.eq(false))
                    .select(mirror::id);
                let other = both!(c, c => other.first::<i64>(c).optional())?;
                let Some(other) = other else {
                    return Ok(false);
                };
                // From now on nobody puts it in place, however much is left of it.
                let row = mirror::table.find(other);
                update_prepared!(c, row, mirror::is_leaving.eq(true))?;
                take_some(c, other)?;
                Ok::<_, Error>(true)
            });
            if !part.await? {
                return Ok(());
            }
        }
    }
}

/// Takes away some rows of a mirror, or the mirror itself if there are none.
fn take_some(c: &mut Connection, mirror: i64) -> Result<(), Error> {
    for kind in Kind::ALL {
        if objects(c, mirror, kind)? + versions(c, mirror, kind)? > 0 {
            return Ok(());
        }
    }
    let row = mirror::table.find(mirror);
    both!(c, c => diesel::delete(row).execute(c))?;
    Ok(())
}

fn objects(c: &mut Connection, mirror: i64, kind: Kind) -> Result<usize, Error> {
    let rows = object::table
        .filter(object::mirror_id.eq(mirror))
        .filter(object::kind.eq(kind.name()));
    let end = rows.order(object::id).offset(ROWS).select(object::id);
    let end = both!(c, c => end.first::<String>(c).optional())?;
    let deleted = match end {
        Some(end) => both!(c, c => diesel::delete(rows.filter(object::id.lt(&end))).execute(c)),
        None => both!(c, c => diesel::delete(rows).execute(c)),
    };
    Ok(deleted?)
}

fn versions(c: &mut Connection, mirror: i64, kind: Kind) -> Result<usize, Error> {
    let rows = version::table
        .filter(version::mirror_id.eq(mirror))
        .filter(version::kind.eq(kind.name()));
    let end = rows.order(version::id).offset(ROWS).select(version::id);
    let end = both!(c, c => end.first::<String>(c).optional())?;
    let deleted = match end {
        Some(end) => both!(c, c => diesel::delete(rows.filter(version::id.le(&end))).execute(c)),
        None => both!(c, c => diesel::delete(rows).execute(c)),
    };
    Ok(deleted?)
}
