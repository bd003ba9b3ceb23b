//! Lists that come in pages, as streams.
//!
//! What is passed over by a count of rows may shift while it is read: a row that is removed moves all
//! later ones up, past the end of the page that was read. So each page is asked for such that it
//! begins with the last row of the one before. If it does, nothing lies between the two; if not, that
//! is an error. It costs a row a page, and no request.

use std::collections::HashSet;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use serde::de::DeserializeOwned;

use crate::connection::Connection;
use crate::error::{Error, Problem};
use crate::reply::Reply;
use crate::rows::{Listed, Rows, mark};

/// The most rows that the source gives at once.
pub const PAGE_SIZE_MAX: u32 = 100;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Its rows, without the one that the page before ended with.
    pub rows: Rows<T>,
    /// How many rows came before them.
    pub skip: u64,
    /// How many rows the list has in all, if the source says so.
    pub total: Option<u64>,
    /// The reply, byte for byte. After the first page, it begins with the last row of the page
    /// before.
    pub reply: Reply,
}

/// The names of the parameters that page a list.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    /// `skip` and `limit`.
    Limit,
    /// `skip` and `take`.
    Take,
}

/// A list to read, page by page.
#[derive(Debug, Clone)]
pub(crate) struct List {
    /// The list's path; the second if the source does not know the first.
    pub(crate) paths: [&'static str; 2],
    pub(crate) query: Vec<(String, String)>,
    pub(crate) style: Style,
    pub(crate) page_size: u32,
    /// How many rows to pass over.
    pub(crate) skip: u64,
}

/// Where the reading of a list is.
struct Position {
    connection: Connection,
    list: List,
    path: usize,
    /// How many rows are behind.
    found: u64,
    /// What the last of them is known by, if the next page is to begin with it.
    last: Option<u64>,
    /// How many rows were announced last.
    total: Option<u64>,
    /// A mark of each page that came.
    pages: HashSet<u64>,
    is_over: bool,
}

/// Reads a list to its end: until as many rows came as were announced or, where nothing or too few
/// are announced, until a page has nothing new. (A page that is merely short proves nothing: the
/// source may give fewer rows at once than it was asked for.) After an error the stream ends.
pub(crate) fn pages<T>(
    connection: Connection,
    list: List,
) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T>
where
    T: DeserializeOwned + Send,
{
    let start = Position {
        connection,
        path: 0,
        found: list.skip,
        list,
        last: None,
        total: None,
        pages: HashSet::new(),
        is_over: false,
    };
    try_unfold(start, |mut position| async move {
        let page = position.next().await?;
        Ok(page.map(|page| (page, position)))
    })
}

impl Position {
    async fn next<T: DeserializeOwned + Send>(&mut self) -> Result<Option<Page<T>>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let overlap = u64::from(self.last.is_some());
        let skip = self.found - overlap;
        let (mut listed, reply) = self.ask::<T>(skip).await?;
        let problem = |problem| Error {
            call: format!("GET {}", reply.request),
            tries: 1,
            problem,
        };
        let count = listed.marks.len() as u64;
        if count > 0 && !self.pages.insert(mark(&listed.marks)) {
            return Err(problem(Problem::PageRepeats { skip }));
        }
        if self.last.is_some() && self.last != listed.ends.map(|(first, _)| first) {
            return Err(problem(Problem::ListShifted { skip }));
        }
        let (found, is_new) = (skip + count, count > overlap);
        let total = listed.total.or(self.total);
        // Where no row joins two pages, the count alone can tell.
        if let (0, Some(expected), Some(now)) = (overlap, self.total, listed.total)
            && now < expected
        {
            let found = now;
            return Err(problem(Problem::ListShrank { expected, found }));
        }
        if let (false, Some(expected)) = (is_new, total)
            && found < expected
        {
            return Err(problem(Problem::ListShrank { expected, found }));
        }
        // A full page that claims to be the last may be that of a source that counts wrongly, or counts
        // the page alone: the next one tells.
        let may_be_last = count < u64::from(self.list.page_size);
        self.is_over = match (listed.has_more, total) {
            _ if !is_new => true,
            (Some(more), _) => !more,
            (None, Some(total)) => found == total && may_be_last,
            (None, None) => false,
        };
        if overlap > 0 {
            listed.leave_first_out();
        }
        let page = Page {
            rows: listed.rows,
            skip: self.found,
            total: listed.total,
            reply,
        };
        self.found = found;
        self.total = total;
        // Of pages of a single row, none would bring anything new.
        self.last = listed.ends.filter(|_| count > 1).map(|(_, last)| last);
        Ok(Some(page))
    }

    async fn ask<T: DeserializeOwned + Send>(
        &mut self,
        skip: u64,
    ) -> Result<(Listed<T>, Reply), Error> {
        let mut query = self.list.query.clone();
        let size = match self.list.style {
            Style::Limit => "limit",
            Style::Take => "take",
        };
        query.push((size.to_owned(), self.list.page_size.to_string()));
        query.push(("skip".to_owned(), skip.to_string()));
        loop {
            let path = self.list.paths[self.path];
            match self.connection.get(path, &query, Listed::read).await {
                Err(error)
                    if matches!(error.problem, Problem::NotFound(_))
                        && self.path == 0
                        && skip == 0
                        && self.list.paths[1] != path =>
                {
                    self.path = 1;
                }
                other => return other,
            }
        }
    }
}
