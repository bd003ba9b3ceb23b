//! Lists that come in pages, as streams.

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
    /// Its rows.
    pub rows: Rows<T>,
    /// How many rows came before it.
    pub skip: u64,
    /// How many rows the list has in all, if the source says so.
    pub total: Option<u64>,
    /// How many of its rows were in the page before, to the letter: something was put in between
    /// while we read. None is lost by that.
    pub repeated: usize,
    /// The reply, byte for byte.
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
    skip: u64,
    /// How many rows were announced last.
    total: Option<u64>,
    before: Vec<u64>,
    /// A mark of each page that came.
    pages: HashSet<u64>,
    is_over: bool,
}

/// Reads a list to its end: until as many rows came as were announced or, where nothing or too few
/// are announced, until a page is empty. (A page that is merely short proves nothing: the source may
/// give fewer rows at once than it was asked for.) After an error the stream ends.
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
        skip: list.skip,
        list,
        total: None,
        before: Vec::new(),
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
        let (listed, reply) = self.ask::<T>().await?;
        let problem = |problem| Error {
            call: format!("GET {}", reply.request),
            tries: 1,
            problem,
        };
        let count = listed.marks.len() as u64;
        if count > 0 && !self.pages.insert(mark(&listed.marks)) {
            return Err(problem(Problem::PageRepeats { skip: self.skip }));
        }
        let found = self.skip + count;
        let total = listed.total.or(self.total);
        if let (Some(expected), Some(now)) = (self.total, listed.total)
            && now < expected
        {
            let found = now;
            return Err(problem(Problem::ListShrank { expected, found }));
        }
        if let (0, Some(expected)) = (count, total)
            && found < expected
        {
            return Err(problem(Problem::ListShrank { expected, found }));
        }
        // A full page that claims to be the last may be that of a source that counts wrongly, or counts
        // the page alone: the next one tells.
        let may_be_last = count < u64::from(self.list.page_size);
        self.is_over = match (listed.has_more, total) {
            _ if count == 0 => true,
            (Some(more), _) => !more,
            (None, Some(total)) => found == total && may_be_last,
            (None, None) => false,
        };
        let known = |mark: &&u64| self.before.contains(mark);
        let page = Page {
            repeated: listed.marks.iter().filter(known).count(),
            rows: listed.rows,
            skip: self.skip,
            total: listed.total,
            reply,
        };
        self.skip = found;
        self.total = total;
        self.before = listed.marks;
        Ok(Some(page))
    }

    async fn ask<T: DeserializeOwned + Send>(&mut self) -> Result<(Listed<T>, Reply), Error> {
        let mut query = self.list.query.clone();
        let size = match self.list.style {
            Style::Limit => "limit",
            Style::Take => "take",
        };
        query.push((size.to_owned(), self.list.page_size.to_string()));
        query.push(("skip".to_owned(), self.skip.to_string()));
        loop {
            let path = self.list.paths[self.path];
            match self.connection.get(path, &query, Listed::read).await {
                Err(error)
                    if matches!(error.problem, Problem::NotFound(_))
                        && self.path == 0
                        && self.skip == 0
                        && self.list.paths[1] != path =>
                {
                    self.path = 1;
                }
                other => return other,
            }
        }
    }
}
