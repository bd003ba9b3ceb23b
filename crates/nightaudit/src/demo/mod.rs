//! `nightaudit demo`: a fresh portfolio, a story told over real HTTP, and a server to play with.

mod client;
mod payout;
mod receiver;
mod story;

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use books::jobs::JobSettings;
use payments::fixtures::Fixture;
use payments::{Credentials, NewApplication, PrivateWebhooks, Settings};
use store::DatabaseUrl;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use vault::KeySource;

use self::client::Client;
use self::receiver::Receiver;
use crate::cli::DemoArgs;
use crate::config::{Config, ServeConfig};
use crate::connections::ConnectionLimits;
use crate::error::CommandError;
use crate::open::Payments;
use crate::output;
use crate::serve::Server;
use crate::signals::StopSignals;

const PREFERRED: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Tells the story, then serves until told to stop, or ends at once.
pub(crate) async fn run(args: DemoArgs) -> Result<(), CommandError> {
    let finished = CancellationToken::new();
    let mut signals = StopSignals::listen()?.or_told(finished.clone());
    let directory = tempfile::Builder::new()
        .prefix("nightaudit-demo-")
        .tempdir()
        .context("cannot make a temporary directory for the demo's data")?;
    let data = directory.path().to_owned();
    let mut receiver = Receiver::start().await?;
    let server = Server::start(ServeConfig {
        only: None,
        listen: listen(&args).await?,
        connections: ConnectionLimits::default(),
        config: Config {
            public_url: None,
            jobs: JobSettings::default(),
            database: DatabaseUrl::Sqlite(data.clone()),
            keys: KeySource::choose(None, None, data.clone()),
            data,
            settings: Settings {
                private_webhooks: PrivateWebhooks::Only(receiver.address),
                ..Settings::default()
            },
        },
    })
    .await?;
    let credentials = portfolio(&server).await?;
    let base = format!("http://{}", server.address);
    output::line(format_args!("listening on {base}"))?;

    let serving = tokio::spawn(async move { server.run(&mut signals).await });
    let told = tell(&base, &credentials, &mut receiver).await;
    if told.is_err() || args.once {
        finished.cancel();
    } else {
        invite(&base, &credentials)?;
    }
    serving.await.context("the server broke off")??;
    told
}

/// The usual port, if nobody has it and nothing else was asked for.
async fn listen(args: &DemoArgs) -> Result<SocketAddr, CommandError> {
    if let Some(asked) = args.listen {
        return Ok(asked);
    }
    match TcpListener::bind(PREFERRED).await {
        Ok(_) if !args.once => Ok(PREFERRED),
        Err(error) if error.kind() != ErrorKind::AddrInUse => Err(error.into()),
        _ => Ok(SocketAddr::new(PREFERRED.ip(), 0)),
    }
}

async fn portfolio(server: &Server) -> Result<Credentials, CommandError> {
    let payments = server.payments();
    let Payments { platform, sandbox } = payments.context("the demo serves no payments")?;
    let seeded = platform.seed(sandbox, Fixture::GuestyDocs).await?;
    let application = NewApplication::named(seeded.account, "Demo");
    Ok(platform.create_application(application).await?)
}

async fn tell(
    base: &str,
    credentials: &Credentials,
    receiver: &mut Receiver,
) -> Result<(), CommandError> {
    let Credentials {
        client_id,
        client_secret,
    } = credentials;
    let client = Client::sign_in(base, client_id, client_secret).await?;
    story::tell(&client, receiver, &mut io::stdout()).await?;
    output::line("\nEvery step held.")?;
    Ok(())
}

fn invite(base: &str, credentials: &Credentials) -> Result<(), CommandError> {
    let Credentials {
        client_id,
        client_secret,
    } = credentials;
    output::line(format_args!(
        "\n\
         The server keeps running at {base} until Ctrl-C. Ask it for a token:\n\n\
         \x20   curl {base}/oauth2/token \\\n\
         \x20     -d grant_type=client_credentials -d scope=open-api \\\n\
         \x20     -d client_id={client_id} -d client_secret={client_secret}\n\n\
         and then, with the token in $TOKEN:\n\n\
         \x20   curl -H \"Authorization: Bearer $TOKEN\" {base}/v1/reservations/64da254383ad1500284bd0c0\n",
    ))?;
    Ok(())
}
