//! One record's step of the fold: what it says is compared with what the mirror has, and what
//! differs is written.

use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use store::{Connection, both, update_prepared};

use super::Kind;
use super::fold::{Reading, Whole};
use super::state::{Labels, Seen};
use crate::Error;
use crate::schema::{object, version};

/// How many objects are looked up together.
const TOGETHER: usize = 500;

/// What became of the objects that were met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Not known before.
    pub new: u64,
    /// Other than they were known.
    pub changed: u64,
    /// As they were known.
    pub unchanged: u64,
    /// No longer there.
    pub removed: u64,
    /// With something that the books do not understand, whether new or not.
    pub flagged: u64,
}

impl Counts {
    /// Whether the mirror changed.
    pub fn is_change(&self) -> bool {
        self.new + self.changed + self.removed > 0
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.removed += other.removed;
        self.flagged += other.flagged;
    }
}

/// The pages so far of a list that is read as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pages {
    list: Option<(Kind, String)>,
    page: i32,
    /// How often each id came.
    times: HashMap<String, u32>,
    ids: HashSet<String>,
}

impl Pages {
    /// Goes on to a page, from the beginning if it is a first one or of another list.
    fn turn_to(&mut self, whole: &Whole) {
        let list = Some((whole.kind, whole.scope.clone()));
        if whole.page <= 1 || self.list != list || whole.page != self.page + 1 {
            *self = Self {
                list,
                ..Self::default()
            };
        }
        // Without its beginning a list is never whole.
        if whole.page == self.page + 1 {
            self.page = whole.page;
        }
    }

    /// The id of a row: of several with the same, the later ones are numbered.
    fn take(&mut self, id: &str) -> String {
        let times = self.times.entry(id.to_owned()).or_default();
        *times += 1;
        let id = match *times {
            1 => id.to_owned(),
            times => format!("{id}#{times}"),
        };
        self.ids.insert(id.clone());
        id
    }

    fn is_complete(&self, whole: &Whole) -> bool {
        whole.page == self.page && whole.page == whole.pages
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = object)]
struct Row {
    id: String,
    record: i64,
    is_removed: bool,
    scope: Option<String>,
    state: String,
}

/// Applies what record `number` says.
pub(crate) fn step(
    c: &mut Connection,
    mirror: i64,
    number: i64,
    reading: &Reading,
    pages: &mut Pages,
) -> Result<Counts, Error> {
    let desk = Desk { mirror, number };
    let mut counts = Counts::default();
    if let Some(whole) = &reading.whole {
        pages.turn_to(whole);
    }
    let told = told_apart(reading, pages);
    for together in told.chunks(TOGETHER) {
        counts += desk.see(c, together, reading.whole.is_some())?;
    }
    if let Some((kind, id)) = &reading.gone {
        counts.removed += desk.remove(c, *kind, std::slice::from_ref(id))?;
    }
    if let Some(whole) = &reading.whole
        && pages.is_complete(whole)
    {
        let mut gone = desk.ids_in(c, whole)?;
        gone.retain(|id| !pages.ids.contains(id));
        counts.removed += desk.remove(c, whole.kind, &gone)?;
    }
    Ok(counts)
}

/// The objects of a reading with their ids, none twice. Rows of a report are told apart by numbers;
/// an object that a page shows twice is as it was shown last.
fn told_apart<'a>(reading: &'a Reading, pages: &mut Pages) -> Vec<(String, &'a Seen)> {
    if reading.whole.is_some() {
        let seen = reading.seen.iter();
        return seen.map(|seen| (pages.take(&seen.id), seen)).collect();
    }
    let mut ids = HashSet::new();
    let mut told: Vec<(String, &Seen)> = (reading.seen.iter().rev())
        .filter(|seen| ids.insert((seen.kind, &seen.id)))
        .map(|seen| (seen.id.clone(), seen))
        .collect();
    told.reverse();
    told
}

/// Where a record's step is written.
#[derive(Clone, Copy)]
struct Desk {
    mirror: i64,
    number: i64,
}

