//! The verbs and their flags.

#![expect(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "the comments are the help, read in a terminal"
)]

mod app;
mod books;
mod count;
mod demo;
mod flagged;
mod key;
mod records;
mod sandbox;
mod serve;
mod webhooks;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use app::{AppCommand, AppCreateArgs};
pub(crate) use books::{
    ConnectArgs, DisconnectArgs, PortfolioAddArgs, PortfolioCommand, PortfolioListArgs,
    RefreshArgs, StatusArgs, Which,
};
pub(crate) use count::Count;
pub(crate) use demo::DemoArgs;
pub(crate) use flagged::FlaggedArgs;
pub(crate) use key::{KeyArgs, KeyCommand};
pub(crate) use records::{HistoryArgs, RebuildArgs, SyncArgs, VerifyArgs};
pub(crate) use sandbox::{AdvanceArgs, ResetArgs, SandboxCommand, SeedArgs, TriggerArgs};
pub(crate) use serve::{ConnectionArgs, LimitArgs, ServeArgs, System};
pub(crate) use webhooks::{
    WebhookAttemptsArgs, WebhookListArgs, WebhookReplayArgs, WebhooksCommand,
};

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
  nightaudit connect --client-id 0oa5bil430x8zLzWB5d7 --client-secret-stdin < secret
  nightaudit sync
  nightaudit history reservation HMABC123

Every flag of a server can also come from the environment (NIGHTAUDIT_LISTEN, NIGHTAUDIT_DATA, …) or
from a TOML file named by --config; a flag wins over the environment, and that over the file.

Exit codes:
  0  done
  1  it could not be done: the database, the disk or the network failed
  2  the command line or the configuration makes no sense
  3  refused, and nothing changed: no such account, made already, a server has the data directory
  4  done, but not well: a light of the connection is red, or not all could be read
  5  the books do not hold: a record is not as it was appended, or a mirror not as its evidence says
  6  all was read and is kept, but some of it is not understood, such as a status that nobody documents";

/// The nightly close for vacation rentals: a payments platform that speaks the Guesty Open API, and
/// books that mirror such an account.
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
    /// Connects the books to an account that speaks the Open API, and looks whether that works. Works
    /// while a server runs.
    Connect(ConnectArgs),
    /// Shows whether a connection works: three lights, as they were when somebody last looked. Works
    /// while a server runs.
    Status(StatusArgs),
    /// Looks again whether a connection works, and registers its webhook if need be. Works while a
    /// server runs.
    Refresh(RefreshArgs),
    /// Removes the credentials of a connection and its webhook; what was read stays. Works while a
    /// server runs.
    Disconnect(DisconnectArgs),
    /// Reads the account until the books are up to date. Works while a server runs.
    Sync(SyncArgs),
    /// Checks that the evidence is as it was appended, and names the first record that is not.
    Verify(VerifyArgs),
    /// Folds the evidence into a new mirror and compares it with the old one. Works while a server
    /// runs.
    Rebuild(RebuildArgs),
    /// Shows what was known of a reservation or of something else, since when, and by which record.
    History(HistoryArgs),
    /// Lists what was read and is not understood, and what is wrong with it.
    Flagged(FlaggedArgs),
    /// The portfolios of the books: connections whose books are kept together.
    #[command(subcommand)]
    Portfolio(PortfolioCommand),
    /// The key that seals the secrets of both systems.
    #[command(subcommand)]
    Key(KeyCommand),
}

/// What every command takes that prints a result.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) place: Place,
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
