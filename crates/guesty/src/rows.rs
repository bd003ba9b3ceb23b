//! The rows of a list: a bare array, or an envelope that has several spellings. A row that cannot
//! be read is reported beside the others, which stay readable.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::field::read_object;
use crate::refusal::excerpt;

/// The rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T> {
    /// Those that could be read, in their order.
    pub items: Vec<T>,
    /// Those that could not.
    pub unreadable: Vec<UnreadableRow>,
}

impl<T: DeserializeOwned> Rows<T> {
    /// Reads the body of a list's reply again.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Listed::read(body)?.rows)
    }
}

/// A row of another shape than is documented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    /// Its place among the reply's rows, from 0.
    pub index: usize,
    /// What is wrong with it, and how it begins.
    pub reason: String,
}

/// A list as it was found in a reply.
#[derive(Debug)]
pub(crate) struct Listed<T> {
    pub(crate) rows: Rows<T>,
    /// How many there are in all, if the reply says so.
    pub(crate) total: Option<u64>,
    /// Whether there are more, if the reply says so.
    pub(crate) has_more: Option<bool>,
    /// A mark of each row, equal for equal rows.
    pub(crate) marks: Vec<u64>,
    /// A mark of the first row and of the last: of their ids, where they have any.
    pub(crate) ends: Option<(u64, u64)>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, alias = "data", alias = "list")]
    results: Vec<&'a RawValue>,
    #[serde(default, alias = "total")]
    count: Option<u64>,
    #[serde(default)]
    pagination: Option<Pagination>,
}

/// What a row is known by.
#[derive(Deserialize)]
struct Identity<'a> {
    #[serde(rename = "_id", borrow)]
    id: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    #[serde(default)]
    has_more: Option<bool>,
}

impl<T: DeserializeOwned> Listed<T> {
    pub(crate) fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        let is_bare = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
        let envelope = if is_bare {
            Envelope {
                results: serde_json::from_slice(body)?,
                count: None,
                pagination: None,
            }
        } else {
            serde_json::from_slice(body)?
        };
        let mut rows = Rows {
            items: Vec::with_capacity(envelope.results.len()),
            unreadable: Vec::new(),
        };
        for (index, row) in envelope.results.iter().enumerate() {
            match read_object(row.get().as_bytes()) {
                Ok(item) => rows.items.push(item),
                Err(error) => rows.unreadable.push(UnreadableRow {
                    index,
                    reason: format!("{error}: {}", excerpt(row.get())),
                }),
            }
        }
        Ok(Self {
            rows,
            total: envelope.count,
            has_more: envelope.pagination.and_then(|told| told.has_more),
            marks: envelope.results.iter().map(|row| mark(row.get())).collect(),
            ends: ends(&envelope.results),
        })
    }

    /// Leaves the first row out, which came before.
    pub(crate) fn leave_first_out(&mut self) {
        let unreadable = self.rows.unreadable.first();
        if unreadable.is_some_and(|row| row.index == 0) {
            self.rows.unreadable.remove(0);
        } else if !self.rows.items.is_empty() {
            self.rows.items.remove(0);
        }
    }
}

fn ends(rows: &[&RawValue]) -> Option<(u64, u64)> {
    Some((identity(rows.first()?), identity(rows.last()?)))
}

/// A mark of a row that stays when the row changes, if it has an id.
fn identity(row: &RawValue) -> u64 {
    match serde_json::from_str::<Identity<'_>>(row.get()) {
        Ok(row) => mark(row.id.get()),
        Err(_) => mark(row.get()),
    }
}

/// A mark that equal values share.
pub(crate) fn mark(value: &(impl std::hash::Hash + ?Sized)) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        id: String,
    }

    fn ids(body: &str) -> (Vec<String>, Option<u64>) {
        let listed = Listed::<Row>::read(body.as_bytes()).unwrap();
        let ids = listed.rows.items.into_iter().map(|row| row.id).collect();
        (ids, listed.total)
    }

    #[test]
    fn a_list_is_read_bare_and_from_every_envelope() {
        let rows = r#"[{"id":"a"},{"id":"b","unknown":[1]}]"#;
        let both = vec!["a".to_owned(), "b".to_owned()];
        for (body, total) in [
            (format!(" \n{rows}"), None),
            (
                format!(r#"{{"results":{rows},"count":2,"limit":25,"skip":0}}"#),
                Some(2),
            ),
            (format!(r#"{{"data":{rows},"total":7}}"#), Some(7)),
            (
                format!(r#"{{"skip":0,"limit":5,"count":null,"list":{rows}}}"#),
                None,
            ),
        ] {
            assert_eq!(ids(&body), (both.clone(), total), "{body}");
        }
        assert_eq!(ids("[]"), (vec![], None));
    }

    #[test]
    fn a_row_that_cannot_be_read_does_not_hide_the_others() {
        let listed = Listed::<Row>::read(br#"[{"id":"a"},"b",{"id":"c"},["d"]]"#).unwrap();
        assert_eq!(listed.rows.items.len(), 2);
        assert_eq!(listed.rows.unreadable.len(), 2);
        assert_eq!(listed.rows.unreadable[0].index, 1);
        assert!(listed.rows.unreadable[0].reason.contains("\"b\""));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for body in ["{}", "\"Forbidden\"", "null", "1", r#"{"results":{}}"#] {
            assert!(Listed::<Row>::read(body.as_bytes()).is_err(), "{body}");
        }
    }
}
