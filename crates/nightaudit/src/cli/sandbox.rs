//! `nightaudit sandbox`.

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use contract::Timestamp;
use contract::id::{AccountId, ListingId, PaymentId, ReservationId};
use money::Decimal;
use payments::fixtures::{Fixture, UnknownFixture};
use payments::{Span, TRIGGERS, Trigger};

use super::Common;

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    /// Makes a portfolio to start from, once. Works while a server runs.
    Seed(SeedArgs),
    /// Lets an account's business time pass: what is due on the way is done in its order, each thing
    /// as of its own instant. Works while a server runs.
    Advance(AdvanceArgs),
    /// Lets something happen: a booking, a decline, a dispute, a payout that comes back. Works while a
    /// server runs.
    #[command(after_long_help = triggers(), after_help = "The names, and what each takes: --help")]
    Trigger(Box<TriggerArgs>),
    /// Takes away all that an account has, but not the account: its applications, tokens, providers and
    /// webhooks stay, and its clock is wall time again. Works while a server runs.
    Reset(ResetArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    /// Yes, take it all away.
    #[arg(long, required = true)]
    pub(crate) yes: bool,

    /// The account to empty [default: the only one].
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,

    #[command(flatten)]
    pub(crate) common: Common,
}

fn triggers() -> String {
    let mut text = "Triggers:\n".to_owned();
    for trigger in TRIGGERS {
        let takes: Vec<_> = trigger
            .takes
            .iter()
            .map(|name| format!("--{name}"))
            .collect();
        text.extend([
            "  ",
            trigger.name,
            " (",
            &takes.join(", "),
            ")\n      ",
            trigger.about,
            "\n",
        ]);
    }
    text
}

#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// What is to happen.
    pub(crate) name: Trigger,

    /// The listing where it happens.
    #[arg(long, value_name = "ID")]
    pub(crate) listing: Option<ListingId>,

    /// The reservation that it happens to.
    #[arg(long, value_name = "ID")]
    pub(crate) reservation: Option<ReservationId>,

    /// The payment that it happens to.
    #[arg(long, value_name = "ID")]
    pub(crate) payment: Option<PaymentId>,

    /// The processor's transaction that it happens to.
    #[arg(long, value_name = "ID")]
    pub(crate) transaction: Option<String>,

    /// The payout that it happens to.
    #[arg(long, value_name = "ID")]
    pub(crate) payout: Option<String>,

    /// How much.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) amount: Option<Decimal>,

    /// Why, as banks and processors number it.
    #[arg(long)]
    pub(crate) code: Option<String>,

    /// The account in which it happens [default: the only one].
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct AdvanceArgs {
    /// For how long: 90m, 12h, 7d, 2w, 1d12h, P7D …
    #[arg(
        value_name = "SPAN",
        required_unless_present = "to",
        conflicts_with = "to",
        allow_hyphen_values = true
    )]
    pub(crate) by: Option<Span>,

    /// Until when, as 2023-09-01T12:00:00Z. Asked for again, it goes on where it was interrupted.
    #[arg(long, value_name = "INSTANT")]
    pub(crate) to: Option<Timestamp>,

    /// The account whose time it is [default: the only one].
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct SeedArgs {
    /// A portfolio that is printed somewhere: guesty-docs is that of the guide to posting a guest
    /// payment.
    #[arg(long, value_parser = fixture, required_unless_present = "listings")]
    pub(crate) fixture: Option<Fixture>,

    /// A portfolio with life, from the past until now: so many listings.
    #[arg(
        long,
        value_name = "COUNT",
        conflicts_with = "fixture",
        requires = "reservations"
    )]
    pub(crate) listings: Option<u32>,

    /// And so many reservations.
    #[arg(
        long,
        value_name = "COUNT",
        conflicts_with = "fixture",
        requires = "listings"
    )]
    pub(crate) reservations: Option<u32>,

    /// What chance begins with: the same seed has the same portfolio.
    #[arg(long, default_value_t = 1, conflicts_with = "fixture")]
    pub(crate) seed: u64,

    /// The first day, as 2025-05-21 [default: 18 months ago].
    #[arg(long, value_name = "DATE", conflicts_with = "fixture", value_parser = super::records::date)]
    pub(crate) from: Option<NaiveDate>,

    /// The account that gets it, which must be empty [default: a new one].
    #[arg(long, value_name = "ID", conflicts_with = "fixture")]
    pub(crate) account: Option<AccountId>,

    #[command(flatten)]
    pub(crate) common: Common,
}

fn fixture(name: &str) -> Result<Fixture, UnknownFixture> {
    name.parse()
}
