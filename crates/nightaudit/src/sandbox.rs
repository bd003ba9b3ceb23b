//! `nightaudit sandbox`: portfolios to start from, and their time.

use payments::{AdvanceOrder, Advanced, Happened};
use serde_json::json;

use crate::cli::{AdvanceArgs, Format, SeedArgs};
use crate::config::Config;
use crate::desk::Desk;
use crate::error::CommandError;
use crate::output;

/// People are told of so much in full.
const LINES_MAX: usize = 50;

/// Makes a fixture.
pub(crate) async fn seed(args: SeedArgs) -> Result<(), CommandError> {
    let config = Config::of(args.place)?;
    let name = args.fixture.name();
    let seeded = Desk::find(&config).await?.seed(args.fixture).await?;
    match args.format {
        Format::Json => {
            output::line(json!({"fixture": name, "account": seeded.account}))?;
        }
        Format::Table => {
            output::table(&[("fixture", name), ("account", seeded.account.as_str())])?;
            output::note(format_args!(
                "Next: nightaudit app create --name NAME --account {}",
                seeded.account
            ));
        }
    }
    Ok(())
}

/// Lets business time pass.
pub(crate) async fn advance(args: AdvanceArgs) -> Result<(), CommandError> {
    let config = Config::of(args.place)?;
    let order = AdvanceOrder {
        account: args.account,
        by: args.by,
        to: args.to,
    };
    let advanced = Desk::find(&config).await?.advance(order).await?;
    match args.format {
        Format::Json => {
            let text = serde_json::to_string(&advanced).map_err(anyhow::Error::from)?;
            output::line(text)?;
        }
        Format::Table => tell(&advanced)?,
    }
    Ok(())
}

fn tell(advanced: &Advanced) -> Result<(), CommandError> {
    output::table(&[
        ("account", advanced.account.as_str()),
        ("from", &advanced.from.to_string()),
        ("now", &advanced.now.to_string()),
    ])?;
    for total in &advanced.totals {
        let (kind, result) = (total.kind.name(), &total.result);
        output::line(format_args!("{:>8}  {kind:10}  {result}", total.count))?;
    }
    let happened = &advanced.happened;
    for one in happened.iter().take(LINES_MAX) {
        output::line(in_words(one))?;
    }
    let untold = happened.len().saturating_sub(LINES_MAX) as u64 + advanced.more;
    if untold > 0 {
        output::note(format_args!(
            "… and {untold} more: the reports and the reservations have them."
        ));
    }
    Ok(())
}

fn in_words(one: &Happened) -> String {
    let named = [
        ("reservation", one.reservation.map(|id| id.to_string())),
        ("payment", one.payment.map(|id| id.to_string())),
        ("refund", one.refund.map(|id| id.to_string())),
        ("sub-account", one.sub_account.clone()),
        ("settled", one.settled.map(|count| count.to_string())),
        ("released", one.released.clone()),
        ("payout", one.payout.clone()),
        ("chargeback", one.transaction.clone()),
        ("amount", one.amount.clone()),
        ("not done:", one.reason.clone()),
    ];
    let named = named
        .into_iter()
        .filter_map(|(name, value)| Some(format!("  {name} {}", value?)));
    let (at, kind, result) = (one.at, one.kind.name(), &one.result);
    format!("{at}  {kind:10}  {result}{}", named.collect::<String>())
}
