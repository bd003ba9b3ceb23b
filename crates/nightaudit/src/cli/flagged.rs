//! `nightaudit flagged` and its flags.

use books::mirror::Kind;
use clap::Args;

use super::records::kind;
use super::{Common, Which};

const FLAGGED_HELP: &str = "\
What is flagged was read and is kept, but something in it is not understood, such as a status that
nobody documents. It is named with its kind, its confirmation code or id, the fields, and what is
wrong with each. What the source has no more is left out. Works while a server runs.

Where there is more than one page, the last line says how to go on; with --format json, \"next\" is
what --after takes. nightaudit history shows one of them whole, and since when it is so.

Examples:
  nightaudit flagged
  nightaudit flagged reservation --limit 1000 --format json
  nightaudit flagged --after reservation/65f0c1d2a3b4c5d6e7f80912";

#[derive(Debug, Args)]
#[command(after_help = FLAGGED_HELP)]
pub(crate) struct FlaggedArgs {
    /// One kind alone: reservation, property, tax, fee, transaction, payout-line … [default: all].
    #[arg(value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Option<Kind>,

    /// How many to list, at most 1000.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,

    /// Go on after this one, the last of the page before.
    #[arg(long, value_name = "KIND/ID", value_parser = place)]
    pub(crate) after: Option<(Kind, String)>,

    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) common: Common,
}

fn place(text: &str) -> Result<(Kind, String), String> {
    let (of, id) = text
        .split_once('/')
        .ok_or("give the kind and the id of the last one: reservation/65f0c1d2a3b4c5d6e7f80912")?;
    Ok((kind(of)?, id.to_owned()))
}
