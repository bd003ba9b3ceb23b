//! How a command fails, and the exit code that says so.

use std::io;
use std::process::ExitCode;

use store::DataDirError;

/// A command that was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The command or its configuration makes no sense.
    #[error("{0}")]
    Usage(String),
    /// What it asks for is not granted; nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// It was done, and what it came to is not well; that was told.
    #[error("{0}")]
    NotWell(String),
    /// It was done, and showed that the books cannot be trusted as they are; that was told.
    #[error("{0}")]
    Broken(String),
    /// All was read, and some of it is not understood; that was told.
    #[error("{0}")]
    NotUnderstood(String),
    /// It could not be done.
    #[error("{}", in_full(.0))]
    Failed(#[from] anyhow::Error),
}

impl CommandError {
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::Usage(what.into())
    }

    pub(crate) fn refused(what: impl Into<String>) -> Self {
        Self::Refused(what.into())
    }

    /// Whether nobody reads the result any more, as behind `| head`.
    pub(crate) fn is_unread(&self) -> bool {
        let Self::Failed(error) = self else {
            return false;
        };
        let error = error.downcast_ref::<io::Error>();
        error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// As `--help` documents them.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Refused(_) => 3,
            Self::NotWell(_) => 4,
            Self::Broken(_) => 5,
            Self::NotUnderstood(_) => 6,
        })
    }
}

/// What failed and why. Some errors tell of their cause themselves: that is not said again.
fn in_full(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// Failures of the crates below, where a command can do nothing but tell.
macro_rules! fails {
    ($($kind:ty),+ $(,)?) => {$(
        impl From<$kind> for CommandError {
            fn from(error: $kind) -> Self {
                Self::Failed(error.into())
            }
        }
    )+};
}

fails!(store::Error, io::Error);

impl From<vault::KeyError> for CommandError {
    fn from(error: vault::KeyError) -> Self {
        match error {
            vault::KeyError::Missing { .. } => Self::refused(error.to_string()),
            error => Self::Failed(error.into()),
        }
    }
}

impl From<payments::Error> for CommandError {
    fn from(error: payments::Error) -> Self {
        match error {
            payments::Error::Rejected(rejection) => Self::refused(rejection.to_string()),
            error => Self::Failed(error.into()),
        }
    }
}

impl From<books::Error> for CommandError {
    fn from(error: books::Error) -> Self {
        if error.is_refusal() {
            return Self::refused(error.to_string());
        }
        match error {
            books::Error::Broken { .. } => Self::Broken(error.to_string()),
            error => Self::Failed(error.into()),
        }
    }
}

impl From<payments::SetupError> for CommandError {
    fn from(error: payments::SetupError) -> Self {
        match error {
            payments::SetupError::Failed(error) => error.into(),
            refused => Self::refused(refused.to_string()),
        }
    }
}

impl From<payments::AdvanceError> for CommandError {
    fn from(error: payments::AdvanceError) -> Self {
        use payments::AdvanceError::{Failed, Overtaken, Stopped};
        match error {
            Failed(error) => error.into(),
            Stopped { .. } | Overtaken { .. } => Self::Failed(error.into()),
            refused => Self::refused(refused.to_string()),
        }
    }
}

impl From<payments::TriggerError> for CommandError {
    fn from(error: payments::TriggerError) -> Self {
        use payments::TriggerError::Failed;
        match error {
            Failed(error) if !error.is_refusal() => error.into(),
            refused => Self::refused(refused.to_string()),
        }
    }
}

impl From<payments::fixtures::PortfolioError> for CommandError {
    fn from(error: payments::fixtures::PortfolioError) -> Self {
        use payments::fixtures::PortfolioError::{Failed, Stopped};
        match error {
            Failed(error) => error.into(),
            Stopped { .. } => Self::Failed(error.into()),
            order if order.is_order() => Self::usage(order.to_string()),
            refused => Self::refused(refused.to_string()),
        }
    }
}

impl From<payments::ResetError> for CommandError {
    fn from(error: payments::ResetError) -> Self {
        use payments::ResetError::Failed;
        match error {
            Failed(error) => error.into(),
            refused => Self::refused(refused.to_string()),
        }
    }
}

impl From<DataDirError> for CommandError {
    fn from(error: DataDirError) -> Self {
        match error {
            DataDirError::InUse(_) => Self::refused(error.to_string()),
            DataDirError::Io { .. } => Self::Failed(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CommandError;

    #[test]
    fn a_cause_that_an_error_tells_itself_is_told_once() {
        let error = anyhow::anyhow!("denied").context("cannot open x: denied");
        assert_eq!(
            CommandError::Failed(error).to_string(),
            "cannot open x: denied"
        );
        let error = anyhow::anyhow!("denied").context("cannot open x");
        assert_eq!(
            CommandError::Failed(error).to_string(),
            "cannot open x: denied"
        );
    }
}
