//! `nightaudit serve` and its flags.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::{Count, Place};

/// One of the two systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum System {
    /// The platform that speaks the Open API, with its sandbox.
    Payments,
    /// The books, which mirror accounts.
    Books,
}

impl System {
    /// As it is called on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Books => "books",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Serve one of the two systems only; the databases of the other are not opened [default: both].
    #[arg(long, env = "NIGHTAUDIT_ONLY", value_name = "SYSTEM", value_enum)]
    pub(crate) only: Option<System>,

    /// Where to listen; port 0 picks a free one [default: 127.0.0.1:8080].
    #[arg(long, env = "NIGHTAUDIT_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,

    /// The address under which sources reach this server from outside, such as
    /// https://books.example.com: there the books' webhooks are registered. Commands that connect
    /// while no server runs heed the environment (NIGHTAUDIT_PUBLIC_URL) and the TOML file.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// How often the books look for what no webhook told them [default: 15].
    #[arg(long, env = "NIGHTAUDIT_SWEEP_MINUTES", value_name = "MINUTES")]
    pub(crate) sweep_minutes: Option<Count>,

    #[command(flatten)]
    pub(crate) place: Place,

    /// How many tokens an application may ask for in 24 hours [default: 5].
    #[arg(long, env = "NIGHTAUDIT_TOKENS_PER_DAY", value_name = "COUNT")]
    pub(crate) tokens_per_day: Option<Count>,

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
    pub(crate) webhooks_max: Option<Count>,

    /// For how many days messages and attempts to send them are kept [default: 30].
    #[arg(long, env = "NIGHTAUDIT_WEBHOOK_DAYS", value_name = "DAYS")]
    pub(crate) webhook_days: Option<Count>,

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
    pub(crate) connections_max: Option<Count>,

    /// For how long a connection may be silent, or take for the head of its next request [default:
    /// 60].
    #[arg(long, env = "NIGHTAUDIT_IDLE_SECONDS", value_name = "SECONDS")]
    pub(crate) idle_seconds: Option<Count>,

    /// How long the body of a request may take to arrive, and a client to read on in a reply
    /// [default: 30].
    #[arg(long, env = "NIGHTAUDIT_SLOW_SECONDS", value_name = "SECONDS")]
    pub(crate) slow_seconds: Option<Count>,
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
    pub(crate) requests_per_second: Option<Count>,

    /// How many in a minute [default: 120].
    #[arg(long, env = "NIGHTAUDIT_REQUESTS_PER_MINUTE", value_name = "COUNT")]
    pub(crate) requests_per_minute: Option<Count>,

    /// How many in an hour [default: 5000].
    #[arg(long, env = "NIGHTAUDIT_REQUESTS_PER_HOUR", value_name = "COUNT")]
    pub(crate) requests_per_hour: Option<Count>,

    /// How many side by side [default: 15].
    #[arg(long, env = "NIGHTAUDIT_REQUESTS_AT_ONCE", value_name = "COUNT")]
    pub(crate) requests_at_once: Option<Count>,
}
