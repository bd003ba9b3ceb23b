//! What two mirrors of one chain have that is not the same.

use std::fmt;
use std::ops::ControlFlow;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use store::{Connection, Scratch, both};

use super::fingerprint::{Place, Row};
use super::read::Mirror;
use super::rebuild::FOLDED;
use super::table::{Object, Version};
use crate::Error;
use crate::evidence::tip;
use crate::schema::{object, version};
use crate::threads::read_apart;

/// How many are told.
const TOLD: usize = 20;

/// Something that a mirror has otherwise than its evidence says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The kind of an object.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an object of a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It, or what it was before, is not there.
    Missing,
    /// It, or what it was before, is not what a record says.
    Other,
    /// It, or what it was before, is in no record.
    Invented,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, id) = (&self.kind, &self.id);
        match self.fault {
            Fault::Missing => write!(f, "{kind} {id} was missing, or something that it had been"),
            Fault::Other => write!(f, "{kind} {id} was other than the evidence says"),
            Fault::Invented => write!(f, "{kind} {id} was there, or had been so, without evidence"),
        }
    }
}

/// A mirror, and the one that its chain was folded into anew, in a database of its own.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) old: i64,
    pub(super) new: Scratch,
    /// The record that the new one was folded up to. What later records have changed in the older
    /// one is not compared.
    pub(super) folded: i64,
}

impl Mirror {
    /// What the older mirror has otherwise than the new one.
    pub(super) async fn differences(&self, pair: Pair) -> Result<Vec<Difference>, Error> {
        let id = self.chain.id;
        let compare = move |c: &mut Connection| {
            let last = tip(c, id)?.length;
            let mut found = differences::<Object>(c, &pair, last)?;
            found.extend(differences::<Version>(c, &pair, last)?);
            found.dedup();
            found.truncate(TOLD);
            Ok(found)
        };
        read_apart(&self.chain.store, compare).await
    }
}

/// They are found by their keys, since how texts are ordered is the database's matter.
fn differences<R: Compared>(
    c: &mut Connection,
    pair: &Pair,
    last: i64,
) -> Result<Vec<Difference>, Error> {
    let mut found = Vec::new();
    let mut note = |row: &R, fault| {
        let (kind, id, _) = row.place();
        found.push(Difference { kind, id, fault });
        if found.len() < TOLD {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    pair.new.with(|new| {
        each::<R>(c, pair.old, |row| {
            let is = R::find(new, FOLDED, &row.place())?.map(|is| is.moved_to(pair.old));
            let has_gone_on = (pair.folded + 1..=last).contains(&row.last_record());
            Ok(match is {
                _ if has_gone_on => ControlFlow::Continue(()),
                Some(is) if is == *row => ControlFlow::Continue(()),
                Some(_) => note(row, Fault::Other),
                None => note(row, Fault::Invented),
            })
        })?;
        each::<R>(new, FOLDED, |row| {
            Ok(match R::find(c, pair.old, &row.place())? {
                Some(_) => ControlFlow::Continue(()),
                None => note(row, Fault::Missing),
            })
        })
    })?;
    Ok(found)
}

/// Visits the rows of a mirror until it is told to end.
fn each<R: Compared>(
    c: &mut Connection,
    mirror: i64,
    mut visit: impl FnMut(&R) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let mut place = Place::default();
    loop {
        let rows = R::after(c, mirror, &place)?;
        for row in &rows {
            if visit(row)?.is_break() {
                return Ok(());
            }
        }
        match rows.last() {
            Some(last) => place = last.place(),
            None => return Ok(()),
        }
    }
}

/// A row that another mirror should have just so.
trait Compared: Row + PartialEq {
    fn find(c: &mut Connection, mirror: i64, place: &Place) -> Result<Option<Self>, Error>;

    /// The record that made it what it is.
    fn last_record(&self) -> i64;
}

impl Compared for Object {
    fn find(c: &mut Connection, mirror: i64, (kind, id, _): &Place) -> Result<Option<Self>, Error> {
        let row = object::table.find((mirror, kind, id));
        Ok(both!(c, c => row.select(Self::as_select()).first(c).optional())?)
    }

    fn last_record(&self) -> i64 {
        self.record
    }
}

impl Compared for Version {
    fn find(
        c: &mut Connection,
        mirror: i64,
        (kind, id, record): &Place,
    ) -> Result<Option<Self>, Error> {
        let row = version::table.find((mirror, kind, id, *record));
        Ok(both!(c, c => row.select(Self::as_select()).first(c).optional())?)
    }

    fn last_record(&self) -> i64 {
        self.until_record
    }
}
