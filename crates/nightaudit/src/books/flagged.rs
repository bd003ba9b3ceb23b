//! `nightaudit flagged`: what the books do not understand, a page at a time.

use books::connection::Connection;
use books::mirror::{Flagged, FlaggedCounts, FlaggedPage, Kind, Mirror};
use serde_json::json;

use crate::cli::{FlaggedArgs, Format};
use crate::config::Config;
use crate::error::CommandError;
use crate::{open, output};

/// Lists it.
pub(crate) async fn run(args: FlaggedArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let books = open::books_to_read(&config)?;
    let connection = books.choose(&args.which.into()).await?;
    let kinds = args.kind.map_or(Kind::ALL.to_vec(), |kind| vec![kind]);
    let (counts, page) = match books.chain(connection.id).await {
        // Nothing was read over it yet.
        Err(books::Error::NoChain(_)) => (FlaggedCounts::new(), FlaggedPage::default()),
        chain => {
            let mirror = Mirror::of(&chain?);
            let page = mirror.flagged(&kinds, args.after, args.limit.into());
            (mirror.count_flagged().await?, page.await?)
        }
    };
    match args.common.format {
        Format::Json => output::json(&json!({
            "connection": connection.id,
            "base_url": connection.base_url.to_string(),
            "counts": counts,
            "flagged": page.objects,
            "next": next(&page),
        })),
        Format::Table => tell(&connection, args.kind, &counts, &page),
    }
}

fn tell(
    connection: &Connection,
    kind: Option<Kind>,
    counts: &FlaggedCounts,
    page: &FlaggedPage,
) -> Result<(), CommandError> {
    let id = connection.id;
    output::line(format_args!(
        "connection {id} ({}), flagged: {}",
        connection.base_url,
        in_words(counts)
    ))?;
    for flagged in &page.objects {
        output::line(format_args!("not understood: {flagged}"))?;
    }
    if let Some(next) = next(page) {
        let kind = kind.map(|kind| format!(" {kind}")).unwrap_or_default();
        let next = next.replace('\'', r"'\''");
        output::line(format_args!(
            "there is more: nightaudit flagged{kind} --connection {id} --after '{next}'"
        ))?;
    }
    Ok(())
}

/// How much of each kind.
pub(super) fn in_words(counts: &FlaggedCounts) -> String {
    if counts.is_empty() {
        return "nothing".to_owned();
    }
    let of = |(kind, count): (&String, &i64)| format!("{kind} {count}");
    counts.iter().map(of).collect::<Vec<_>>().join(", ")
}

/// After which the next page begins.
fn next(page: &FlaggedPage) -> Option<String> {
    let last = page.objects.last().filter(|_| page.is_more)?;
    let Flagged { kind, id, .. } = last;
    Some(format!("{kind}/{id}"))
}
