//! `nightaudit demo`: a fresh portfolio, a story told over real HTTP, and a server to play with.

mod accountant;
mod client;
mod payout;
mod receiver;
mod story;

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Context;
use books::jobs::JobSettings;
use payments::fixtures::Fixture;
use payments::{Credentials, NewApplication, PrivateWebhooks, Settings};
use store::DatabaseUrl;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use vault::KeySource;

use self::accountant::Accountant;
use self::client::Client;
use self::receiver::Receiver;
use crate::cli::DemoArgs;
use crate::config::{Config, ServeConfig};
use crate::connections::ConnectionLimits;
use crate::error::CommandError;
use crate::open::{Payments, claim_alone};
use crate::output;
use crate::serve::{Server, listen};
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
    let listener = take_port(&args).await?;
    let address = listener.local_addr()?;
    let base = format!("http://{address}");
    let serve = ServeConfig {
        only: None,
        listen: address,
        connections: ConnectionLimits::default(),
        config: Config {
            jobs: JobSettings::default(),
            public_url: Some(base.parse().context("the address is one")?),
            database: DatabaseUrl::Sqlite(data.clone()),
            keys: KeySource::choose(None, None, data.clone()),
            data,
            settings: Settings {
                private_webhooks: PrivateWebhooks::Only(vec![receiver.address, address]),
                ..Settings::default()
            },
        },
    };
    let claimed = claim_alone(&serve.config.data).await?;
    let server = Server::start(serve, claimed, listener).await?;
    let books = server.books().context("the demo serves no books")?.clone();
    let credentials = portfolio(&server).await?;
    output::line(format_args!("listening on {base}"))?;

    let serving = tokio::spawn(async move { server.run(&mut signals).await });
    let accountant = Accountant {
        books: &books,
        base: &base,
        credentials: &credentials,
    };
    let told = tell(&accountant, &mut receiver).await;
    if told.is_err() || args.once {
        finished.cancel();
    } else {
        invite(&accountant, directory.path())?;
    }
    serving.await.context("the server broke off")??;
    told
}

/// The usual port, if nobody has it and nothing else was asked for.
async fn take_port(args: &DemoArgs) -> Result<TcpListener, CommandError> {
    if let Some(asked) = args.listen {
        return listen(asked).await;
    }
    let any = SocketAddr::new(PREFERRED.ip(), 0);
    if args.once {
        return listen(any).await;
    }
    match TcpListener::bind(PREFERRED).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => listen(any).await,
        bound => Ok(bound?),
    }
}

async fn portfolio(server: &Server) -> Result<Credentials, CommandError> {
    let payments = server.payments();
    let Payments { platform, sandbox } = payments.context("the demo serves no payments")?;
    let seeded = platform.seed(sandbox, Fixture::GuestyDocs).await?;
    let application = NewApplication::named(seeded.account, "Demo");
    Ok(platform.create_application(application).await?)
}

async fn tell(accountant: &Accountant<'_>, receiver: &mut Receiver) -> Result<(), CommandError> {
    let Credentials {
        client_id,
        client_secret,
    } = accountant.credentials;
    let client = Client::sign_in(accountant.base, client_id, client_secret).await?;
    story::tell(&client, receiver, accountant, &mut io::stdout()).await?;
    output::print("\nEvery step held.")?;
    Ok(())
}

fn invite(accountant: &Accountant<'_>, data: &Path) -> Result<(), CommandError> {
    let Accountant {
        base, credentials, ..
    } = accountant;
    let Credentials {
        client_id,
        client_secret,
    } = credentials;
    let data = data.display();
    output::print(format_args!(
        "\n\
         The server keeps running at {base} until Ctrl-C. Ask it for a token:\n\n\
         \x20   curl {base}/oauth2/token \\\n\
         \x20     -d grant_type=client_credentials -d scope=open-api \\\n\
         \x20     -d client_id={client_id} -d client_secret={client_secret}\n\n\
         and then, with the token in $TOKEN:\n\n\
         \x20   curl -H \"Authorization: Bearer $TOKEN\" {base}/v1/reservations/64da254383ad1500284bd0c0\n\n\
         Ask the books, in another terminal:\n\n\
         \x20   nightaudit status --data {data}\n\
         \x20   nightaudit history reservation r2B9jZYJK --data {data}\n\
         \x20   nightaudit verify --data {data}\n",
    ))?;
    Ok(())
}
