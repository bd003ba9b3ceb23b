//! `nightaudit app`.

use clap::{Args, Subcommand};
use contract::id::{AccountId, ListingId};

use super::Common;

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

    #[command(flatten)]
    pub(crate) common: Common,
}
