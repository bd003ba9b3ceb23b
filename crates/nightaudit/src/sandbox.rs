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
    let happened = &advanced.happened;
    output::table(&[
        ("account", advanced.account.as_str()),
        ("from", &advanced.from.to_string()),
        ("now", &advanced.now.to_string()),
        ("done", &happened.len().to_string()),
    ])?;
    for one in happened.iter().take(LINES_MAX) {
        output::line(in_words(one))?;
    }
    if happened.len() > LINES_MAX {
        let more = happened.len() - LINES_MAX;
        output::note(format_args!("… and {more} more: --format json tells all."));
    }
    Ok(())
}

fn in_words(one: &Happened) -> String {
    let refund = one.refund.map(|id| format!("  refund {id}"));
    let reason = one.reason.as_ref();
    let reason = reason.map(|reason| format!("  not done: {reason}"));
    format!(
        "{}  {:7}  {}  reservation {}  payment {}{}{}",
        one.at,
        one.kind.name(),
        one.result,
        one.reservation,
        one.payment,
        refund.unwrap_or_default(),
        reason.unwrap_or_default(),
    )
}
