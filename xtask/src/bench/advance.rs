//! `cargo xtask bench advance`: how long a year takes in which reservations pay.
#![expect(clippy::print_stdout, reason = "the figures are what the task is for")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::server::Server;
use super::world::World;
use super::{Format, Place, build};
use crate::client::Client;
use crate::test::Engine;

const EXAMPLES: &str = "\
Examples:
    cargo xtask bench advance
    cargo xtask bench advance --engine sqlite --reservations 1000

Each reservation has two scheduled payments by card, on days spread over the year: of twenty, one is
declined, one is a hold that lapses, and one was paid at once and has a refund to come. All is made
through the API before the clock starts; then POST /sandbox/advance lets 365 days pass.";

/// When the guide's portfolio begins, in business time.
const BEGINS: &str = "2023-08-14";
/// Connections that make payments at the same time.
const MAKERS: usize = 32;

/// What to measure.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The database engines to measure.
    #[arg(long, value_enum, default_value_t = Engine::Both)]
    engine: Engine,
    /// How many reservations pay.
    #[arg(long, default_value_t = 10_000)]
    reservations: usize,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Measures, and prints what it found.
pub(super) fn run(args: &Args) -> Result<()> {
    let (binary, disk) = build()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    for engine in [Engine::Sqlite, Engine::Postgres] {
        if args.engine != engine && args.engine != Engine::Both {
            continue;
        }
        let place = Place::new(engine, &disk, &binary)?;
        let server = place.start()?;
        let (took, advanced) = runtime.block_on(measure(&server, args.reservations))?;
        server.stop()?;
        let totals = &advanced["totals"];
        match args.format {
            Format::Json => println!(
                "{}",
                json!({
                    "engine": place.name(),
                    "reservations": args.reservations,
                    "millis": u64::try_from(took.as_millis())?,
                    "totals": totals,
                })
            ),
            Format::Table => {
                let (name, count) = (place.name(), args.reservations);
                println!("{name}: a year of {count} reservations in {took:.1?}");
                for total in totals.as_array().into_iter().flatten() {
                    let (kind, result) = (&total["kind"], &total["result"]);
                    println!("  {:>7}  {kind} {result}", total["count"].to_string());
                }
            }
        }
    }
    Ok(())
}

/// The stored methods that are charged.
struct Cards {
    good: Value,
    declined: Value,
}

async fn measure(server: &Server, count: usize) -> Result<(Duration, Value)> {
    eprintln!("xtask: {count} reservations with two payments each");
    let mut world = World::make(server, "STRIPE", count).await?;
    let mut client = Client::connect(server.address(), Some(world.token())).await?;
    let cards = Arc::new(Cards {
        good: world.stored(&mut client, "pm_card_visa").await?,
        declined: world.stored(&mut client, "pm_card_chargeDeclined").await?,
    });
    let reservations: Arc<[String]> = world.take(count).into();
    let mut makers = Vec::with_capacity(MAKERS);
    for maker in 0..MAKERS {
        let client = Client::connect(server.address(), Some(world.token())).await?;
        let (cards, reservations) = (Arc::clone(&cards), Arc::clone(&reservations));
        makers.push(tokio::spawn(plan(client, maker, cards, reservations)));
    }
    for maker in makers {
        maker.await??;
    }
    eprintln!("xtask: a year passes");
    let started = Instant::now();
    let to = json!({ "by": "365d" });
    let advanced = client.make("/sandbox/advance", &to).await?;
    Ok((started.elapsed(), advanced))
}

/// Plans the payments of each thirty-second reservation.
async fn plan(
    mut client: Client,
    maker: usize,
    cards: Arc<Cards>,
    reservations: Arc<[String]>,
) -> Result<()> {
    let begins: chrono::NaiveDate = BEGINS.parse()?;
    // Days and hours that are spread evenly, and the same in each run.
    let due = |number: usize| {
        let minutes = 1440 + number * 7919 % (363 * 1440);
        let at = begins.and_time(chrono::NaiveTime::MIN)
            + chrono::Duration::minutes(i64::try_from(minutes).unwrap_or_default());
        at.and_utc().to_rfc3339()
    };
    let numbered = reservations.iter().enumerate();
    for (number, id) in numbered.skip(maker).step_by(MAKERS) {
        let path = format!("/v1/reservations/{id}/payments");
        let card = match number % 20 {
            7 => &cards.declined,
            _ => &cards.good,
        };
        for part in 0..2 {
            let payment = if number % 20 == 11 && part == 1 {
                json!({ "paymentMethod": card, "amount": 500, "isAuthorizationHold": true })
            } else {
                let due = due(2 * number + part);
                json!({ "paymentMethod": card, "amount": 500, "shouldBePaidAt": due })
            };
            client.make(&path, &payment).await?;
        }
        if number % 20 == 13 {
            let payment = json!({ "paymentMethod": card, "amount": 100 });
            let made = client.make(&path, &payment).await?;
            let payments = made["money"]["payments"].as_array();
            let paid = payments.and_then(|payments| payments.last());
            let paid = paid.and_then(|paid| paid["_id"].as_str());
            let paid = paid.context("the reply shows no payment")?;
            let refund = json!({ "amount": 40, "shouldBePaidAt": due(number) });
            client
                .make(&format!("{path}/{paid}/refund"), &refund)
                .await?;
        }
    }
    Ok(())
}
