//! The verbs and their flags.

#![expect(
    clippy::doc_markdown,
    reason = "the comments are the help, read in a terminal"
)]

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::Timestamp;
use contract::id::{AccountId, ListingId, PaymentId, ReservationId, WebhookAttemptId, WebhookId};
use money::Decimal;
use payments::fixtures::{Fixture, UnknownFixture};
use payments::{Span, TRIGGERS, Trigger};

const EXAMPLES: &str = "\
Examples:
  nightaudit demo
  nightaudit serve
  nightaudit serve --listen 127.0.0.1:0 --data ./trial
  nightaudit serve --database postgres://nightaudit@db.example/nightaudit --key-file /etc/nightaudit/key
  nightaudit app create --name books --format json
  nightaudit sandbox seed --fixture guesty-docs
  nightaudit sandbox seed --listings 20 --reservations 1000
  nightaudit sandbox advance 7d
  nightaudit webhooks attempts 65f0c1d2a3b4c5d6e7f80912

Every flag of a server can also come from the environment (NIGHTAUDIT_LISTEN, NIGHTAUDIT_DATA, …) or
from a TOML file named by --config; a flag wins over the environment, and that over the file.

Exit codes:
  0  done
  1  it could not be done: the database, the disk or the network failed
  2  the command line or the configuration makes no sense
  3  refused, and nothing changed: no such account, made already, a server has the data directory";

const DEMO_HELP: &str = "\
The demo makes a fresh portfolio on an embedded database in a temporary directory, which goes away
with it. Each step shows the request that made it; the payment methods, the reservation and its code
are those of the Open API's guide to posting a guest payment.

Examples:
  nightaudit demo
  nightaudit demo --once && echo 'every step held'";

/// The nightly close for vacation rentals: a payments platform that speaks the Guesty Open API.
#[derive(Debug, Parser)]
#[command(name = "nightaudit", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// What to log to stderr: a level, or levels of parts (`info,payments=debug`) [default: info; warn
    /// in the demo].
    #[arg(long, global = true, env = "NIGHTAUDIT_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,

    /// How a line of the log is written.
    #[arg(
        long,
        global = true,
        env = "NIGHTAUDIT_LOG_FORMAT",
        value_enum,
        default_value_t = LogFormat::Text
    )]
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tells the story of a guest's payment against a server of its own, then keeps serving.
    Demo(DemoArgs),
    /// Serves the API until Ctrl-C or SIGTERM; requests in flight are finished first.
    Serve(ServeArgs),
    /// The applications that ask for tokens.
    #[command(subcommand)]
    App(AppCommand),
    /// The sandbox's portfolios and their time.
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// What was sent to subscribers of webhooks, and sending it again.
    #[command(subcommand)]
    Webhooks(WebhooksCommand),
    /// The key that seals the platform's secrets.
    #[command(subcommand)]
    Key(KeyCommand),
}

#[derive(Debug, Args)]
#[command(after_help = DEMO_HELP)]
pub(crate) struct DemoArgs {
    /// End after the story: with exit code 0 only if every step held.
    #[arg(long)]
    pub(crate) once: bool,

    /// Where to listen [default: 127.0.0.1:8080, or a free port where that is taken].
    #[arg(long, env = "NIGHTAUDIT_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}

/// Where the data is.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The data directory; one server at a time has it [default: nightaudit-data].
    #[arg(long, env = "NIGHTAUDIT_DATA", value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// The database, sqlite:DIR or postgres://USER@HOST/DATABASE [default: SQLite files in the data
    /// directory].
    #[arg(
        long,
        env = "NIGHTAUDIT_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    // Read later: what is refused here, is repeated on the terminal with its password.
    pub(crate) database: Option<String>,

    /// The file with the key that seals secrets [default: the key in NIGHTAUDIT_KEY, else DIR/key,
    /// which is made when absent].
    #[arg(long, env = "NIGHTAUDIT_KEY_FILE", value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,

    /// A TOML file with what is not given by flag or environment.
    #[arg(long, env = "NIGHTAUDIT_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 picks a free one [default: 127.0.0.1:8080].
    #[arg(long, env = "NIGHTAUDIT_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,

    #[command(flatten)]
    pub(crate) place: Place,

    /// How many tokens an application may ask for in 24 hours [default: 5].
    #[arg(long, env = "NIGHTAUDIT_TOKENS_PER_DAY", value_name = "COUNT")]
    pub(crate) tokens_per_day: Option<NonZeroU32>,

    /// Whether reports print amounts as texts ("1000.00") [default: false].
    #[arg(
        long,
        env = "NIGHTAUDIT_REPORT_AMOUNTS_AS_TEXT",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub(crate) report_amounts_as_text: Option<bool>,

    /// Whether webhooks may be sent to private addresses and over plain HTTP: for receivers on the
    /// same machine or network, never where others may subscribe [default: false].
    #[arg(
        long,
        env = "NIGHTAUDIT_ALLOW_PRIVATE_WEBHOOKS",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub(crate) allow_private_webhooks: Option<bool>,

    /// How many webhooks an account may have [default: 20].
    #[arg(long, env = "NIGHTAUDIT_WEBHOOKS_MAX", value_name = "COUNT")]
    pub(crate) webhooks_max: Option<NonZeroU32>,