impl Desk {
    /// Writes what is new or changed among objects of one kind.
    fn see(
        self,
        c: &mut Connection,
        told: &[(String, &Seen)],
        is_of_a_whole: bool,
    ) -> Result<Counts, Error> {
        let Some((_, first)) = told.first() else {
            return Ok(Counts::default());
        };
        let ids: Vec<&str> = told.iter().map(|(id, _)| id.as_str()).collect();
        let known = self.known(c, first.kind, &ids)?;
        let mut counts = Counts::default();
        for (id, seen) in told {
            counts.flagged += u64::from(seen.is_flagged);
            match known.get(id) {
                None => {
                    self.insert(c, id, seen)?;
                    counts.new += 1;
                }
                Some(row) if !row.is_removed && row.state == seen.state => counts.unchanged += 1,
                Some(row) => {
                    self.supersede(c, seen.kind, row)?;
                    // A row that stands in two windows belongs to the one that it was found in.
                    let stays = is_of_a_whole && !row.is_removed;
                    let scope = if stays {
                        &row.scope
                    } else {
                        &seen.labels.scope
                    };
                    self.update(c, id, seen, scope.as_deref())?;
                    counts.changed += 1;
                }
            }
        }
        Ok(counts)
    }

    /// Marks those as removed that are known and not removed yet.
    fn remove(self, c: &mut Connection, kind: Kind, ids: &[String]) -> Result<u64, Error> {
        let mut removed = 0;
        for together in ids.chunks(TOGETHER) {
            let ids: Vec<&str> = together.iter().map(String::as_str).collect();
            let known = self.known(c, kind, &ids)?;
            for row in known.values().filter(|row| !row.is_removed) {
                self.supersede(c, kind, row)?;
                let changes = (object::record.eq(self.number), object::is_removed.eq(true));
                update_prepared!(
                    c,
                    object::table.find((self.mirror, kind.name(), &row.id)),
                    changes
                )?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn known(
        self,
        c: &mut Connection,
        kind: Kind,
        ids: &[&str],
    ) -> Result<HashMap<String, Row>, Error> {
        let rows = object::table
            .filter(object::mirror_id.eq(self.mirror))
            .filter(object::kind.eq(kind.name()))
            .filter(object::id.eq_any(ids));
        let rows = both!(c, c => rows.select(Row::as_select()).load::<Row>(c))?;
        Ok(rows.into_iter().map(|row| (row.id.clone(), row)).collect())
    }

    fn ids_in(self, c: &mut Connection, whole: &Whole) -> Result<Vec<String>, Error> {
        let ids = object::table
            .filter(object::mirror_id.eq(self.mirror))
            .filter(object::kind.eq(whole.kind.name()))
            .filter(object::scope.eq(&whole.scope))
            .filter(object::is_removed.eq(false))
            .order(object::id)
            .select(object::id);
        Ok(both!(c, c => ids.load::<String>(c))?)
    }

    fn insert(self, c: &mut Connection, id: &str, seen: &Seen) -> Result<(), Error> {
        let Labels {
            code,
            parent,
            day,
            scope,
        } = &seen.labels;
        let values = (
            object::mirror_id.eq(self.mirror),
            object::kind.eq(seen.kind.name()),
            object::id.eq(id),
            object::record.eq(self.number),
            object::is_removed.eq(false),
            object::is_flagged.eq(seen.is_flagged),
            object::code.eq(code),
            object::parent.eq(parent),
            object::day.eq(day),
            object::scope.eq(scope),
            object::state.eq(&seen.state),
        );
        let insert = diesel::insert_into(object::table).values(values);
        both!(c, c => insert.execute(c))?;
        Ok(())
    }

    fn update(
        self,
        c: &mut Connection,
        id: &str,
        seen: &Seen,
        scope: Option<&str>,
    ) -> Result<(), Error> {
        let changes = (
            object::record.eq(self.number),
            object::is_removed.eq(false),
            object::is_flagged.eq(seen.is_flagged),
            object::code.eq(&seen.labels.code),
            object::parent.eq(&seen.labels.parent),
            object::day.eq(&seen.labels.day),
            object::scope.eq(scope),
            object::state.eq(&seen.state),
        );
        update_prepared!(
            c,
            object::table.find((self.mirror, seen.kind.name(), id)),
            changes
        )?;
        Ok(())
    }

    /// Keeps what an object was.
    fn supersede(self, c: &mut Connection, kind: Kind, row: &Row) -> Result<(), Error> {
        let values = (
            version::mirror_id.eq(self.mirror),
            version::kind.eq(kind.name()),
            version::id.eq(&row.id),
            version::record.eq(row.record),
            version::until_record.eq(self.number),
            version::is_removed.eq(row.is_removed),
            version::state.eq(&row.state),
        );
        let insert = diesel::insert_into(version::table).values(values);
        both!(c, c => insert.execute(c))?;
        Ok(())
    }
}
