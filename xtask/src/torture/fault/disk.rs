//! A disk that is full: a small file system of our own where we may mount one, else a limit to the
//! size of files.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Room for the databases as they are made, and for some load.
const SMALL_KIB: u64 = 6 * 1024;
const LARGE_KIB: u64 = 256 * 1024;

pub(super) enum Disk {
    /// Mounted at a directory.
    Mounted { at: PathBuf, guard: Child },
    /// Files may not grow beyond a size.
    Limited,
}

impl Disk {
    /// A small disk for a directory.
    pub(super) fn small(directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options(SMALL_KIB), "torture"]);
        let mounted = mount.arg(directory).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            return Ok(Self::Limited);
        }
        Ok(Self::Mounted {
            at: directory.to_owned(),
            guard: guard(directory)?,
        })
    }

    /// How large a file may be, where that is the limit.
    pub(super) fn file_kib_max(&self) -> Option<u64> {
        matches!(self, Self::Limited).then_some(SMALL_KIB / 3)
    }

    /// Makes room.
    pub(super) fn enlarge(&mut self, process: Option<u32>) -> Result<()> {
        let mut command = match self {
            Self::Mounted { at, .. } => {
                let mut mount = Command::new("mount");
                mount.args(["-o", &format!("remount,{}", options(LARGE_KIB))]);
                mount.arg(at);
                mount
            }
            Self::Limited => {
                let process = process.context("no server runs")?.to_string();
                let mut prlimit = Command::new("prlimit");
                prlimit.args(["--pid", &process, "--fsize=unlimited"]);
                prlimit
            }
        };
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the disk stays full: {said}");
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Self::Mounted { guard, .. } = self {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

fn options(kib: u64) -> String {
    format!("size={kib}k,mode=0700")
}

/// Unmounts it when our end of its input is closed, which is so however we end.
fn guard(directory: &Path) -> Result<Child> {
    Command::new("sh")
        .args(["-c", "cat > /dev/null; umount -l \"$1\"", "guard"])
        .arg(directory)
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot run sh")
}
