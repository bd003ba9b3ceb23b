//! `cargo xtask test --contract`: schemathesis makes requests of the API's own description, sends them to a
//! server with a seeded sandbox, and holds every reply to what the description says. It must find nothing.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;
use xshell::{Shell, cmd};

use crate::bench::Server;
use crate::client::Client;
use crate::python::Environment;

const WITHOUT_PYTHON: &str = "cannot make the Python environment of the contract's test";

/// The account of the seeded portfolio, whose ids are the description's examples.
const ACCOUNT: &str = "5213a2d206112710005d96ff";

/// What takes away what the others need, or lets years pass: these come last, on their own.
const LAST: [&str; 2] = ["advanceClock", "resetAccount"];

/// What is not held against the server: a request in the right form may still be refused by a rule, as no
/// schema says what a guest owes.
const UNCHECKED: &str = "positive_data_acceptance";

/// How to test.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct ContractArgs {
    /// Instead of the tests: drives a server by its own description.
    #[arg(long)]
    pub(crate) contract: bool,

    /// What the requests are chosen by; the same seed makes the same ones.
    #[arg(long, requires = "contract", default_value_t = 1)]
    seed: u32,

    /// For how many seconds requests are made.
    #[arg(long, requires = "contract", default_value_t = 120)]
    seconds: u32,
}

/// Drives a server by its own description, and fails when a reply is not as that says.
pub(crate) fn run(args: ContractArgs) -> Result<()> {
    let environment = Environment::of("contract").context(WITHOUT_PYTHON)?;
    let sh = Shell::new()?;
    cmd!(sh, "cargo build --package nightaudit").run()?;
    let binary = sh.current_dir().join("target/debug/nightaudit");
    let place = TempDir::new()?;
    let data = place.path().join("data");
    let server = Server::start(&binary, &data, &format!("sqlite:{}", data.display()))?;
    server.run(&["sandbox", "seed", "--fixture", "guesty-docs"])?;
    let token = token(&server)?;

    let st = environment.program("st");
    let drive = |more: &[String]| drive(&st, place.path(), server.address(), &token, args, more);
    let names = |option: &str| LAST.map(|id| format!("--{option}-operation-id={id}"));
    let mut most = names("exclude").to_vec();
    most.push("--phases=examples,coverage,fuzzing,stateful".to_owned());
    most.push(format!("--max-time={}", args.seconds));
    let mut last = names("include").to_vec();
    last.push("--phases=examples,coverage".to_owned());
    let found = [drive(&most)?, drive(&last)?];
    server.stop()?;
    if found.contains(&true) {
        bail!(
            "the server does not do what its description says (seed {})",
            args.seed
        );
    }
    eprintln!(
        "\nxtask: the server does what its description says (seed {})",
        args.seed
    );
    Ok(())
}

/// Whether a run finds a difference.
fn drive(
    st: &Path,
    place: &Path,
    address: &str,
    token: &str,
    args: ContractArgs,
    more: &[String],
) -> Result<bool> {
    let status = Command::new(st)
        .current_dir(place)
        .arg("--config-file")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/contract.toml"))
        .args(["run", &format!("http://{address}/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--checks=all", &format!("--exclude-checks={UNCHECKED}")])
        .args([
            "--max-examples=20",
            "--continue-on-failure",
            "--warnings=off",
        ])
        .arg(format!("--seed={}", args.seed))
        .args(more)
        .status()
        .context("cannot run schemathesis")?;
    // 1 says that something was found; anything else, that it could not look.
    let code = status.code();
    ensure!(
        matches!(code, Some(0 | 1)),
        "schemathesis ended with {status}"
    );
    Ok(code == Some(1))
}

/// A token of a new application of the seeded account.
fn token(server: &Server) -> Result<String> {
    let verb = [
        "app",
        "create",
        "--name",
        "contract",
        "--format",
        "json",
        "--account",
        ACCOUNT,
    ];
    let made = server.run(&verb)?;
    let field = |name: &str| {
        made[name]
            .as_str()
            .with_context(|| format!("no {name}: {made}"))
    };
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        field("client_id")?,
        field("client_secret")?
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (_, reply) = runtime.block_on(async {
        let mut client = Client::connect(server.address(), None).await?;
        let kind = "application/x-www-form-urlencoded";
        client.post("/oauth2/token", kind, Bytes::from(form)).await
    })?;
    let reply: Value = serde_json::from_slice(&reply)?;
    let token = reply["access_token"].as_str();
    Ok(token
        .with_context(|| format!("no token: {reply}"))?
        .to_owned())
}
