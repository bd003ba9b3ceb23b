//! Virtual environments of Python, for tools and libraries that are not ours: made once from the
//! pinned requirements in `xtask/python`, below the build folder, and anew when those change.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};

use crate::apt;

const MISSING: &str = "\
Python 3 with its venv module is missing. Install it:
    Debian, Ubuntu   sudo apt-get install python3 python3-venv
    Fedora           sudo dnf install python3
    macOS            brew install python";

/// What an environment must be able to do before anything is installed into it.
const CAPABLE: &str = "import ensurepip, sys, venv; assert sys.version_info >= (3, 9)";

/// An environment with everything that its requirements name.
#[derive(Debug)]
pub(crate) struct Environment {
    directory: PathBuf,
}

impl Environment {
    /// The environment of `xtask/python/NAME.txt`. Whoever wants it while another process makes it,
    /// waits until it is there.
    pub(crate) fn of(name: &str) -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let requirements = here.join("python").join(format!("{name}.txt"));
        let environments = here.with_file_name("target").join("python");
        Self::from_requirements(&requirements, &environments.join(name))
    }

    /// Where one of its programs is, `python` for instance.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.directory.join("bin").join(name)
    }

    fn from_requirements(requirements: &Path, directory: &Path) -> Result<Self> {
        let wanted = stamp(requirements, directory)?;
        let parent = directory.parent().context("an environment has a place")?;
        fs::create_dir_all(parent)?;
        let lock = File::create(directory.with_extension("lock"))?;
        lock.lock().context("cannot lock the environment")?;
        let standing = directory.join("stamp");
        if fs::read_to_string(&standing).ok().as_ref() != Some(&wanted) {
            make(requirements, directory)?;
            // Last: what was interrupted before is made anew.
            fs::write(&standing, wanted)?;
        }
        Ok(Self {
            directory: directory.to_owned(),
        })
    }
}

/// What an environment was made of. It says also where it was made: its programs name the Python
/// that they run with, and would find another's if the folder were copied.
fn stamp(requirements: &Path, directory: &Path) -> Result<String> {
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    Ok(format!("{}\n{wanted}", directory.display()))
}

fn make(requirements: &Path, directory: &Path) -> Result<()> {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    eprintln!("xtask: a Python environment for {name}, once");
    let python = find_or_install()?;
    let venv = Command::new(python)
        .args(["-m", "venv", "--clear"])
        .arg(directory)
        .output();
    must_succeed("python3 -m venv", &venv?)?;
    let pip = Command::new(directory.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--no-input"])
        .args(["--disable-pip-version-check", "--requirement"])
        .arg(requirements)
        .output();
    must_succeed("pip install", &pip?)
        .with_context(|| format!("cannot install {}", requirements.display()))
}

fn find_or_install() -> Result<&'static str> {
    if let Some(python) = find() {
        return Ok(python);
    }
    eprintln!("xtask: Python 3 with its venv module is not installed");
    if let Err(error) = apt::install(&["python3", "python3-venv"]) {
        eprintln!("xtask: cannot install it: {error:#}");
    }
    find().context(MISSING)
}

/// The first that can make environments. Debian's may be able to where another in PATH is not.
fn find() -> Option<&'static str> {
    ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        let asked = Command::new(python)
            .args(["-c", CAPABLE])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        asked.is_ok_and(|status| status.success())
    })
}

fn must_succeed(what: &str, output: &Output) -> Result<()> {
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{what} failed ({}): {said}",
        output.status
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_made_until_it_is_whole_and_then_once_however_many_want_it() {
        let place = tempfile::tempdir().unwrap();
        let requirements = place.path().join("ours.txt");
        let directory = place.path().join("ours");
        let made = || Environment::from_requirements(&requirements, &directory);
        fs::write(&requirements, "/nowhere/to/be/found.whl\n").unwrap();
        let told = format!("{:#}", made().unwrap_err());
        let names_both = told.contains("ours.txt") && told.contains("/nowhere");
        assert!(names_both, "{told}");

        fs::write(&requirements, "# nothing\n").unwrap();
        std::thread::scope(|scope| {
            for one in [scope.spawn(made), scope.spawn(made)] {
                one.join().unwrap().unwrap();
            }
        });
        let python = made().unwrap().program("python");
        let asked = Command::new(python).args(["-c", "exit(7)"]).status();
        assert_eq!(asked.unwrap().code(), Some(7));
        let mark = directory.join("mark");
        fs::write(&mark, "").unwrap();
        made().unwrap();
        assert!(mark.exists(), "it stood already");
    }
}
