//! What can go wrong in the books.

use contract::Timestamp;
use contract::id::{AccountId, ConnectionId, PortfolioId};
use store::Failure;

use crate::choice::ChoiceError;
use crate::connection::InvalidWebhookBase;
use crate::evidence::Flaw;
use crate::mirror::Kind;
use crate::sync::UnreadableSpan;

/// A failure of the books.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot do it.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The key of a chain cannot be opened or sealed.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// A connection that the books have no evidence of.
    #[error("there is no evidence of connection {0}: nothing was synced over it yet")]
    NoChain(ConnectionId),
    /// A portfolio that is not there.
    #[error("there is no portfolio {0}")]
    NoPortfolio(PortfolioId),
    /// A name that tells nothing.
    #[error("a portfolio's name has 1 to 100 characters: give it another")]
    PortfolioName,
    /// Another portfolio has this name.
    #[error("there is a portfolio called \"{0}\" already: use it, or give another name")]
    PortfolioTaken(String),
    /// A connection that is not there.
    #[error("there is no connection {0}")]
    NoConnection(ConnectionId),
    /// A connection whose credentials were removed, or not saved yet.
    #[error(
        "connection {0} has no credentials: save its client id and secret (again), with nightaudit \
         connect"
    )]
    Disconnected(ConnectionId),
    /// A client id or secret that cannot be one.
    #[error(
        "the {0} is empty, longer than 1000 characters, or has blanks in it: copy it again from the \
         page where the application was made"
    )]
    Credentials(&'static str),
    /// A connection that leads elsewhere than before.
    #[error(
        "connection {connection} mirrors account {known}, but its credentials lead to account \
         {found} now: nothing of that is taken into its mirror; save credentials of the account that \
         it mirrors, and connect the other one in another portfolio"
    )]
    AnotherAccount {
        /// Which.
        connection: ConnectionId,
        /// The account that it mirrors.
        known: AccountId,
        /// The one that its credentials lead to.
        found: AccountId,
    },
    /// A second connection to one account.
    #[error(
        "connection {connection} leads to the account that connection {by} of its portfolio mirrors \
         already: save its credentials again, and they go to that one"
    )]
    AccountTaken {
        /// Which.
        connection: ConnectionId,
        /// The first.
        by: ConnectionId,
    },
    /// The right to ask for a token passed on to somebody else.
    #[error(
        "the right to ask for a token of connection {0} was lost, since its holder paused for more \
         than a minute or the connection was cut; the token is not kept"
    )]
    LeaseLost(ConnectionId),
    /// There is no way to the source.
    #[error(transparent)]
    Source(#[from] guesty::Error),
    /// Another run has the connection.
    #[error(
        "connection {connection} is being synced since {since}: wait for that run to end; if it was \
         killed, its place is free a minute after"
    )]
    SyncUnderWay {
        /// Which connection.
        connection: ConnectionId,
        /// When the other run began.
        since: Timestamp,
    },
    /// The right to sync passed on to another run.
    #[error(
        "this run of connection {0} paused for more than a minute, and another has taken its place; \
         what it had read is kept"
    )]
    SyncTakenOver(ConnectionId),
    /// Somebody asked a run to end: what it was about to ask for is left to the next one.
    #[error("the sync of connection {0} was asked to end; the next one goes on where it was")]
    SyncStopped(ConnectionId),
    /// Evidence that no mirror may be made from.
    #[error(
        "the evidence of connection {connection} is not as it was appended: record {number} {flaw}; \
         nothing was rebuilt from it, and the old mirror is kept"
    )]
    Broken {
        /// Which connection.
        connection: ConnectionId,
        /// The first record that is not as it was appended.
        number: i64,
        /// What is wrong there.
        flaw: Flaw,
    },
    /// Dates of which nothing can be read.
    #[error(transparent)]
    Span(#[from] UnreadableSpan),
    /// Two rebuilds at once.
    #[error(
        "another rebuild of the mirror of connection {0} began meanwhile, and this one ended for it: \
         the mirror is as it was, or as the other makes it"
    )]
    RebuiltElsewhere(ConnectionId),
    /// Something was changed by another reply while it was being asked for.
    #[error("{kind} {id} changed while it was being read: read it again")]
    Overtaken {
        /// What it is.
        kind: Kind,
        /// Which.
        id: String,
    },
    /// What came is too large, or what was kept cannot be unpacked.
    #[error("evidence cannot be packed or unpacked: {0}; verify the chain")]
    Packing(#[from] std::io::Error),
    /// A choice of a connection that fits none, or more than one.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// No address of an API.
    #[error(transparent)]
    BaseUrl(#[from] guesty::InvalidBaseUrl),
    /// No address under which anybody could be reached.
    #[error(transparent)]
    WebhookBase(#[from] InvalidWebhookBase),
    /// What was read and is to be taken in together cannot be put aside.
    #[error(
        "what was read cannot be put aside in a temporary file: {0}; make room where temporary files \
         are (TMPDIR)"
    )]
    Spool(std::io::Error),
    /// A row that no program of ours wrote so.
    #[error("the database holds a value that cannot be read: {0}; verify the chain")]
    Corrupt(String),
}

impl Error {
    /// Whether what was asked for is not granted, so that asking again alone does not help, and
    /// nothing was changed.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::NoChain(_)
                | Self::NoPortfolio(_)
                | Self::PortfolioName
                | Self::PortfolioTaken(_)
                | Self::NoConnection(_)
                | Self::Disconnected(_)
                | Self::Credentials(_)
                | Self::AnotherAccount { .. }
                | Self::AccountTaken { .. }
                | Self::SyncUnderWay { .. }
                | Self::Span(_)
                | Self::Choice(_)
                | Self::BaseUrl(_)
                | Self::WebhookBase(_)
        )
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Failure for Error {
    fn as_store(&self) -> Option<&store::Error> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
