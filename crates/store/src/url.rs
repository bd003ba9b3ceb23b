//! Where a database is: `sqlite:PATH` or `postgres://…`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A text that names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a database: give sqlite:DIRECTORY for the embedded one, or postgres://USER@HOST/DATABASE"
)]
pub struct InvalidDatabaseUrl;

/// Where the databases are. Each [`Store`](crate::Store) opens its own file in the directory, or
/// its own schema in the server's database.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A directory of database files, one for each store.
    Sqlite(PathBuf),
    /// A server's database, one schema for each store.
    Postgres(String),
}

impl DatabaseUrl {
    /// Where a store is, for people: its file, or the server and its schema there.
    pub(crate) fn describe(&self, name: &str) -> String {
        match self {
            Self::Sqlite(directory) => directory.join(format!("{name}.db")).display().to_string(),
            Self::Postgres(_) => format!("{self} (schema {name})"),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(InvalidDatabaseUrl);
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(InvalidDatabaseUrl)
    }
}

/// Without the password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A password may stand before the host, or among the parameters; of those only the harmless are
/// shown. libpq reads a user up to the first `@` that no `/` precedes.
fn without_password(url: &str) -> String {
    const SHOWN: [&str; 5] = ["dbname", "host", "port", "sslmode", "user"];
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let authority = rest.find('/').unwrap_or(rest.len());
    let (user, rest) = match rest[..authority].rfind('@') {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => ("", rest),
    };
    let user = user.split([':', '?']).next().unwrap_or_default();
    let at = if user.is_empty() { "" } else { "@" };
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let parameters: Vec<&str> = parameters
        .split('&')
        .filter(|p| {
            p.split_once('=')
                .is_some_and(|(key, _)| SHOWN.contains(&key))
        })
        .collect();
    let parameters = parameters.join("&");
    let mark = if parameters.is_empty() { "" } else { "?" };
    format!("{scheme}://{user}{at}{place}{mark}{parameters}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(url: &str) -> String {
        let url: DatabaseUrl = url.parse().unwrap();
        assert_eq!(format!("{url}"), format!("{url:?}"));
        url.to_string()
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (url, expected) in [
            (
                "postgres://ann:secret@db.example/house",
                "postgres://ann@db.example/house",
            ),
            (
                "postgres://ann:se@cr?et@db.example/house",
                "postgres://ann@db.example/house",
            ),
            (
                "postgres://:secret@db.example:5432",
                "postgres://db.example:5432",
            ),
            (
                "postgresql://db.example/house",
                "postgresql://db.example/house",
            ),
            (
                "postgres://ann@db/house?password=secret&sslmode=require&sslpassword=secret",
                "postgres://ann@db/house?sslmode=require",
            ),
            (
                "postgres:///house?host=/run/pg&user=ann",
                "postgres:///house?host=/run/pg&user=ann",
            ),
            ("sqlite:/var/lib/house", "sqlite:/var/lib/house"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    proptest! {
        #[test]
        fn a_password_is_never_shown(password in "[A-Z0-9%?&=:#@+-]{4,20}") {
            for url in [
                format!("postgres://ann:{password}@db.example/house?sslmode=require"),
                format!("postgres://ann@db.example/house?x=1&password={password}"),
                format!("postgres://ann@db.example/house?password={password}&x=1"),
            ] {
                let shown = shown(&url);
                prop_assert!(!shown.contains(&password), "{}", shown);
            }
        }
    }

    #[test]
    fn a_directory_may_be_given_with_or_without_slashes() {
        for (text, path) in [
            ("sqlite:house", "house"),
            ("sqlite:./house", "./house"),
            ("sqlite:/var/lib/house", "/var/lib/house"),
            ("sqlite:///var/lib/house", "/var/lib/house"),
        ] {
            assert_eq!(
                text.parse(),
                Ok(DatabaseUrl::Sqlite(PathBuf::from(path))),
                "{text}"
            );
        }
    }

    #[test]
    fn other_texts_are_refused_with_what_to_give() {
        for text in [
            "",
            "sqlite:",
            "sqlite://",
            "mysql://localhost/x",
            "nightaudit.db",
        ] {
            let refused = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(refused.contains("sqlite:DIRECTORY"), "{text}");
        }
    }
}
