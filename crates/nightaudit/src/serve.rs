//! `nightaudit serve`: the server, from its data directory to its last reply.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum::http::StatusCode;
use axum::{Json, Router};
use books::Books;
use books::api::{around, control_router, health_beside, health_router, webhook_router};
use store::{Control, DataDir};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::admin::AdminToken;
use crate::cli::{ServeArgs, System};
use crate::config::ServeConfig;
use crate::connections::{self, ConnectionLimits};
use crate::error::CommandError;
use crate::open::{self, Payments, claim_alone};
use crate::output;
use crate::signals::StopSignals;

/// For how long requests in flight may take to finish once the server was told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// Serves until told to stop.
pub(crate) async fn run(args: ServeArgs) -> Result<(), CommandError> {
    let mut signals = StopSignals::listen()?;
    let serve = ServeConfig::of(args)?;
    // The directory first: that it is in use says more than that its server's port is.
    let directory = claim_alone(&serve.config.data).await?;
    let listener = listen(serve.listen).await?;
    let server = Server::start(serve, directory, listener).await?;
    output::line(format_args!("listening on http://{}", server.address))?;
    server.run(&mut signals).await
}

/// A server that listens, and answers once it [runs](Self::run).
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    router: Router,
    connections: ConnectionLimits,
    payments: Option<Payments>,
    books: Option<Books>,
    /// Ends what is carried out for a command, however long it would take.
    orders_stop: CancellationToken,
    /// Let go last, when all databases are closed.
    _directory: DataDir,
}

impl Server {
    /// Opens the databases, and says where it is to the commands of the same user.
    pub(crate) async fn start(
        serve: ServeConfig,
        directory: DataDir,
        listener: TcpListener,
    ) -> Result<Self, CommandError> {
        let ours = |system| serve.only.is_none_or(|only| only == system);
        let payments = if ours(System::Payments) {
            Some(Payments::open(&serve.config).await?)
        } else {
            None
        };
        let books = if ours(System::Books) {
            Some(open::books(&serve.config).await?)
        } else {
            None
        };
        let address = listener.local_addr()?;
        let orders_stop = CancellationToken::new();
        let admin_token = AdminToken::random();
        directory.announce(&Control {
            address: reachable(address),
            admin_token: admin_token.reveal().to_owned(),
            only: serve.only.map(|only| only.name().to_owned()),
        })?;
        Ok(Self {
            address,
            listener,
            router: router(
                payments.as_ref(),
                books.as_ref(),
                admin_token,
                &orders_stop,
                serve.connections.slow,
            ),
            orders_stop,
            connections: serve.connections,
            payments,
            books,
            _directory: directory,
        })
    }

    /// The platform, if it is served.
    pub(crate) fn payments(&self) -> Option<&Payments> {
        self.payments.as_ref()
    }

    /// The books, if they are served.
    pub(crate) fn books(&self) -> Option<&Books> {
        self.books.as_ref()
    }

    /// Answers, and does the work that nobody waits for, until a signal; then finishes what is in
    /// flight. A second signal does not wait for that.
    pub(crate) async fn run(self, signals: &mut StopSignals) -> Result<(), CommandError> {
        let stop = CancellationToken::new();
        let jobs_stop = CancellationToken::new();
        let work = jobs(self.payments.clone(), self.books.clone(), jobs_stop.clone());
        let mut jobs = tokio::spawn(work);

        let serving =
            connections::serve(self.listener, self.router, self.connections, stop.clone());
        let mut serving = tokio::spawn(serving);

        tokio::select! {
            ended = &mut serving => {
                ended.context("the server broke off")?;
                return Err(CommandError::Failed(anyhow!("the server stopped by itself")));
            }
            () = signals.next() => {}
        }
        tracing::info!("stopping: requests in flight are finished first");
        stop.cancel();
        self.orders_stop.cancel();
        let drained = tokio::select! {
            ended = &mut serving => ended.is_ok(),
            () = tokio::time::sleep(DRAIN) => false,
            () = signals.next() => false,
        };
        jobs_stop.cancel();
        if !drained {
            return Err(CommandError::Failed(anyhow!(
                "stopped with requests unfinished; nothing that was answered is lost"
            )));
        }
        tokio::select! {
            ended = &mut jobs => ended.context("the work in the background broke off")?,
            () = tokio::time::sleep(DRAIN) => return Err(unfinished()),
            () = signals.next() => return Err(unfinished()),
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// What waits for a source that does not answer, or for a slow processor, need not be waited for.
fn unfinished() -> CommandError {
    CommandError::Failed(anyhow!(
        "stopped with work in the background unfinished; the next start goes on with it"
    ))
}

/// The routes of what is served, and those of the commands on this machine.
fn router(
    payments: Option<&Payments>,
    books: Option<&Books>,
    admin_token: AdminToken,
    stop: &CancellationToken,
    body_within: Duration,
) -> Router {
    let mut control = Router::new();
    let mut router = match payments {
        Some(Payments { platform, sandbox }) => {
            control = control.merge(platform.control_router(sandbox.clone()));
            platform.router()
        }
        None => Router::new().fallback(async || {
            let text = "No such route: this server serves the books only";
            (StatusCode::NOT_FOUND, Json(text))
        }),
    };
    if let Some(books) = books {
        let orders = control_router(books.clone(), stop.clone());
        control = control.merge(around(orders, body_within));
        let mut of_books = webhook_router(books.clone());
        if payments.is_none() {
            of_books = of_books.merge(health_router(books.clone()));
        } else {
            router = health_beside(router, books.clone());
        }
        router = router.merge(around(of_books, body_within));
    }
    router.merge(admin_token.guard(control))
}

/// The work that nobody waits for.
async fn jobs(payments: Option<Payments>, books: Option<Books>, stop: CancellationToken) {
    let payments = async {
        if let Some(Payments { platform, .. }) = payments {
            platform.run_jobs(stop.clone()).await;
        }
    };
    let books = async {
        let Some(books) = books else { return };
        let work = books.run_jobs(stop.clone());
        tokio::join!(work, look_where_moved(&books, &stop));
    };
    tokio::join!(payments, books);
}

async fn look_where_moved(books: &Books, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        looked = books.look_where_moved() => {
            if let Err(error) = looked {
                tracing::error!(%error, "whether webhooks lead here could not be seen");
            }
        }
    }
}

/// Takes a port.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, CommandError> {
    let bound = TcpListener::bind(address).await;
    let listener = bound.with_context(|| {
        let port = address.port();
        format!(
            "cannot listen on {address} (--listen {}:0 picks a free port instead of {port})",
            address.ip()
        )
    })?;
    Ok(listener)
}

/// Where commands on the same machine reach a server that may listen everywhere.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        specific => specific,
    };
    SocketAddr::new(ip, address.port())
}
