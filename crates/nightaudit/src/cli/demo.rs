//! `nightaudit demo`.

use std::net::SocketAddr;

use clap::Args;

const DEMO_HELP: &str = "\
The demo makes a fresh portfolio on an embedded database in a temporary directory, which goes away
with it. Each step shows the request that made it; the payment methods, the reservation and its code
are those of the Open API's guide to posting a guest payment. At its end the books connect to the
server, and learn of a payment by webhook.

Examples:
  nightaudit demo
  nightaudit demo --once && echo 'every step held'";

#[derive(Debug, Args)]
#[command(after_help = DEMO_HELP)]
pub(crate) struct DemoArgs {
    /// End after the story: with exit code 0 only if every step held.
    #[arg(long)]
    pub(crate) once: bool,

    /// Where to listen [default: 127.0.0.1:8080, or a free port where that is taken].
    #[arg(long, env = "NIGHTAUDIT_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
}
