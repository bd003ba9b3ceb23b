//! Lists that come in pages: read whole, or refused.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Mutex;

use futures_util::{Stream, TryStreamExt};
use guesty::{Error, ListingQuery, Page, Problem, ReportQuery, Window};
use proptest::prelude::*;

use crate::server::{Reaction, Request, Server, json};

#[derive(Debug, Clone, Copy)]
enum Form {
    Envelope,
    Bare,
    HasMore,
    /// It says so many, whatever there are.
    Says(usize),
}

fn row(number: usize) -> String {
    format!(r#"{{"_id":"{number:024x}","title":"T{number}"}}"#)
}

/// A page of a list of so many rows, from a source that gives at most `cap` at once.
fn page(request: &Request, rows: usize, cap: usize, form: Form) -> Reaction {
    let (skip, limit) = (request.number("skip"), request.number("limit").min(cap));
    let end = (skip + limit).min(rows);
    let list: Vec<String> = (skip..end).map(row).collect();
    let list = list.join(",");
    json(
        200,
        match form {
            Form::Envelope => {
                format!(r#"{{"results":[{list}],"count":{rows},"limit":{limit},"skip":{skip}}}"#)
            }
            Form::Says(count) => format!(r#"{{"results":[{list}],"count":{count}}}"#),
            Form::Bare => format!("[{list}]"),
            Form::HasMore => {
                let more = end < rows;
                format!(r#"{{"results":[{list}],"pagination":{{"hasMore":{more}}}}}"#)
            }
        },
    )
}

async fn titles<T>(
    pages: impl Stream<Item = Result<Page<T>, Error>>,
    title: impl Fn(&T) -> &str,
) -> Result<Vec<String>, Error> {
    let pages: Vec<Page<T>> = pages.try_collect().await?;
    let items = pages.iter().flat_map(|page| &page.rows.items);
    Ok(items.map(|item| title(item).to_owned()).collect())
}

async fn listings(server: &Server, page_size: u32) -> Result<Vec<String>, Error> {
    let query = ListingQuery {
        page_size,
        ..ListingQuery::default()
    };
    titles(server.reader().listings(&query), |listing| {
        listing.title.text()
    })
    .await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_row_is_read_once_and_in_order(
        rows in 0..60_usize,
        cap in 1..20_usize,
        page_size in 1..25_u32,
        form in prop_oneof![Just(Form::Envelope), Just(Form::Bare), Just(Form::HasMore)],
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (read, asked) = runtime.block_on(async {
            let server = Server::start(move |request| page(request, rows, cap, form)).await;
            (listings(&server, page_size).await.unwrap(), server.count("/v1/listings"))
        });
        let expected: Vec<String> = (0..rows).map(|number| format!("T{number}")).collect();
        prop_assert_eq!(read, expected);
        // Of each page but the first, a row was known before; of single ones, none can be.
        let step = cap.min(usize::try_from(page_size).unwrap());
        let new = (step - 1).max(1);
        prop_assert!(asked <= rows.div_ceil(new) + 1, "{} pages", asked);
    }

    #[test]
    fn rows_that_come_and_go_while_a_list_is_read_hide_none(
        deeds in prop::collection::vec(prop::collection::vec((any::<bool>(), 0..80_usize), 0..3), 0..20),
        rows in 0..40_usize,
        page_size in 2..9_u32,
        form in prop_oneof![Just(Form::Envelope), Just(Form::Bare)],
    ) {
        // Those with even numbers are there, of those with odd ones none yet.
        let there: BTreeSet<usize> = (0..rows).map(|number| 2 * number).collect();
        let mut staying = there.clone();
        for (_, number) in deeds.iter().flatten() {
            staying.remove(number);
        }
        let state = Mutex::new((there, deeds.into_iter()));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let read = runtime.block_on(async {
            let server = Server::start(move |request| {
                let (there, deeds) = &mut *state.lock().unwrap();
                let answer = page_of(request, there, form);
                for (comes, number) in deeds.next().unwrap_or_default() {
                    if comes { there.insert(number) } else { there.remove(&number) };
                }
                answer
            })
            .await;
            listings(&server, page_size).await
        });
        match read {
            Ok(read) => {
                let of_staying = read.iter().filter(|title| staying.contains(&title[1..].parse().unwrap()));
                let expected: Vec<String> = staying.iter().map(|number| format!("T{number}")).collect();
                prop_assert_eq!(of_staying.cloned().collect::<Vec<_>>(), expected);
            }
            Err(error) => {
                let is_told = matches!(
                    error.problem,
                    Problem::ListShifted { .. } | Problem::ListShrank { .. } | Problem::PageRepeats { .. }
                );
                prop_assert!(is_told, "{}", error);
            }
        }
    }
}

/// A page of rows with these numbers.
fn page_of(request: &Request, there: &BTreeSet<usize>, form: Form) -> Reaction {
    let (skip, limit) = (request.number("skip"), request.number("limit"));
    let list: Vec<String> = there
        .iter()
        .skip(skip)
        .take(limit)
        .map(|number| row(*number))
        .collect();
    let (list, count) = (list.join(","), there.len());
    match form {
        Form::Bare => json(200, format!("[{list}]")),
        _ => json(200, format!(r#"{{"results":[{list}],"count":{count}}}"#)),
    }
}

#[tokio::test]
async fn a_source_that_always_gives_the_same_page_is_noticed() {
    let server = Server::start(|_| json(200, format!("[{},{}]", row(1), row(2)))).await;
    let error = listings(&server, 2).await.unwrap_err();
    assert_eq!(error.problem, Problem::PageRepeats { skip: 1 });
    assert!(error.to_string().contains("the same page again"), "{error}");
    assert_eq!(server.count("/v1/listings"), 2);
}

#[tokio::test]
async fn a_count_that_announces_rows_which_never_come_is_noticed() {
    let server = Server::start(|request| page(request, 2, 2, Form::Says(5))).await;
    let error = listings(&server, 2).await.unwrap_err();
    let (expected, found) = (5, 2);
    assert_eq!(error.problem, Problem::ListShrank { expected, found });
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_count_of_the_page_alone_does_not_end_the_list() {
    let server = Server::start(|request| page(request, 4, 2, Form::Says(2))).await;
    assert_eq!(listings(&server, 2).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_page_that_does_not_begin_where_the_one_before_ended_is_an_error() {
    // The first row is removed once it was read, and another one put at the end.
    let shifted = |rows: Range<usize>, request: &Request| {
        let rows = rows.skip(request.number("skip")).take(2).map(row);
        format!(
            r#"{{"results":[{}],"count":4}}"#,
            rows.collect::<Vec<_>>().join(",")
        )
    };
    let server = Server::start(move |request| match request.number("skip") {
        0 => json(200, shifted(0..4, request)),
        _ => json(200, shifted(1..5, request)),
    })
    .await;
    let error = listings(&server, 2).await.unwrap_err();
    assert_eq!(error.problem, Problem::ListShifted { skip: 1 });
    assert!(
        error.is_transient() && error.to_string().contains("shifted"),
        "{error}"
    );
}

#[tokio::test]
async fn a_row_that_changes_between_two_pages_is_the_same_row_by_its_id() {
    let server = Server::start(|request| {
        let titles = ["a", "b", "c"]
            .iter()
            .enumerate()
            .skip(request.number("skip"));
        let row = |(number, title): (usize, &&str)| {
            format!(
                r#"{{"_id":"{number}","title":"{title}{}"}}"#,
                request.number("skip")
            )
        };
        json(
            200,
            format!(
                "[{}]",
                titles.take(2).map(row).collect::<Vec<_>>().join(",")
            ),
        )
    })
    .await;
    assert_eq!(listings(&server, 2).await.unwrap(), ["a0", "b0", "c1"]);
}

#[tokio::test]
async fn a_count_that_is_too_low_does_not_end_the_list() {
    let server = Server::start(|request| page(request, 7, 2, Form::Says(3))).await;
    assert_eq!(listings(&server, 2).await.unwrap().len(), 7);
}

#[tokio::test]
async fn a_source_that_goes_in_circles_is_noticed() {
    let server = Server::start(|request| match request.number("skip") % 3 {
        0 => json(200, format!("[{},{}]", row(1), row(2))),
        1 => json(200, format!("[{},{}]", row(2), row(3))),
        _ => json(200, format!("[{},{}]", row(3), row(1))),
    })
    .await;
    let error = listings(&server, 2).await.unwrap_err();
    assert_eq!(error.problem, Problem::PageRepeats { skip: 3 });
}

fn january() -> ReportQuery {
    let date = |text: &str| text.parse().unwrap();
    ReportQuery::dates(Window::new(date("2025-01-01"), date("2025-01-31")).unwrap())
}

#[tokio::test]
async fn the_report_is_found_under_either_path() {
    for path in [
        "/v1/payment-transactions/report",
        "/v1/payment-transactions/reports",
    ] {
        let server = Server::start(move |request| {
            if request.path != path {
                return json(404, "\"Cannot GET\"");
            }
            assert_eq!(request.parameter("startDate"), Some("2025-01-01"));
            assert_eq!(request.parameter("endDate"), Some("2025-01-31"));
            match request.number("skip") {
                0 => json(200, r#"[{"transactionId":"1"}]"#),
                _ => json(200, "[]"),
            }
        })
        .await;
        let rows = server.reader().transactions(&january());
        let ids = titles(rows, |row| row.transaction_id.text()).await.unwrap();
        assert_eq!(ids, ["1"]);
    }
}

#[tokio::test]
async fn a_report_that_is_nowhere_is_an_error() {
    let server = Server::start(|_| json(404, "\"Cannot GET\"")).await;
    let pages: Result<Vec<_>, _> = server.reader().payouts(&january()).try_collect().await;
    assert!(matches!(pages.unwrap_err().problem, Problem::NotFound(_)));
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_stream_ends_after_an_error() {
    let server = Server::start(|_| json(400, "\"no\"")).await;
    let mut pages = std::pin::pin!(server.reader().listings(&ListingQuery::default()));
    assert!(pages.try_next().await.is_err());
    assert!(pages.try_next().await.unwrap().is_none());
}
