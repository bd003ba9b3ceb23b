//! How much of the limits of our own server a sync at full speed uses, and whether it is ever refused.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::super::world::ACCOUNT;
use super::super::{Format, Place, Server, build};
use super::command::Command;
use crate::client::Client;
use crate::test::Engine;

/// Twenty years of two reports, a request for each month at least. More than ten years at once are
/// refused.
const SPANS: [[&str; 2]; 2] = [["2001-01-01", "2010-12-31"], ["2011-01-01", "2020-12-31"]];
/// Requests that are allowed at once and in each interval, and its seconds.
const LIMITS: [(u64, u64); 3] = [(15, 1), (120, 60), (5_000, 3_600)];
const PERCENT_MIN: u64 = 95;
/// The names of the server's metrics.
const REQUESTS: &str = "nightaudit_requests_total";
const REFUSED: &str = "nightaudit_requests_limited_total";

pub(super) fn run(format: Format) -> Result<()> {
    let (binary, disk) = build()?;
    let (source, books) = (
        Place::new(Engine::Sqlite, &disk, &binary)?,
        Place::new(Engine::Sqlite, &disk, &binary)?,
    );
    let server = Server::start_with(&binary, source.directory.path(), &source.url(), &[])?;
    server.run(&["sandbox", "seed", "--fixture", "guesty-docs"])?;
    let application = ["app", "create", "--name", "bench", "--account", ACCOUNT];
    let application = server.run(&[&application[..], &["--format", "json"]].concat())?;
    let text = |name: &str| {
        let text = application[name].as_str();
        text.with_context(|| format!("the new application has no {name}"))
    };
    let command = Command::at(&books);
    let url = format!("http://{}", server.address());
    command.connect(&url, text("client_id")?, text("client_secret")?)?;

    eprintln!("xtask: twenty years of reports; this takes about three minutes");
    let before = Counted::of(&server)?;
    let began = Instant::now();
    for [from, to] in SPANS {
        command.run(&[
            "sync",
            "payments",
            "--from",
            from,
            "--to",
            to,
            "--full-speed",
        ])?;
    }
    let took = began.elapsed();
    let after = Counted::of(&server)?;
    server.stop()?;
    let requests = after.reports - before.reports;
    let (allowed, refused) = (allowed(took), after.refused - before.refused);
    let percent = requests * 100 / allowed.max(1);
    let figures = json!({
        "requests": requests,
        "allowed": allowed,
        "percent": percent,
        "refused": refused,
        "millis": u64::try_from(took.as_millis())?,
    });
    print(format, &figures);
    ensure!(refused == 0, "the source refused {refused} requests");
    ensure!(
        percent >= PERCENT_MIN,
        "{percent} % of the allowed requests were made, not {PERCENT_MIN} %"
    );
    Ok(())
}

/// How many requests the limits allow in a time: in each interval so many, and the first of them at
/// once.
fn allowed(took: Duration) -> u64 {
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let each = LIMITS.map(|(limit, seconds)| limit + limit * millis / (seconds * 1_000));
    each.into_iter().min().unwrap_or_default()
}

/// What the server has counted.
struct Counted {
    reports: u64,
    refused: u64,
}

impl Counted {
    fn of(server: &Server) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let metrics = runtime.block_on(async {
            let mut client = Client::connect(server.address(), None).await?;
            let (_, body) = client.get("/metrics").await?;
            anyhow::Ok(String::from_utf8(body.to_vec())?)
        })?;
        let sum = |name: &str, of: &str| -> u64 {
            let lines = metrics
                .lines()
                .filter(|line| line.starts_with(name) && line.contains(of));
            let counts = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
            counts.sum()
        };
        ensure!(
            metrics.contains(REFUSED),
            "the server does not count refusals"
        );
        Ok(Self {
            reports: sum(REQUESTS, "payment-transactions"),
            refused: sum(REFUSED, ""),
        })
    }
}

fn print(format: Format, figures: &Value) {
    match format {
        Format::Json => println!("{figures:#}"),
        Format::Table => println!(
            "{} requests for pages of reports were answered in {} ms, {} % of the {} that the source's \
             limits allow in that time; {} were refused",
            figures["requests"],
            figures["millis"],
            figures["percent"],
            figures["allowed"],
            figures["refused"]
        ),
    }
}
