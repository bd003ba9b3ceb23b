//! `nightaudit sandbox`: portfolios to start from.

use serde_json::json;

use crate::cli::{Format, SeedArgs};
use crate::config::Config;
use crate::desk::Desk;
use crate::error::CommandError;
use crate::output;

/// Makes a fixture.
pub(crate) async fn seed(args: SeedArgs) -> Result<(), CommandError> {
    let config = Config::of(args.place)?;
    let name = args.fixture.name();
    let seeded = Desk::find(&config).await?.seed(args.fixture).await?;
    match args.format {
        Format::Json => {
            output::line(json!({"fixture": name, "account": seeded.account}))?;
        }
        Format::Table => {
            output::table(&[("fixture", name), ("account", seeded.account.as_str())])?;
            output::note(format_args!(
                "Next: nightaudit app create --name NAME --account {}",
                seeded.account
            ));
        }
    }
    Ok(())
}
