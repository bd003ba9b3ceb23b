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
    /// The file of a store in the directory; none on a server.
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

/// A password may stand before the host, or among the parameters.
fn without_password(url: &str) -> String {
    let (url, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split_once(':').map_or(user, |(user, _)| user);
            format!("{user}@{host}")
        }
        None => rest.to_owned(),
    };
    let shown: Vec<&str> = parameters
        .split('&')
        .filter(|p| !p.is_empty() && !p.starts_with("password="))
        .collect();
    let query = if shown.is_empty() {
        String::new()
    } else {
        format!("?{}", shown.join("&"))
    };
    format!("{scheme}://{rest}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgres://ann:secret@db.example/nightaudit",
            "postgres://ann@db.example/nightaudit?password=secret&sslmode=require",
        ] {
            let shown = format!("{0} {0:?}", url.parse::<DatabaseUrl>().unwrap());
            assert!(!shown.contains("secret"), "{shown}");
            assert!(shown.contains("ann@db.example/nightaudit"), "{shown}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "sqlite:", "mysql://localhost/x", "nightaudit.db"] {
            assert_eq!(
                text.parse::<DatabaseUrl>(),
                Err(InvalidDatabaseUrl),
                "{text}"
            );
        }
    }
}