    /// For how many days messages and attempts to send them are kept [default: 30].
    #[arg(long, env = "NIGHTAUDIT_WEBHOOK_DAYS", value_name = "DAYS")]
    pub(crate) webhook_days: Option<NonZeroU32>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,

    #[command(flatten)]
    pub(crate) connections: ConnectionArgs,
}

/// What is granted to clients that are many, silent or slow.
#[derive(Debug, Args)]
pub(crate) struct ConnectionArgs {
    /// How many connections there may be; further ones wait until one ends [default: 512].
    #[arg(long, env = "NIGHTAUDIT_CONNECTIONS_MAX", value_name = "COUNT")]
    pub(crate) connections_max: Option<NonZeroU32>,

    /// For how long a connection may be silent, or take for the head of its next request [default:
    /// 60].
    #[arg(long, env = "NIGHTAUDIT_IDLE_SECONDS", value_name = "SECONDS")]
    pub(crate) idle_seconds: Option<NonZeroU32>,

    /// How long the body of a request may take to arrive, and a client to read on in a reply
    /// [default: 30].
    #[arg(long, env = "NIGHTAUDIT_SLOW_SECONDS", value_name = "SECONDS")]
    pub(crate) slow_seconds: Option<NonZeroU32>,
}

/// How many requests an account may make of this server.
#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    /// No limits: for tests and benchmarks.
    #[arg(
        long,
        env = "NIGHTAUDIT_NO_LIMITS",
        value_name = "BOOL",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub(crate) no_limits: Option<bool>,

    /// How many requests an account may make in a second [default: 15].
    #[arg(long, env = "NIGHTAUDIT_REQUESTS_PER_SECOND", value_name = "COUNT")]
    pub(crate) requests_per_second: Option<NonZeroU32>,

    /// How many in a minute [default: 120].
    #[arg(long, env = "NIGHTAUDIT_REQUESTS_PER_MINUTE", value_name = "COUNT")]
    pub(crate) requests_per_minute: Option<NonZeroU32>,

    /// How many in an hour [default: 5000].
    #[arg(long, env = "NIGHTAUDIT_REQUESTS_PER_HOUR", value_name = "COUNT")]
    pub(crate) requests_per_hour: Option<NonZeroU32>,

    /// How many side by side [default: 15].
    #[arg(long, env = "NIGHTAUDIT_REQUESTS_AT_ONCE", value_name = "COUNT")]
    pub(crate) requests_at_once: Option<NonZeroU32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Lists the webhooks of all accounts. Works while a server runs.
    List(WebhookListArgs),
    /// Lists what was sent to a webhook and what came of it, the newest first. Works while a server
    /// runs.
    Attempts(WebhookAttemptsArgs),
    /// Has the message of an attempt sent again, under the same id, by the server that runs or the
    /// next that does.
    Replay(WebhookReplayArgs),
}

#[derive(Debug, Args)]
pub(crate) struct WebhookListArgs {
    /// The account whose they are [default: all].
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct WebhookAttemptsArgs {
    /// The webhook.
    #[arg(value_name = "ID")]
    pub(crate) webhook: WebhookId,

    /// How many, at most.
    #[arg(long, value_name = "COUNT", default_value_t = 25,
          value_parser = clap::value_parser!(i64).range(1..=1000))]
    pub(crate) limit: i64,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct WebhookReplayArgs {
    /// The attempt.
    #[arg(value_name = "ID")]
    pub(crate) attempt: WebhookAttemptId,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AppCommand {
    /// Makes an application and shows its secret, this once. Works while a server runs.
    Create(AppCreateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AppCreateArgs {
    /// What people call it.
    #[arg(long)]
    pub(crate) name: String,

    /// The account whose it is [default: the only one; a new one where there is none].
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,

    /// The listings that it may see, by their ids with commas between [default: all].
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub(crate) listings: Option<Vec<ListingId>>,

    /// What its tokens may be good for, with commas between [default: open-api].
    #[arg(long, value_name = "SCOPE,…", value_delimiter = ',')]
    pub(crate) scopes: Option<Vec<String>>,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) place: Place,
}

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

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) place: Place,
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

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) place: Place,
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

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) place: Place,
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
    #[arg(long, value_name = "DATE", conflicts_with = "fixture")]
    pub(crate) from: Option<NaiveDate>,

    /// The account that gets it, which must be empty [default: a new one].
    #[arg(long, value_name = "ID", conflicts_with = "fixture")]
    pub(crate) account: Option<AccountId>,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) place: Place,
}

fn fixture(name: &str) -> Result<Fixture, UnknownFixture> {
    name.parse()
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Puts a fresh key on the key file's first line and seals all secrets anew under it. No server
    /// may run meanwhile. The former keys stay in the file for backups of the database.
    Rotate(KeyArgs),
    /// Seals anew what is not under the first key yet, as after a new one was put before the old by
    /// hand. No server may run meanwhile.
    Reseal(KeyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    pub(crate) place: Place,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For programs: a JSON object on each line.
    Json,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs: one JSON object on one line.
    Json,
}
