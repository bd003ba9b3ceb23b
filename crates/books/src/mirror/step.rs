//! One record's step of the fold: what it says is compared with what the mirror has.

use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Connection, both};

use super::Kind;
use super::desk::{Desk, Met};
use super::fold::{Reading, Whole};
use super::state::Seen;
use crate::Error;
use crate::schema::object;

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
    /// How many rows they have.
    rows: usize,
    /// Whether the first row of the page at hand is also the last one of the page before.
    has_first_twice: bool,
    has_gaps: bool,
    /// How often each id came. A list may have very many.
    times: HashMap<Mark, u32>,
}

/// What stands for an id, shorter than most of them.
type Mark = [u8; 16];

fn mark(id: &str) -> Mark {
    let mut mark = Mark::default();
    mark.copy_from_slice(&Sha256::digest(id)[..size_of::<Mark>()]);
    mark
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
        self.has_gaps |= whole.has_gaps;
        let is_joined = whole.skip.is_some_and(|skip| skip + 1 == self.rows) && whole.rows > 0;
        self.rows += whole.rows - usize::from(is_joined);
        self.has_first_twice = is_joined && whole.is_first_read;
    }

    /// What is new of the page that was turned to. Its first row is the last one of the page before
    /// where that was asked for again, to see that nothing lies between.
    pub(super) fn new_of<'a>(&self, reading: &'a Reading) -> &'a [Seen] {
        let known = usize::from(self.has_first_twice && reading.whole.is_some());
        reading.seen.get(known..).unwrap_or_default()
    }

    /// The id of a row: of several with the same, the later ones are numbered.
    fn take(&mut self, id: &str) -> String {
        let times = self.times.entry(mark(id)).or_default();
        *times += 1;
        match *times {
            1 => id.to_owned(),
            times => format!("{id}#{times}"),
        }
    }

    /// Whether a row has this id, with its number if it has one.
    fn has(&self, id: &str) -> bool {
        let comes = |id: &str, times| self.times.get(&mark(id)).is_some_and(|most| *most >= times);
        let numbered = id.rsplit_once('#');
        let numbered = numbered.and_then(|(id, times)| Some((id, times.parse().ok()?)));
        comes(id, 1) || numbered.is_some_and(|(id, times)| times > 1 && comes(id, times))
    }

    fn is_complete(&self, whole: &Whole) -> bool {
        whole.page == self.page && whole.page == whole.pages && !self.has_gaps
    }
}

/// Applies what record `number` says to the objects on the desk, and to those that it has to look up.
pub(crate) fn step(
    c: &mut Connection,
    desk: &mut Desk,
    number: i64,
    reading: &Reading,
    pages: &mut Pages,
) -> Result<Counts, Error> {
    desk.clear_if_full(c)?;
    let mut counts = Counts::default();
    if let Some(whole) = &reading.whole {
        pages.turn_to(whole);
    }
    let told = told_apart(reading, pages);
    if let Some((_, first)) = told.first() {
        desk.look_up(c, first.kind, told.iter().map(|(id, _)| id.as_str()))?;
    }
    for (id, seen) in &told {
        let is_counted = u64::from(!reading.again.contains(id));
        counts.flagged += is_counted * u64::from(!seen.flags.is_empty());
        // A row that stands in two windows belongs to the one that it was found in.
        match desk.see(number, id, seen, reading.whole.is_some()) {
            Met::New => counts.new += 1,
            Met::Changed => counts.changed += 1,
            Met::Unchanged => counts.unchanged += is_counted,
        }
    }
    if let Some((kind, id)) = &reading.gone {
        counts.removed += remove(c, desk, number, *kind, std::slice::from_ref(id))?;
    }
    if let Some(whole) = &reading.whole
        && pages.is_complete(whole)
    {
        desk.write(c)?;
        let mut gone = ids_in(c, desk.mirror, whole)?;
        gone.retain(|id| !pages.has(id));
        counts.removed += remove(c, desk, number, whole.kind, &gone)?;
    }
    Ok(counts)
}

/// Marks those as removed that are known and not removed yet; how many.
fn remove(
    c: &mut Connection,
    desk: &mut Desk,
    number: i64,
    kind: Kind,
    ids: &[String],
) -> Result<u64, Error> {
    let mut removed = 0;
    for ids in ids.chunks(TOGETHER) {
        desk.clear_if_full(c)?;
        desk.look_up(c, kind, ids.iter().map(String::as_str))?;
        let removals = ids.iter().map(|id| desk.remove(number, kind, id));
        removed += removals.map(u64::from).sum::<u64>();
    }
    Ok(removed)
}

/// The objects that were found in a list.
fn ids_in(c: &mut Connection, mirror: i64, whole: &Whole) -> Result<Vec<String>, Error> {
    let ids = object::table
        .filter(object::mirror_id.eq(mirror))
        .filter(object::kind.eq(whole.kind.name()))
        .filter(object::scope.eq(&whole.scope))
        .filter(object::is_removed.eq(false))
        .order(object::id)
        .select(object::id);
    Ok(both!(c, c => ids.load::<String>(c))?)
}

/// The objects of a reading with their ids, none twice. Rows of a report are told apart by numbers;
/// an object that a page shows twice is as it was shown last.
fn told_apart<'a>(reading: &'a Reading, pages: &mut Pages) -> Vec<(String, &'a Seen)> {
    if reading.whole.is_some() {
        let seen = pages.new_of(reading).iter();
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
