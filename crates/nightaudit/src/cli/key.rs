//! `nightaudit key`.

use clap::{Args, Subcommand};

use super::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Puts a fresh key on the key file's first line and seals all secrets anew under it. No server
    /// may run meanwhile. The former keys stay in the file for backups of the database.
    Rotate(KeyArgs),
    /// Seals anew what is not under the first key yet, as after a new one was put before the old by
    /// hand. No server may run meanwhile.
    Reseal(KeyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    pub(crate) place: Place,
}
