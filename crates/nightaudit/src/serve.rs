//! `nightaudit serve`: the server, from its data directory to its last reply.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum::Router;
use data_encoding::BASE64URL_NOPAD;
use store::{Control, random_bytes};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::cli::ServeArgs;
use crate::config::ServeConfig;
use crate::connections::{self, ConnectionLimits};
use crate::error::CommandError;
use crate::open::{House, claim_alone};
use crate::output;
use crate::signals::StopSignals;

/// For how long requests in flight may take to finish once the server was told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// Serves until told to stop.
pub(crate) async fn run(args: ServeArgs) -> Result<(), CommandError> {
    let mut signals = StopSignals::listen()?;
    let server = Server::start(ServeConfig::of(args)?).await?;
    output::line(format_args!("listening on http://{}", server.address))?;
    server.run(&mut signals).await
}

/// A server that listens, and answers once it [runs](Self::run).
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
    router: Router,
    connections: ConnectionLimits,
    house: House,
}

impl Server {
    /// Takes the data directory, opens the databases and the port, and says where it is to the
    /// commands of the same user.
    pub(crate) async fn start(serve: ServeConfig) -> Result<Self, CommandError> {
        let directory = claim_alone(&serve.config.data).await?;
        let house = House::open(&serve.config, directory).await?;
        let listener = listen(serve.listen).await?;
        let address = listener.local_addr()?;
        let admin_token = Zeroizing::new(BASE64URL_NOPAD.encode(&random_bytes::<32>()));
        house.directory.announce(&Control {
            address: reachable(address),
            admin_token: admin_token.to_string(),
        })?;
        let sandbox = house.sandbox.clone();
        let control = house.platform.control_router(sandbox, admin_token);
        Ok(Self {
            address,
            listener,
            router: house.platform.router().merge(control),
            connections: serve.connections,
            house,
        })
    }

    /// What is served.
    pub(crate) fn house(&self) -> &House {
        &self.house
    }

    /// Answers, and does the work that nobody waits for, until a signal; then finishes what is in
    /// flight. A second signal does not wait for that.
    pub(crate) async fn run(self, signals: &mut StopSignals) -> Result<(), CommandError> {
        let stop = CancellationToken::new();
        let jobs_stop = CancellationToken::new();
        let platform = self.house.platform.clone();
        let jobs = tokio::spawn(platform.run_jobs(jobs_stop.clone()));

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
        jobs.await.context("the work in the background broke off")?;
        tracing::info!("stopped");
        Ok(())
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, CommandError> {
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
