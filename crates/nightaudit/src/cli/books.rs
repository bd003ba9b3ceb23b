//! The commands of the books: connections and portfolios.

use clap::{Args, Subcommand};
use contract::id::ConnectionId;

use super::Common;

const CONNECT_HELP: &str = "\
The secret is read from stdin, never from the command line or the environment, where others may see
it. On a terminal it is asked for, and not shown.

Connecting again with the same portfolio, address and client id replaces the secret; so does
connecting with another application of the same account. Evidence and mirror stay. Once credentials
work, those at the same address that never did and are refused, such as those of a mistyped client
id, are removed, which is said on stderr.

Where the account can be read, its properties and taxes are; nightaudit sync reads the rest.

Exit code 4 says that the credentials are saved, but a light is red, or not all could be read; 6 that
all is well, but some of what was read is not understood.

Examples:
  nightaudit connect --client-id 0oa5bil430x8zLzWB5d7 --client-secret-stdin < secret
  nightaudit connect --client-id 0oa5bil430x8zLzWB5d7 --client-secret-stdin \\
      --webhook-url https://books.example.com < secret
  nightaudit connect --base-url http://127.0.0.1:8080 --client-id 65f0… --client-secret-stdin";

const STATUS_HELP: &str = "\
It shows what was seen when somebody last looked, and asks nobody: nightaudit refresh looks again.
Exit code 4 says that a light is red. With --format json it prints
{\"lights\":{\"admin\":{\"ok\":true,\"message\":…},\"oauth\":…,\"webhook\":…},\"last_sync\":…,…}.

Examples:
  nightaudit status
  nightaudit status --format json | jq .lights.webhook
  nightaudit status --all";

const DISCONNECT_HELP: &str = "\
Removes the secret and the token here and the webhook at the source. Evidence and mirror stay, and
connecting the same account again goes on with them. Exit code 4 says that a webhook may be left at
the source, and which.

Examples:
  nightaudit disconnect
  nightaudit disconnect --portfolio Beach --yes";

/// Which connection is meant.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The name of its portfolio [default: the only one].
    #[arg(long, value_name = "NAME")]
    pub(crate) portfolio: Option<String>,

    /// Its id [default: the only one of the portfolio, or the only one that is connected].
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<ConnectionId>,
}

#[derive(Debug, Args)]
#[command(after_help = CONNECT_HELP)]
pub(crate) struct ConnectArgs {
    /// Where the API is [default: https://open-api.guesty.com].
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,

    /// The client id of an application of the account.
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,

    /// Read the application's client secret from stdin.
    #[arg(long, required = true)]
    pub(crate) client_secret_stdin: bool,

    /// The name of the portfolio that the connection belongs to [default: the only one; "main",
    /// which is made, where there is none].
    #[arg(long, value_name = "NAME")]
    pub(crate) portfolio: Option<String>,

    /// The address under which the source reaches us, such as https://books.example.com; "server"
    /// means the server's own, its --public-url [default: as it was; at first "server"].
    #[arg(long, value_name = "BASE")]
    pub(crate) webhook_url: Option<String>,

    /// Do not read the properties and taxes at once.
    #[arg(long)]
    pub(crate) no_sync: bool,

    /// Send the secret over plain http:// to another machine too: whoever listens in between learns
    /// it.
    #[arg(long)]
    pub(crate) trust_network: bool,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = STATUS_HELP)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) which: Which,

    /// Show all connections of all portfolios: as JSON, a list.
    #[arg(long, conflicts_with_all = ["portfolio", "connection"])]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct RefreshArgs {
    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = DISCONNECT_HELP)]
pub(crate) struct DisconnectArgs {
    /// Do not ask whether that is meant.
    #[arg(long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PortfolioCommand {
    /// Lists the portfolios with their connections. Works while a server runs.
    List(PortfolioListArgs),
    /// Makes a portfolio. Works while a server runs.
    Add(PortfolioAddArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PortfolioListArgs {
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct PortfolioAddArgs {
    /// What people call it.
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) common: Common,
}
