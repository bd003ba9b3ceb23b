//! The commands that fill the books and look into them.

use books::evidence::Head;
use books::mirror::Kind;
use books::sync::Part;
use chrono::NaiveDate;
use clap::Args;

use super::{Common, Which};
use crate::books::AsKnownOn;

const SYNC_HELP: &str = "\
Without parts all are read, in this order: properties, reservations, taxes, payments. A run that was
interrupted, however, goes on where it was; nothing is in twice. Reading again changes nothing that
is not new.

Where a server has the data directory, it does the work; Ctrl-C then ends the command, not the run.
--stop ends a run that is under way, whichever process it is in; so does Ctrl-C where this command
does the work. It ends after what it is taking in, and the next one goes on there.

Exit code 4 says that something could not be read: what, and what to do, is in the summary, and the
rest is in. So it does of a run that was stopped. Exit code 6 says that all was read, but that some of it is not understood, such as a
currency unknown to ISO 4217: which objects, and why, is in the summary. They are kept as they came.
What an earlier run read, and this one did not, does not count.

Examples:
  nightaudit sync
  nightaudit sync reservations --from 2026-01-01 --to 2026-03-31
  nightaudit sync payments --full-speed --format json
  nightaudit sync --stop";

const VERIFY_HELP: &str = "\
Works while a server runs. Write the head down elsewhere (printed, mailed, with an auditor): with
--head it shows later that nothing before it was cut off.

Exit code 5 says that a record is not as it was appended: the first of them is named.

Examples:
  nightaudit verify
  nightaudit verify --connection 65f0c1d2a3b4c5d6e7f80912 --head 9b1f…";

const REBUILD_HELP: &str = "\
The mirror is read as before until the new one takes its place; if this is interrupted, the old one
stays. Where a server has the data directory, it does the work and goes on serving.

The evidence is verified first. Exit code 5 says that it is not as it was appended: the first record
that is not is named, and the old mirror is kept. Or it says that the two mirrors differ: the new one
is in place then, since it is what the evidence says.

Examples:
  nightaudit rebuild
  nightaudit rebuild --format json";

const HISTORY_HELP: &str = "\
What has a reservation's confirmation code is found by it (reservation, transaction, payout-line),
everything also by its id, and the account by its kind alone. Works while a server runs.

A date means the end of that day in UTC. With --as-known-on each value is shown as it was known then,
since when, and by which record. What in it is not understood is said too.

Examples:
  nightaudit history reservation HMABC123
  nightaudit history reservation HMABC123 --as-known-on 2026-03-31
  nightaudit history transaction HMABC123 --format json
  nightaudit history property 65f0c1d2a3b4c5d6e7f80912
  nightaudit history account";

#[derive(Debug, Args)]
#[command(after_help = SYNC_HELP)]
pub(crate) struct SyncArgs {
    /// What to read: properties, reservations, taxes, payments [default: all].
    #[arg(value_name = "PART", value_parser = part)]
    pub(crate) parts: Vec<Part>,

    /// The first date: of arrivals for reservations, of the processors' reports for payments
    /// [default: all, but months that nothing changes in any more].
    #[arg(long, value_name = "DATE", requires = "to", value_parser = date)]
    pub(crate) from: Option<NaiveDate>,

    /// The last date.
    #[arg(long, value_name = "DATE", requires = "from", value_parser = date)]
    pub(crate) to: Option<NaiveDate>,

    /// Use all of the source's limits, not half of each: its other applications may have to wait.
    #[arg(long)]
    pub(crate) full_speed: bool,

    /// Keep to no limits: for a source that was started without any.
    #[arg(
        long,
        env = "NIGHTAUDIT_NO_LIMITS",
        value_name = "BOOL",
        num_args = 0..=1,
        default_value_t = false,
        default_missing_value = "true"
    )]
    pub(crate) no_limits: bool,

    /// Read nothing: ask the run that is under way to end, and wait until it has.
    #[arg(long, conflicts_with_all = ["parts", "from", "to", "full_speed"])]
    pub(crate) stop: bool,

    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = VERIFY_HELP)]
pub(crate) struct VerifyArgs {
    /// A head that was written down: the chain must still lead through it.
    #[arg(long, value_name = "HASH")]
    pub(crate) head: Option<Head>,

    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = REBUILD_HELP)]
pub(crate) struct RebuildArgs {
    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = HISTORY_HELP)]
pub(crate) struct HistoryArgs {
    /// What it is: reservation, property, tax, fee, transaction, payout-line …
    #[arg(value_name = "KIND", value_parser = kind)]
    pub(crate) kind: Kind,

    /// Its confirmation code or id; of the account, which is the only one, its id or none.
    #[arg(value_name = "CODE")]
    pub(crate) key: Option<String>,

    /// As it was known at the end of a day, or at an instant (2026-03-31T12:00:00Z).
    #[arg(long, value_name = "DATE")]
    pub(crate) as_known_on: Option<AsKnownOn>,

    #[command(flatten)]
    pub(crate) which: Which,

    #[command(flatten)]
    pub(crate) common: Common,
}

fn part(name: &str) -> Result<Part, String> {
    named(&Part::ALL, name)
}

/// A day, as all commands take it.
pub(super) fn date(text: &str) -> Result<NaiveDate, &'static str> {
    text.parse().map_err(|_| "give a date as 2026-03-31")
}

/// A kind of mirrored object, by its name.
pub(super) fn kind(name: &str) -> Result<Kind, String> {
    named(&Kind::ALL, name)
}

fn named<T: Copy + ToString>(all: &[T], name: &str) -> Result<T, String> {
    let found = all.iter().find(|one| one.to_string() == name);
    found.copied().ok_or_else(|| {
        let names: Vec<String> = all.iter().map(ToString::to_string).collect();
        format!("there are {}", names.join(", "))
    })
}
