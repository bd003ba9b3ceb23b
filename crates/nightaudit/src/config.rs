//! What a command works with: flags over the environment (which the command line has merged) over
//! the TOML file over defaults.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use books::connection::WebhookBase;
use books::jobs::JobSettings;
use chrono::TimeDelta;
use payments::{PrivateWebhooks, RateLimits, Settings};
use serde::Deserialize;
use store::DatabaseUrl;
use vault::{KEY_VARIABLE, KeySource};

use crate::cli::{ConnectionArgs, Count, LimitArgs, Place, ServeArgs, System};
use crate::connections::ConnectionLimits;
use crate::error::CommandError;

/// Where the address is that the source reaches the server under.
const PUBLIC_URL_VARIABLE: &str = "NIGHTAUDIT_PUBLIC_URL";
const DEFAULT_DATA: &str = "nightaudit-data";
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Where the data is, decided.
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) database: DatabaseUrl,
    pub(crate) keys: KeySource,
    pub(crate) settings: Settings,
    /// Under which address the source reaches the books' server.
    pub(crate) public_url: Option<WebhookBase>,
    /// The work of the books' server in the background.
    pub(crate) jobs: JobSettings,
}

/// Where and what to serve, decided.
pub(crate) struct ServeConfig {
    pub(crate) only: Option<System>,
    pub(crate) listen: SocketAddr,
    pub(crate) connections: ConnectionLimits,
    pub(crate) config: Config,
}

/// The TOML file. The flags' names, with underscores.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Toml {
    only: Option<System>,
    listen: Option<SocketAddr>,
    public_url: Option<String>,
    sweep_minutes: Option<Count>,
    data: Option<PathBuf>,
    database: Option<String>,
    key_file: Option<PathBuf>,
    tokens_per_day: Option<Count>,
    report_amounts_as_text: Option<bool>,
    allow_private_webhooks: Option<bool>,
    webhooks_max: Option<Count>,
    webhook_days: Option<Count>,
    no_limits: Option<bool>,
    requests_per_second: Option<Count>,
    requests_per_minute: Option<Count>,
    requests_per_hour: Option<Count>,
    requests_at_once: Option<Count>,
    connections_max: Option<Count>,
    idle_seconds: Option<Count>,
    slow_seconds: Option<Count>,
}

impl Config {
    /// Of a command that serves nothing.
    pub(crate) fn of(place: Place) -> Result<Self, CommandError> {
        let file = Toml::read(place.config.as_deref())?;
        Self::merge(place, file, None)
    }

    fn merge(
        place: Place,
        file: Toml,
        public_url_flag: Option<String>,
    ) -> Result<Self, CommandError> {
        let data = place
            .data
            .or(file.data)
            .unwrap_or_else(|| DEFAULT_DATA.into());
        let variable = key_variable()?;
        // The key in the environment wins over a key file of the TOML file, not over one of a flag.
        let key_file = place
            .key_file
            .or_else(|| file.key_file.filter(|_| variable.is_none()));
        let database = match (place.database, file.database) {
            (Some(text), _) => database(&text, "--database")?,
            (None, Some(text)) => database(&text, "database in the --config file")?,
            (None, None) => DatabaseUrl::Sqlite(data.clone()),
        };
        let public_url = public_url(public_url_flag, file.public_url)?;
        let defaults = Settings::default();
        Ok(Self {
            public_url,
            jobs: JobSettings {
                sweep_every: file
                    .sweep_minutes
                    .map_or(JobSettings::default().sweep_every, minutes),
                ..JobSettings::default()
            },
            database,
            keys: KeySource::choose(key_file, variable, data.clone()),
            data,
            settings: Settings {
                tokens_per_day: file
                    .tokens_per_day
                    .map_or(defaults.tokens_per_day, Count::get),
                report_amounts_as_text: file
                    .report_amounts_as_text
                    .unwrap_or(defaults.report_amounts_as_text),
                private_webhooks: file
                    .allow_private_webhooks
                    .map_or(defaults.private_webhooks, private_webhooks),
                webhooks_max: file.webhooks_max.map_or(defaults.webhooks_max, Count::get),
                webhook_days: file.webhook_days.map_or(defaults.webhook_days, Count::get),
                ..defaults
            },
        })
    }
}

