//! `nightaudit app`: applications.

use payments::{ApplicationOrder, SCOPE_OPEN_API};

use crate::cli::{AppCreateArgs, Format};
use crate::config::Config;
use crate::desk::Desk;
use crate::error::CommandError;
use crate::output;

/// Makes an application and shows its secret, this once.
pub(crate) async fn create(args: AppCreateArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let order = ApplicationOrder {
        name: args.name,
        account: args.account,
        scopes: args.scopes,
        listings: args.listings.map(|ids| ids.into_iter().collect()),
    };
    let is_shut_out = order
        .scopes
        .as_ref()
        .is_some_and(|scopes| !scopes.iter().any(|scope| scope == SCOPE_OPEN_API));

    let made = Desk::find(&config).await?.order_application(order).await?;

    if made.is_new_account {
        output::note(format_args!(
            "There was no account yet: made account {}, with a provider that the sandbox runs.",
            made.account
        ));
    }
    if is_shut_out {
        output::note(format_args!(
            "Without the scope {SCOPE_OPEN_API}, no route under /v1 answers the application."
        ));
    }
    let credentials = &made.credentials;
    match args.common.format {
        Format::Json => output::json(credentials)?,
        Format::Table => {
            output::table(&[
                ("client id", &credentials.client_id),
                ("client secret", &credentials.client_secret),
                ("account", made.account.as_str()),
            ])?;
            output::note("The secret is shown this once: only its hash is kept.");
        }
    }
    Ok(())
}
