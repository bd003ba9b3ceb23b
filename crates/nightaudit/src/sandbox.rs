//! `nightaudit sandbox`: portfolios to start from, and their time.

use payments::fixtures::PortfolioOrder;
use payments::{
    AdvanceOrder, Advanced, Happened, ResetOrder, TriggerOrder, TriggerRequest, Triggered,
};
use serde_json::{Value, json};

use crate::cli::{AdvanceArgs, Format, ResetArgs, SeedArgs, TriggerArgs};
use crate::config::Config;
use crate::desk::Desk;
use crate::error::CommandError;
use crate::{output, portfolio};

/// People are told of so much in full.
const LINES_MAX: usize = 50;

/// Makes a fixture, or a portfolio with life.
pub(crate) async fn seed(args: SeedArgs) -> Result<(), CommandError> {
    if let (Some(listings), Some(reservations)) = (args.listings, args.reservations) {
        let order = PortfolioOrder {
            account: args.account,
            listings,
            reservations,
            seed: args.seed,
            from: args.from,
        };
        return portfolio::make(order, args.common).await;
    }
    let fixture = args.fixture;
    let fixture =
        fixture.ok_or_else(|| CommandError::usage("say which: --fixture or --listings"))?;
    let config = Config::of(args.common.place)?;
    let name = fixture.name();
    let seeded = Desk::find(&config).await?.seed(fixture).await?;
    match args.common.format {
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
    let config = Config::of(args.common.place)?;
    let order = AdvanceOrder {
        account: args.account,
        by: args.by,
        to: args.to,
    };
    let advanced = Desk::find(&config).await?.advance(order).await?;
    match args.common.format {
        Format::Json => output::json(&advanced)?,
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

/// Empties an account. Whoever gave `--yes` meant it: the command line asks for it.
pub(crate) async fn reset(args: ResetArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let order = ResetOrder {
        account: args.account,
    };
    let reset = Desk::find(&config).await?.reset(order).await?;
    match args.common.format {
        Format::Json => output::json(&reset)?,
        Format::Table => output::line(format_args!(
            "account {} is empty; its business time is {}",
            reset.account, reset.now
        ))?,
    }
    Ok(())
}

/// Lets something happen.
pub(crate) async fn trigger(args: TriggerArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let order = TriggerOrder {
        account: args.account,
        request: TriggerRequest {
            name: args.name.name.to_owned(),
            listing: args.listing,
            reservation: args.reservation,
            payment: args.payment,
            transaction: args.transaction,
            payout: args.payout,
            amount: args.amount,
            code: args.code,
        },
    };
    let triggered = Desk::find(&config).await?.trigger(order).await?;
    match args.common.format {
        Format::Json => output::json(&triggered)?,
        Format::Table => tell_triggered(&triggered)?,
    }
    Ok(())
}

fn tell_triggered(triggered: &Triggered) -> Result<(), CommandError> {
    let told = serde_json::to_value(triggered).map_err(anyhow::Error::from)?;
    let Some(fields) = told.as_object() else {
        return Ok(());
    };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(ids) => {
            let ids: Vec<_> = ids.iter().filter_map(Value::as_str).collect();
            ids.join(", ")
        }
        other => other.to_string(),
    };
    let rows: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), text(value)))
        .collect();
    let rows: Vec<_> = rows
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Ok(output::table(&rows)?)
}
