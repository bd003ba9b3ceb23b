//! What tasks need of the system, installed where apt-get is at hand.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use xshell::{Shell, cmd};

/// Installs packages, as root or by a `sudo` that asks for no password.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("this system has no apt-get");
    }
    let sh = Shell::new()?;
    // Without a password at hand, sudo must fail rather than wait for one.
    let privilege: &[&str] = if id(&["-u"])? == 0 {
        &[]
    } else {
        &["sudo", "-n"]
    };
    let apt_get = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "apt-get",
        "-q",
        "-y",
    ];
    cmd!(sh, "env {privilege...} {apt_get...} update").run()?;
    cmd!(
        sh,
        "env {privilege...} {apt_get...} install --no-install-recommends {packages...}"
    )
    .run()?;
    Ok(())
}

/// Asks `id` for a number.
pub(crate) fn id(args: &[&str]) -> Result<u32> {
    let output = Command::new("id")
        .args(args)
        .output()
        .context("cannot run id")?;
    ensure!(
        output.status.success(),
        "id {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
