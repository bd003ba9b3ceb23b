//! How far a list was walked, and what can be told of that: whether it comes in order, became shorter,
//! or goes in circles.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use guesty::PAGE_SIZE_MAX;

use super::ListPage;
use super::place::Place;

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
    /// How many pages and rows of it are behind.
    pub(super) page: i32,
    pub(super) skip: u64,
    /// How often the next page was asked for again, since others changed what is on it.
    pub(super) tries: u32,
    /// Whether anything came.
    pub(super) has_rows: bool,
    /// Whether a page came that has nothing new.
    pub(super) is_in_circles: bool,
    /// How many rows the source had when it was interrupted.
    total: Option<u64>,
    /// The last id that was met; none: what comes next does not follow what we know.
    last: Option<String>,
    /// Once the list is not in the order of ids: those that were met since, to know when nothing new
    /// comes. In order, each page is new.
    unsorted: Option<HashSet<u64>>,
}

impl Walk {
    /// From where a list was left, and one page before it: some may have gone meanwhile.
    pub(super) fn from(place: &Place) -> Self {
        let done = u64::try_from(place.done).unwrap_or_default();
        let skip = done.saturating_sub(PAGE_SIZE_MAX.into());
        Self {
            page: i32::try_from(skip / u64::from(PAGE_SIZE_MAX)).unwrap_or_default(),
            has_rows: false,
            is_in_circles: false,
            skip,
            tries: 0,
            total: place.total.and_then(|total| u64::try_from(total).ok()),
            last: (skip == 0).then(String::new),
            unsorted: None,
        }
    }

    pub(super) fn is_sorted(&self) -> bool {
        self.unsorted.is_none()
    }

    /// Whether the list became shorter since it was left: some may have been passed over.
    pub(super) fn has_shrunk(&mut self, page: &ListPage) -> bool {
        let before = self.total.take();
        self.skip > 0 && matches!((before, page.total), (Some(before), Some(now)) if now < before)
    }

    /// Goes on over a page; the ids that it spans.
    pub(super) fn go_on(&mut self, page: &ListPage) -> Option<Gap> {
        self.page = self.page.saturating_add(1);
        self.skip = page.done;
        self.tries = 0;
        let (first, end) = (page.ids.first()?, page.ids.last()?.clone());
        self.has_rows = true;
        let start = self.last.replace(end.clone());
        // A page may begin with rows of the one before: some were put in between meanwhile.
        let follows = start.as_ref().is_none_or(|start| *start < end);
        if !follows || !page.ids.is_sorted() {
            self.unsorted.get_or_insert_default();
        }
        if let Some(met) = &mut self.unsorted {
            let before = met.len();
            met.extend(page.ids.iter().map(|id| mark(id)));
            self.is_in_circles = met.len() == before;
            return None;
        }
        Some(Gap {
            after: start.unwrap_or_else(|| first.clone()),
            up_to: Some(end),
        })
    }

    /// The ids after the last page.
    pub(super) fn rest(&self) -> Option<Gap> {
        let after = self.last.clone().filter(|_| self.is_sorted())?;
        Some(Gap { after, up_to: None })
    }
}

fn mark(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
