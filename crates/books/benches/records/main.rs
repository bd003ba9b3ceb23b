//! A long chain of small records, verified and folded anew: how long each takes, and how much memory.
//! It says so on one line of JSON for each step.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that cannot go on stops, and says where"
)]

mod stay;

use std::sync::Arc;
use std::time::Instant;

use books::Books;
use books::evidence::{Chain, Verdict};
use books::mirror::Mirror;
use bytes::Bytes;
use clap::Parser;
use contract::Timestamp;
use diesel::{RunQueryDsl, sql_query};
use futures_util::StreamExt;
use guesty::Reply;
use serde_json::json;
use store::{DatabaseUrl, Lock, SystemClock, both};
use vault::{Key, Keyring, Vault};

/// The program's own.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many records are appended together.
const TOGETHER: usize = 1_000;
/// The chain's connection.
const CHAIN: &str = "64da246c7a5a2d00331a5b1c";
/// How many batches are under way.
const AT_ONCE: usize = 4;

#[derive(Parser)]
#[command(about = "A long chain of small records, verified and folded anew")]
struct Args {
    /// Where the database is: `sqlite:DIRECTORY` or `postgres://…`. If it is empty, the chain is
    /// appended first; a second run then shows the memory of the other steps alone.
    #[arg(long)]
    database: DatabaseUrl,
    /// How many records the chain has: replies of one reservation each.
    #[arg(long, default_value_t = 100_000)]
    records: usize,
    /// How many reservations they are about.
    #[arg(long, default_value_t = 100_000)]
    reservations: usize,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    // No secret: the next run goes on with the same chain.
    let keys = Keyring::new(Key::from_bytes(&[1; 32]), vec![]);
    let vault = Arc::new(Vault::new(keys));
    let books = Books::open(&args.database, vault, Arc::new(SystemClock)).unwrap();
    let chain = books.begin_chain(CHAIN.parse().unwrap()).await.unwrap();
    if chain.tip().await.unwrap().length == 0 {
        measured("append", append(&chain, &args)).await;
    }
    measured("verify", verify(&chain)).await;
    measured("rebuild", rebuild(&chain)).await;
    lose(&books).await;
    measured("rebuild a lost mirror", rebuild_lost(&chain)).await;
}

/// Appends them, some batches at once: what is wanted is the chain, not the time.
async fn append(chain: &Chain, args: &Args) {
    let starts = (0..args.records).step_by(TOGETHER);
    let appends = starts.map(|start| {
        let numbers = start..args.records.min(start + TOGETHER);
        let replies: Vec<Reply> = numbers.map(|number| reply(number, args)).collect();
        let mirror = Mirror::of(chain);
        tokio::spawn(async move { mirror.take_in(&replies).await.unwrap() })
    });
    let mut appends = futures_util::stream::iter(appends).buffer_unordered(AT_ONCE);
    while let Some(appended) = appends.next().await {
        appended.unwrap();
    }
}

async fn verify(chain: &Chain) {
    let verdict = chain.verify(None, |_| ()).await.unwrap();
    assert!(matches!(verdict, Verdict::Sound { .. }), "{verdict:?}");
}

async fn rebuild(chain: &Chain) {
    let rebuilt = Mirror::of(chain).rebuild(|_| ()).await.unwrap();
    assert_eq!(rebuilt.before, Some(rebuilt.after));
}

/// All that was folded is gone; what it was folded from stays.
async fn lose(books: &Books) {
    let lost = books.store().write(Lock::none(), |c| {
        for table in ["version", "object", "mirror"] {
            let delete = sql_query(format!("DELETE FROM {table}"));
            both!(c, c => delete.execute(c))?;
        }
        Ok::<_, store::Error>(())
    });
    lost.await.unwrap();
}

async fn rebuild_lost(chain: &Chain) {
    let rebuilt = Mirror::of(chain).rebuild(|_| ()).await.unwrap();
    assert_eq!(rebuilt.before, None);
}

/// The reply by which a reservation becomes known, or known otherwise.
fn reply(number: usize, args: &Args) -> Reply {
    let (round, stay) = (number / args.reservations, number % args.reservations);
    Reply {
        request: format!("/v1/reservations/{}?fields=money", stay::id(stay)),
        status: 200,
        body: Bytes::from(stay::stay(stay, round)),
        received_at: Timestamp::from_millis(1_790_000_000_000 + i64::try_from(number).unwrap()),
        sent_at: None,
        request_id: None,
    }
}

/// Says how long a step took, and the most memory that the process had meanwhile.
async fn measured(step: &str, work: impl Future<Output = ()>) {
    forget_peak();
    let (began, worked) = (Instant::now(), processor_millis());
    work.await;
    let said = json!({
        "step": step,
        "millis": u64::try_from(began.elapsed().as_millis()).unwrap(),
        "processorMillis": processor_millis().zip(worked).map(|(now, then)| now - then),
        "peakKib": peak_kib(),
    });
    println!("{said}");
}

/// How long processors worked for this process, for the system on its behalf too, where Linux tells:
/// the twelfth and thirteenth field after its name, in hundredths of a second.
fn processor_millis() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks = ticks.map(|count| count.parse::<u64>().ok());
    ticks.sum::<Option<u64>>().map(|ticks| ticks * 10)
}

/// The most memory that this process had since that was last forgotten, where Linux tells.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

fn forget_peak() {
    // Elsewhere than on Linux there is nothing to forget.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
