//! Developers' tasks, run as `cargo xtask TASK`. Knows cargo, PostgreSQL's programs and
//! Python, and nothing of Nightaudit's own code: what it tests, it runs as a user would.
#![expect(
    clippy::print_stderr,
    reason = "a command line talks to the person who runs it"
)]

mod apt;
mod bench;
mod client;
mod contract;
mod postgres;
mod python;
mod test;
mod torture;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developers' tasks.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs every test, on SQLite and on a throw-away PostgreSQL.
    Test(test::Args),
    /// Measures how many payments a second are posted, on SQLite and on a durable PostgreSQL.
    Bench(bench::Args),
    /// Kills servers and breaks what they stand on, under load; proves that nothing was lost or done twice.
    Torture(torture::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test(args) => test::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Torture(args) => torture::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
