//! What a command works with: flags over the environment (which the command line has merged) over
//! the TOML file over defaults.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use payments::Settings;
use serde::{Deserialize, Deserializer, de};
use store::DatabaseUrl;
use vault::{KEY_VARIABLE, KeySource};

use crate::cli::{Place, ServeArgs};
use crate::error::CommandError;

const DEFAULT_DATA: &str = "nightaudit-data";
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Where the data is, decided.
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) database: DatabaseUrl,
    pub(crate) keys: KeySource,
    pub(crate) settings: Settings,
}

/// Where and what to serve, decided.
pub(crate) struct ServeConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) config: Config,
}

/// The TOML file. The flags' names, with underscores.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Toml {
    listen: Option<SocketAddr>,
    data: Option<PathBuf>,
    #[serde(default, deserialize_with = "database")]
    database: Option<DatabaseUrl>,
    key_file: Option<PathBuf>,
    tokens_per_day: Option<NonZeroU32>,
    report_amounts_as_text: Option<bool>,
}

impl Config {
    /// Of a command that serves nothing.
    pub(crate) fn of(place: Place) -> Result<Self, CommandError> {
        let file = Toml::read(place.config.as_deref())?;
        Self::merge(place, file)
    }

    fn merge(place: Place, file: Toml) -> Result<Self, CommandError> {
        let data = place
            .data
            .or(file.data)
            .unwrap_or_else(|| DEFAULT_DATA.into());
        let variable = key_variable()?;
        // The key in the environment wins over a key file of the TOML file, not over one of a flag.
        let key_file = place
            .key_file
            .or_else(|| file.key_file.filter(|_| variable.is_none()));
        let defaults = Settings::default();
        Ok(Self {
            database: place
                .database
                .or(file.database)
                .unwrap_or_else(|| DatabaseUrl::Sqlite(data.clone())),
            keys: KeySource::choose(key_file, variable, data.clone()),
            data,
            settings: Settings {
                tokens_per_day: file.tokens_per_day.unwrap_or(defaults.tokens_per_day),
                report_amounts_as_text: file
                    .report_amounts_as_text
                    .unwrap_or(defaults.report_amounts_as_text),
                ..defaults
            },
        })
    }
}

impl ServeConfig {
    /// Of a server.
    pub(crate) fn of(args: ServeArgs) -> Result<Self, CommandError> {
        let file = Toml::read(args.place.config.as_deref())?;
        let listen = args.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN);
        let mut config = Config::merge(args.place, file)?;
        let settings = &mut config.settings;
        settings.tokens_per_day = args.tokens_per_day.unwrap_or(settings.tokens_per_day);
        settings.report_amounts_as_text = args
            .report_amounts_as_text
            .unwrap_or(settings.report_amounts_as_text);
        Ok(Self { listen, config })
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
        toml::from_str(&text).map_err(|error| wrong(error.to_string()))
    }
}

/// A password in the text is not repeated.
fn database<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DatabaseUrl>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(de::Error::custom))
        .transpose()
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
