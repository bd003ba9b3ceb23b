//! The objects that a transaction is about: looked up, changed in memory, and written together. One
//! that several records are about is read once and written once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use store::Connection;

use super::Kind;
use super::state::Seen;
use super::table::{self, Object, Version};
use crate::Error;

/// How many objects lie on the desk before they are put away.
const OBJECTS_MAX: usize = 4_000;

/// The objects of a mirror that a transaction is about.
pub(crate) struct Desk {
    pub(super) mirror: i64,
    objects: HashMap<(Kind, String), Slot>,
    /// What objects were before.
    versions: Vec<Version>,
}

/// Where an object lies, if there is one.
#[derive(Default)]
struct Slot {
    object: Option<Object>,
    difference: Difference,
}

/// What makes it other than it is in the table.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Difference {
    #[default]
    None,
    /// It is not there yet.
    New,
    /// Its state.
    State,
    /// Its state, and what it is looked for by.
    Labels,
}

/// What became of an object that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    New,
    Changed,
    Unchanged,
}

impl Desk {
    /// An empty one.
    pub(crate) fn of(mirror: i64) -> Self {
        Self {
            mirror,
            objects: HashMap::new(),
            versions: Vec::new(),
        }
    }

    /// Looks up those objects that do not lie here yet.
    pub(super) fn look_up<'a>(
        &mut self,
        c: &mut Connection,
        kind: Kind,
        ids: impl Iterator<Item = &'a str>,
    ) -> Result<(), Error> {
        let mut missing = Vec::new();
        for id in ids {
            if let Entry::Vacant(place) = self.objects.entry((kind, id.to_owned())) {
                place.insert(Slot::default());
                missing.push(id);
            }
        }
        for object in table::find(c, self.mirror, kind, &missing)? {
            let slot = self.objects.entry((kind, object.id.clone())).or_default();
            slot.object = Some(object);
        }
        Ok(())
    }

    /// An object that was looked up is so by record `number`. With `keeps_scope` it stays in the list
    /// in which it was found before.
    pub(super) fn see(&mut self, number: i64, id: &str, seen: &Seen, keeps_scope: bool) -> Met {
        let slot = self.objects.entry((seen.kind, id.to_owned())).or_default();
        let Some(old) = &mut slot.object else {
            slot.object = Some(Object::new(self.mirror, number, id, seen));
            slot.difference = Difference::New;
            return Met::New;
        };
        if !old.is_removed && old.state == seen.state {
            return Met::Unchanged;
        }
        let mut new = Object::new(self.mirror, number, id, seen);
        if keeps_scope && !old.is_removed {
            new.scope.clone_from(&old.scope);
        }
        slot.difference = slot.difference.and(old.has_labels_of(&new));
        let old = std::mem::replace(old, new);
        self.versions.push(old.until(number));
        Met::Changed
    }

    /// The source has an object no more, by record `number`. Whether it was there until then.
    pub(super) fn remove(&mut self, number: i64, kind: Kind, id: &str) -> bool {
        let slot = self.objects.entry((kind, id.to_owned())).or_default();
        let Some(object) = slot.object.as_mut().filter(|object| !object.is_removed) else {
            return false;
        };
        self.versions.push(object.clone().until(number));
        object.record = number;
        object.is_removed = true;
        slot.difference = slot.difference.and(true);
        true
    }

    /// Writes what is other than in the tables.
    pub(crate) fn write(&mut self, c: &mut Connection) -> Result<(), Error> {
        let changed = self.objects.values_mut().filter_map(|slot| {
            let difference = std::mem::take(&mut slot.difference);
            (difference != Difference::None).then_some((difference, slot.object.as_ref()?))
        });
        let mut changed: Vec<(Difference, &Object)> = changed.collect();
        // Rows that stand side by side are found together.
        changed.sort_unstable_by(|(_, one), (_, other)| one.key().cmp(&other.key()));
        let of = |wanted| {
            let rows = changed
                .iter()
                .filter(move |(difference, _)| *difference == wanted);
            rows.map(|(_, object)| *object).collect::<Vec<_>>()
        };
        table::insert(c, &of(Difference::New))?;
        table::update_states(c, &of(Difference::State))?;
        table::update(c, &of(Difference::Labels))?;
        table::insert_versions(c, &std::mem::take(&mut self.versions))
    }

    /// Puts everything away when much lies here.
    pub(crate) fn clear_if_full(&mut self, c: &mut Connection) -> Result<(), Error> {
        if self.objects.len() < OBJECTS_MAX {
            return Ok(());
        }
        self.write(c)?;
        self.objects.clear();
        Ok(())
    }
}

impl Difference {
    /// With another change, which leaves the labels as they are or not.
    fn and(self, keeps_labels: bool) -> Self {
        match (self, keeps_labels) {
            (Self::New, _) => Self::New,
            (Self::None | Self::State, true) => Self::State,
            (Self::Labels, _) | (_, false) => Self::Labels,
        }
    }
}
