//! The command line: it wires the platform together and talks to people. It decides nothing.

mod admin;
mod app;
mod books;
mod cli;
mod config;
mod connections;
mod demo;
mod desk;
mod error;
mod key;
mod open;
mod output;
mod portfolio;
mod sandbox;
mod serve;
mod signals;
mod webhooks;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::cli::{
    AppCommand, Cli, Command, KeyCommand, LogFormat, PortfolioCommand, SandboxCommand,
    WebhooksCommand,
};
use crate::error::CommandError;

/// Bodies are read on one thread and let go on another, all day: with this one, memory stays flat.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a shell sees of a program that was ended by SIGPIPE.
const CLOSED_PIPE: u8 = 141;

#[tokio::main]
async fn main() -> ExitCode {
    // All of the program's TLS is rustls on this one; a second try finds it there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_unread() => ExitCode::from(CLOSED_PIPE),
        Err(error) => {
            output::error(&error);
            error.exit_code()
        }
    }
}

async fn run(cli: Cli) -> Result<(), CommandError> {
    let is_demo = matches!(cli.command, Command::Demo(_));
    let usual = if is_demo { "warn" } else { "info" };
    log_to_stderr(cli.log.as_deref().unwrap_or(usual), cli.log_format)?;
    match cli.command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::App(AppCommand::Create(args)) => app::create(args).await,
        Command::Sandbox(SandboxCommand::Seed(args)) => sandbox::seed(args).await,
        Command::Sandbox(SandboxCommand::Advance(args)) => sandbox::advance(args).await,
        Command::Sandbox(SandboxCommand::Trigger(args)) => sandbox::trigger(*args).await,
        Command::Sandbox(SandboxCommand::Reset(args)) => sandbox::reset(args).await,
        Command::Webhooks(WebhooksCommand::List(args)) => webhooks::list(args).await,
        Command::Webhooks(WebhooksCommand::Attempts(args)) => webhooks::attempts(args).await,
        Command::Webhooks(WebhooksCommand::Replay(args)) => webhooks::replay(args).await,
        Command::Connect(args) => books::connect::run(args).await,
        Command::Status(args) => books::status::run(args).await,
        Command::Refresh(args) => books::refresh::run(args).await,
        Command::Disconnect(args) => books::disconnect::run(args).await,
        Command::Sync(args) => books::sync::run(args).await,
        Command::Verify(args) => books::verify::run(args).await,
        Command::Rebuild(args) => books::rebuild::run(args).await,
        Command::History(args) => books::history::run(args).await,
        Command::Flagged(args) => books::flagged::run(args).await,
        Command::Portfolio(PortfolioCommand::List(args)) => books::portfolio::list(args).await,
        Command::Portfolio(PortfolioCommand::Add(args)) => books::portfolio::add(args).await,
        Command::Key(KeyCommand::Rotate(args)) => key::rotate(args).await,
        Command::Key(KeyCommand::Reseal(args)) => key::reseal(args).await,
    }
}

fn log_to_stderr(filter: &str, format: LogFormat) -> Result<(), CommandError> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| CommandError::usage(format!("--log \"{filter}\": {error}")))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
