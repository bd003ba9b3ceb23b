//! `nightaudit sandbox seed --listings`: a portfolio with life, and what it has come to.

use indicatif::{ProgressBar, ProgressStyle};
use payments::fixtures::{Group, PortfolioMade, PortfolioOrder, Progress};
use store::{Clock, SystemClock};

use crate::cli::{Common, Format};
use crate::config::Config;
use crate::desk::Desk;
use crate::error::CommandError;
use crate::output;

/// Makes it, and tells what it has come to.
pub(crate) async fn make(order: PortfolioOrder, common: Common) -> Result<(), CommandError> {
    // What makes no sense is said before anybody is asked.
    order.check(SystemClock.now())?;
    let config = Config::of(common.place)?;
    let bar = bar(&order)?;
    let told = bar.clone();
    let made = Desk::find(&config)
        .await?
        .portfolio(order, move |progress| show(&told, progress))
        .await;
    bar.finish_and_clear();
    let made = made?;
    match common.format {
        Format::Json => output::json(&made)?,
        Format::Table => tell(&made)?,
    }
    Ok(())
}

/// On stderr, and only where people read that.
fn bar(order: &PortfolioOrder) -> Result<ProgressBar, CommandError> {
    let style = "{elapsed_precise} {wide_bar} {pos}/{len} days, {msg}";
    let style = ProgressStyle::with_template(style).map_err(anyhow::Error::from)?;
    let bar = ProgressBar::no_length().with_style(style);
    bar.set_message(format!("0 of {} reservations", order.reservations));
    Ok(bar)
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.of.into());
    bar.set_position(progress.days.into());
    bar.set_message(format!("{} reservations", progress.reservations));
}

fn tell(made: &PortfolioMade) -> Result<(), CommandError> {
    let mut rows = vec![
        ("account".to_owned(), made.account.to_string()),
        ("seed".to_owned(), made.seed.to_string()),
        ("from".to_owned(), made.from.to_string()),
        ("until".to_owned(), made.until.to_string()),
        ("listings".to_owned(), made.listings.to_string()),
    ];
    let counted = made.counts.iter();
    rows.extend(counted.map(|group| (group.what.clone(), in_words(group))));
    for sums in &made.sums {
        let words = format!(
            "invoiced {}, paid {}, refunded {}, paid out {}",
            sums.invoiced, sums.paid, sums.refunded, sums.paid_out
        );
        rows.push((sums.currency.to_string(), words));
    }
    let examples = made.examples.iter();
    rows.extend(examples.map(|(name, id)| (name.clone(), format!("reservation {id}"))));
    let rows: Vec<(&str, &str)> = rows
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    output::table(&rows)?;
    output::note(format_args!(
        "Next: nightaudit app create --name NAME --account {}",
        made.account
    ));
    Ok(())
}

fn in_words(group: &Group) -> String {
    let parts = group
        .by
        .iter()
        .map(|(name, count)| format!("{name} {count}"));
    let parts: Vec<String> = parts.collect();
    format!("{} ({})", group.count, parts.join(", "))
}