impl ServeConfig {
    /// Of a server.
    pub(crate) fn of(args: ServeArgs) -> Result<Self, CommandError> {
        let file = Toml::read(args.place.config.as_deref())?;
        let limits = limits(&args.limits, &file);
        let connections = connections(&args.connections, &file);
        let only = args.only.or(file.only);
        let listen = args.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN);
        let mut config = Config::merge(args.place, file, args.public_url)?;
        if let Some(given) = args.sweep_minutes {
            config.jobs.sweep_every = minutes(given);
        }
        let settings = &mut config.settings;
        settings.tokens_per_day = args
            .tokens_per_day
            .map_or(settings.tokens_per_day, Count::get);
        settings.report_amounts_as_text = args
            .report_amounts_as_text
            .unwrap_or(settings.report_amounts_as_text);
        settings.private_webhooks = args
            .allow_private_webhooks
            .map_or(settings.private_webhooks.clone(), private_webhooks);
        settings.webhooks_max = args.webhooks_max.map_or(settings.webhooks_max, Count::get);
        settings.webhook_days = args.webhook_days.map_or(settings.webhook_days, Count::get);
        settings.limits = limits;
        settings.body_within = connections.slow;
        Ok(Self {
            only,
            listen,
            connections,
            config,
        })
    }
}

fn limits(args: &LimitArgs, file: &Toml) -> Option<RateLimits> {
    if args.no_limits.or(file.no_limits).unwrap_or(false) {
        return None;
    }
    let documented = RateLimits::DOCUMENTED;
    let number = |flag: Option<Count>, file: Option<Count>, documented| {
        flag.or(file).map_or(documented, Count::get)
    };
    Some(RateLimits {
        per_second: number(
            args.requests_per_second,
            file.requests_per_second,
            documented.per_second,
        ),
        per_minute: number(
            args.requests_per_minute,
            file.requests_per_minute,
            documented.per_minute,
        ),
        per_hour: number(
            args.requests_per_hour,
            file.requests_per_hour,
            documented.per_hour,
        ),
        at_once: number(
            args.requests_at_once,
            file.requests_at_once,
            documented.at_once,
        ),
    })
}

fn connections(args: &ConnectionArgs, file: &Toml) -> ConnectionLimits {
    let seconds = |flag: Option<Count>, file: Option<Count>, default| {
        let given = flag.or(file);
        given.map_or(default, |seconds| {
            Duration::from_secs(seconds.get().get().into())
        })
    };
    let defaults = ConnectionLimits::default();
    ConnectionLimits {
        max: args
            .connections_max
            .or(file.connections_max)
            .map_or(defaults.max, Count::get),
        idle: seconds(args.idle_seconds, file.idle_seconds, defaults.idle),
        slow: seconds(args.slow_seconds, file.slow_seconds, defaults.slow),
    }
}

fn private_webhooks(are_allowed: bool) -> PrivateWebhooks {
    if are_allowed {
        PrivateWebhooks::Allowed
    } else {
        PrivateWebhooks::Refused
    }
}

impl Toml {
    fn read(path: Option<&Path>) -> Result<Self, CommandError> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let wrong =
            |what: String| CommandError::usage(format!("--config {}: {what}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        toml::from_str(&text).map_err(|error| wrong(explain(&error, &text)))
    }
}

/// The place and the reason. The value is not repeated, as the library would: it may hold a
/// password.
fn explain(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let number = before.unwrap_or_default().lines().count().max(1);
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let key = line.split('=').next().unwrap_or_default().trim();
    format!("line {number} ({key}): {}", error.message())
}

fn database(text: &str, origin: &str) -> Result<DatabaseUrl, CommandError> {
    text.parse()
        .map_err(|error| CommandError::usage(format!("{origin}: {error}")))
}

fn minutes(count: Count) -> TimeDelta {
    TimeDelta::minutes(count.get().get().into())
}

/// Commands that serve nothing have no flag for it, but what was set for the server holds.
fn public_url(
    flag: Option<String>,
    file: Option<String>,
) -> Result<Option<WebhookBase>, CommandError> {
    let variable = std::env::var(PUBLIC_URL_VARIABLE).ok();
    let (text, origin) = match (flag, variable, file) {
        (Some(text), ..) => (text, "--public-url"),
        (None, Some(text), _) => (text, PUBLIC_URL_VARIABLE),
        (None, None, Some(text)) => (text, "public_url in the --config file"),
        (None, None, None) => return Ok(None),
    };
    let base = text.parse();
    base.map(Some)
        .map_err(|error| CommandError::usage(format!("{origin}: {error}")))
}

fn key_variable() -> Result<Option<String>, CommandError> {
    match std::env::var(KEY_VARIABLE) {
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(CommandError::usage(format!("{KEY_VARIABLE} is no text")))
        }
    }
}
