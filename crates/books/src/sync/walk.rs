//! How far a list was walked, and what can be told of that: whether it shifted, comes in order, or
//! goes in circles.
//!
//! Rows come and go while a list is read by counts of rows. A page follows what was read if it begins
//! with a row that is known: then nothing lies between. If it does not, one goes back, further each
//! time, until a page does.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use guesty::PAGE_SIZE_MAX;

use super::ListPage;
use super::place::Place;

/// How many rows one goes back at first; then ten times as many, and so on.
const BACK: u64 = 10;
/// How often one goes back without finding anything new.
const SHIFTS_MAX: u32 = 16;

/// Ids after one, up to another or to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) after: String,
    pub(super) up_to: Option<String>,
}

impl Gap {
    /// What is left of it after an id.
    pub(super) fn after(self, id: &str) -> Self {
        Self {
            after: id.to_owned(),
            ..self
        }
    }
}

/// How far a list was walked.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    /// How many pages of it are behind.
    pub(super) page: i32,
    /// How many rows are passed over when it is gone on with.
    pub(super) skip: u64,
    /// How often the next page was asked for again, since others changed what is on it.
    pub(super) tries: u32,
    /// Whether anything came.
    pub(super) has_rows: bool,
    /// Whether a page came that has nothing new.
    pub(super) is_in_circles: bool,
    /// How many rows are behind, and at most were.
    done: u64,
    furthest: u64,
    /// Up to which id all is in; empty at the beginning.
    last: String,
    /// The last id of the page before, if the next one is known to follow it.
    before: Option<String>,
    /// How often one went back, and since the last page that followed: how far.
    shifts: u32,
    back: u64,
    /// Once the list is not in the order of ids: those that were met since, to know when nothing new
    /// comes. In order, each page is new.
    unsorted: Option<HashSet<u64>>,
}

impl Walk {
    /// From where a list was left.
    pub(super) fn from(place: &Place) -> Self {
        let done = u64::try_from(place.done).unwrap_or_default();
        let mut walk = Self {
            page: 0,
            skip: 0,
            tries: 0,
            has_rows: false,
            is_in_circles: false,
            done,
            furthest: done,
            last: place.last().to_owned(),
            before: None,
            shifts: 0,
            back: 0,
            unsorted: None,
        };
        walk.enter(done.saturating_sub(1));
        walk
    }

    /// Goes on with as many rows passed over.
    fn enter(&mut self, skip: u64) {
        self.skip = skip;
        // Each page but the first has one row of the page before.
        let page = skip.div_ceil(u64::from(PAGE_SIZE_MAX) - 1);
        self.page = i32::try_from(page).unwrap_or(i32::MAX);
        self.before = None;
    }

    /// Asks for the next page again, since others changed what is on it.
    pub(super) fn try_again(&mut self) {
        self.tries += 1;
        self.enter(self.done.saturating_sub(1));
    }

    /// Goes back to where a page may follow; whether that makes sense.
    pub(super) fn go_back(&mut self) -> bool {
        self.shifts += 1;
        self.back = self.back.saturating_mul(10).max(BACK);
        self.enter(self.done.saturating_sub(self.back));
        self.shifts <= SHIFTS_MAX
    }

    pub(super) fn is_sorted(&self) -> bool {
        self.unsorted.is_none()
    }

    /// The last id up to which all is in.
    pub(super) fn last(&self) -> &str {
        &self.last
    }

    /// Whether nothing lies between what is known and a page.
    pub(super) fn is_followed_by(&self, page: &ListPage) -> bool {
        // Of the pages of one reading, each follows the one before.
        if self.before.is_some() || self.skip == 0 {
            return true;
        }
        let is_in_order = self.is_sorted() && page.ids.is_sorted();
        let begins_before = || (page.ids.first()).is_some_and(|first| *first <= self.last);
        page.ids.iter().any(|id| self.is_marked(id)) || is_in_order && begins_before()
    }

    /// Whether an object of a page that follows was met before.
    pub(super) fn has_met(&self, id: &str) -> bool {
        self.is_marked(id) || self.is_sorted() && id < self.last.as_str()
    }

    fn is_marked(&self, id: &str) -> bool {
        let met = self.unsorted.as_ref();
        id == self.last || met.is_some_and(|met| met.contains(&mark(id)))
    }

    /// Goes on over a page that follows; the ids that it spans.
    pub(super) fn go_on(&mut self, page: &ListPage) -> Option<Gap> {
        let is_further = page.done > self.furthest;
        self.page = self.page.saturating_add(1);
        self.done = page.done;
        self.furthest = self.furthest.max(page.done);
        (self.tries, self.back) = (0, 0);
        let before = self.before.take().unwrap_or_default();
        self.before = Some(page.ids.last().unwrap_or(&before).clone());
        let (first, end) = (page.ids.first()?, page.ids.last()?.clone());
        self.has_rows = true;
        let is_in_order = before.is_empty() || (before <= *first && before < end);
        if !is_in_order || !page.ids.is_sorted() {
            self.unsorted.get_or_insert_default();
        }
        if let Some(met) = &mut self.unsorted {
            let known = met.len();
            met.extend(page.ids.iter().map(|id| mark(id)));
            let has_new = met.len() > known;
            self.is_in_circles = is_further && !has_new;
            self.last = end;
            self.shifts *= u32::from(!has_new);
            return None;
        }
        if end <= self.last {
            return None;
        }
        self.shifts = 0;
        Some(Gap {
            after: std::mem::replace(&mut self.last, end.clone()),
            up_to: Some(end),
        })
    }

    /// The ids after the last page.
    pub(super) fn rest(&self) -> Option<Gap> {
        let after = self.last.clone();
        (self.is_sorted()).then_some(Gap { after, up_to: None })
    }
}

fn mark(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
