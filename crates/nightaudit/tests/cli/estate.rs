//! A platform and books apart from it, as commands find them.

use std::process::{Child, Command, Stdio};

use serde_json::Value;
use store::testing::{Engine, Fixture};

use crate::support::{Credentials, Home, Server};

/// The account of the guide.
pub const ACCOUNT: &str = "5213a2d206112710005d96ff";

/// A platform with the account of the guide, and books elsewhere.
pub struct Estate {
    pub platform: Home,
    pub books: Home,
}

impl Fixture for Estate {
    async fn on(engine: Engine) -> Self {
        Self {
            platform: Home::on(engine).await,
            books: Home::on(engine).await,
        }
    }
}

impl Estate {
    /// The account of the guide, which has one stay.
    pub fn guide(&self) -> (Server, Credentials) {
        let seed = ["sandbox", "seed", "--fixture", "guesty-docs"];
        self.platform.run(&seed).expect(0);
        let credentials = self.platform.app(&["--account", ACCOUNT]);
        (self.platform.serve(&[]), credentials)
    }

    /// An account with a year and a half of life.
    pub fn portfolio(&self) -> (Server, Credentials) {
        let seed = ["sandbox", "seed", "--listings", "4", "--reservations", "60"];
        let seeded = self
            .platform
            .run(&[&seed[..], &["--format", "json"]].concat());
        let account = seeded.expect(0).json()["account"]
            .as_str()
            .unwrap()
            .to_owned();
        let credentials = self.platform.app(&["--account", &account]);
        (self.platform.serve(&[]), credentials)
    }
}

/// Connects. Nobody says under which address webhooks reach these books, so that light is red.
pub fn connect(books: &Home, base: &str, credentials: &Credentials) {
    books.connect(base, credentials, &[]).expect(4);
}

/// Syncs all; with the report of the only connection.
pub fn sync(home: &Home) -> Value {
    let report = home.run(&["sync", "--format", "json"]).expect(0).json();
    assert_eq!(report["complete"], true, "{report}");
    report["connections"][0].clone()
}

/// A command that runs until it is stopped or ends.
pub fn start(home: &Home, arguments: &[&str]) -> Child {
    let mut command = home.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Ctrl-C.
pub fn interrupt(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}
