//! A home for one test's data, and the program run on it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};

use reqwest::{Client, StatusCode};
use serde_json::Value;
use store::DatabaseUrl;
use store::testing::{Engine, Fixture, TestDatabase};
use tempfile::TempDir;

/// A directory and a database of a test's own.
pub struct Home {
    directory: TempDir,
    database: Option<TestDatabase>,
}

impl Fixture for Home {
    async fn on(engine: Engine) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            database: (engine == Engine::Postgres).then(|| TestDatabase::new(engine, &[])),
        }
    }
}

impl Home {
    /// A file or directory in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The program, run in this directory on this database, with nothing else
    /// of ours in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightaudit"));
        command.args(arguments).current_dir(self.directory.path());
        for (name, _) in std::env::vars() {
            if name.starts_with("NIGHTAUDIT_") {
                command.env_remove(name);
            }
        }
        command.env("NIGHTAUDIT_NO_LIMITS", "true");
        if let Some(DatabaseUrl::Postgres(url)) = self.database.as_ref().map(TestDatabase::url) {
            command.env("NIGHTAUDIT_DATABASE", url);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Runs statements on the tables of the books, past everything that guards them.
    pub fn meddle(&self, statements: &str) {
        let files = DatabaseUrl::Sqlite(self.path("nightaudit-data"));
        let url = self.database.as_ref().map_or(&files, TestDatabase::url);
        store::testing::meddle(url, books::STORE_NAME, statements);
    }

    /// Runs a command that is given this on stdin.
    pub fn pipe(&self, arguments: &[&str], stdin: &str) -> Ran {
        let mut command = self.command(arguments);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.stderr(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // A command that refuses its arguments reads nothing.
        let _ = input.write_all(stdin.as_bytes());
        drop(input);
        Ran::from(child.wait_with_output().unwrap())
    }

    /// Connects the books to a server, and reads nothing yet; with what was printed as JSON.
    pub fn connect(&self, base: &str, credentials: &Credentials, arguments: &[&str]) -> Ran {
        let mut all = vec![
            "connect",
            "--base-url",
            base,
            "--client-id",
            &credentials.id,
        ];
        all.extend(["--client-secret-stdin", "--no-sync", "--format", "json"]);
        all.extend(arguments);
        self.pipe(&all, &credentials.secret)
    }

    /// Makes an application with further arguments.
    pub fn app(&self, arguments: &[&str]) -> Credentials {
        let mut all = vec!["app", "create", "--name", "Tests", "--format", "json"];
        all.extend(arguments);
        let made: Value = serde_json::from_str(&self.run(&all).expect(0).stdout).unwrap();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Credentials {
            id: text("client_id"),
            secret: text("client_secret"),
        }
    }

    /// Starts a server on a free port.
    pub fn serve(&self, arguments: &[&str]) -> Server {
        let mut all = vec!["serve", "--listen", "127.0.0.1:0"];
        all.extend(arguments);
        self.start(self.command(&all))
    }

    /// Starts a server, and waits until it says that it listens.
    pub fn start(&self, mut command: Command) -> Server {
        let log = self.path("server.log");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(base) = line.strip_prefix("listening on ").map(str::trim) else {
            let status = child.wait().unwrap();
            panic!("{status}: {line}{}", fs::read_to_string(&log).unwrap());
        };
        Server {
            base: base.to_owned(),
            http: http(),
            log,
            stdout,
            child,
        }
    }
}

fn http() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = Client::builder().no_proxy().tls_certs_only([]);
    plain.build().unwrap()
}

/// A platform's home, and that of books elsewhere.
pub struct Two {
    pub there: Home,
    pub here: Home,
}

impl Fixture for Two {
    async fn on(engine: Engine) -> Self {
        Self {
            there: Home::on(engine).await,
            here: Home::on(engine).await,
        }
    }
}

/// How a command ended and what it said.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// The result, which is JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, if it ended with this exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// Ended with this exit code, said this on stderr, and gave no result.
    #[track_caller]
    pub fn refused(self, code: i32, says: &str) {
        let ran = self.expect(code);
        assert!(ran.stderr.contains(says), "{says}: {ran:?}");
        assert_eq!(ran.stdout, "");
    }
}

/// What an application asks for tokens with.
#[derive(Clone)]
pub struct Credentials {
    pub id: String,
    pub secret: String,
}

/// A running server; killed when it is dropped.
pub struct Server {
    pub base: String,
    http: Client,
    log: PathBuf,
    stdout: BufReader<ChildStdout>,
    child: Child,
}

impl Server {
    /// Its address without the scheme.
    pub fn address(&self) -> &str {
        self.base.strip_prefix("http://").unwrap()
    }

    /// Asks for a token.
    pub async fn ask_token(&self, credentials: &Credentials) -> (StatusCode, Value) {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &credentials.id),
            ("client_secret", &credentials.secret),
        ];
        let url = format!("{}/oauth2/token", self.base);
        let reply = self.http.post(url).form(&form).send().await.unwrap();
        (reply.status(), reply.json().await.unwrap())
    }

    /// A token for an application that must get one.
    pub async fn token(&self, credentials: &Credentials) -> String {
        let (status, reply) = self.ask_token(credentials).await;
        assert_eq!(status, 200, "{reply}");
        reply["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.base);
        let reply = self.http.get(url).bearer_auth(token).send().await.unwrap();
        (reply.status(), reply.json().await.unwrap())
    }

    /// A reply that is no JSON.
    pub async fn text(&self, path: &str) -> (StatusCode, String) {
        let url = format!("{}{path}", self.base);
        let reply = self.http.get(url).send().await.unwrap();
        (reply.status(), reply.text().await.unwrap())
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("{}{path}", self.base);
        let request = self.http.post(url).bearer_auth(token).json(body);
        let reply = request.send().await.unwrap();
        (reply.status(), reply.json().await.unwrap())
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Tells it to stop, as a service manager does.
    pub fn terminate(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end; with what it had printed after its first line.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap(), rest)
    }

    /// Tells it to stop and waits for it to do so in good order.
    #[track_caller]
    pub fn stop(mut self) {
        self.terminate();
        let (status, rest) = self.wait();
        assert!(status.success(), "{status}: {}", self.log());
        assert_eq!(rest, "");
    }

    /// Ends it without a word.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
