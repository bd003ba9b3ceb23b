//! Books in the hands of somebody who may read them and no more.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Command;

use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::support::{Credentials, Home, Ran};

const ACCOUNT: &str = "5213a2d206112710005d96ff";
const RESERVATION: &str = "64da254383ad1500284bd0c0";

/// Whom nothing belongs to, on most machines.
const NOBODY: u32 = 65_534;

/// Books of the account of the guide, in a home of their own.
async fn books_of_the_guide(engine: Engine) -> Home {
    let platform = Home::on(engine).await;
    let seed = ["sandbox", "seed", "--fixture", "guesty-docs"];
    platform.run(&seed).expect(0);
    let credentials = platform.app(&["--account", ACCOUNT]);
    let server = platform.serve(&[]);
    let books = Home::on(engine).await;
    books.connect(&server.base, &credentials, &[]).expect(4);
    books.run(&["sync"]).expect(0);
    server.stop();
    books
}

/// Somebody whom file permissions hold back, as they do not root.
struct Auditor<'a> {
    home: &'a Home,
    id: Option<u32>,
}

impl<'a> Auditor<'a> {
    fn of(home: &'a Home) -> Self {
        let is_root = fs::metadata(home.path(".")).unwrap().uid() == 0;
        let id = is_root.then_some(NOBODY);
        if is_root {
            // The program itself may stand where nobody else may look.
            fs::copy(home.command(&[]).get_program(), home.path("program")).unwrap();
            permit(home, ".", 0o755);
        }
        Self { home, id }
    }

    fn gets(&self, name: &str, mode: u32) {
        permit(self.home, name, mode);
        chown(self.home.path(name), self.id, None).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.home.command(arguments);
        if let Some(id) = self.id {
            let mut as_nobody = Command::new(self.home.path("program"));
            as_nobody.uid(id).args(arguments);
            as_nobody.current_dir(self.home.path("."));
            command = as_nobody;
        }
        Ran::from(command.output().unwrap())
    }
}

fn permit(home: &Home, name: &str, mode: u32) {
    fs::set_permissions(home.path(name), Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_may_not_be_written_to_is_verified_and_read() {
    let home = &books_of_the_guide(Engine::Sqlite).await;
    let auditor = Auditor::of(home);
    fs::create_dir(home.path("copy")).unwrap();
    for name in ["books.db", "key"] {
        let copy = format!("copy/{name}");
        fs::copy(home.path("nightaudit-data").join(name), home.path(&copy)).unwrap();
        auditor.gets(&copy, 0o400);
    }
    auditor.gets("copy", 0o500);

    let of_copy = ["--data", "copy"];
    let run = |arguments: &[&str]| auditor.run(&[arguments, &of_copy].concat());
    let verified = run(&["verify"]).expect(0);
    assert!(
        verified
            .stdout
            .contains("every record is as it was appended"),
        "{verified:?}"
    );
    run(&["history", "reservation", RESERVATION]).expect(0);
    run(&["flagged"]).expect(0);
    run(&["portfolio", "list"]).expect(0);
    assert!(run(&["status"]).expect(4).stdout.contains("complete"));
    assert_eq!(fs::read_dir(home.path("copy")).unwrap().count(), 2);

    // What was committed and is only in the log is not passed over.
    permit(home, "copy", 0o700);
    fs::write(home.path("copy/books.db-wal"), "more").unwrap();
    auditor.gets("copy", 0o500);
    run(&["verify"]).refused(1, "its log books.db-wal has what is not in it yet");

    auditor.gets("copy", 0o000);
    let locked = run(&["status"]);
    assert_eq!(
        locked.stderr.matches("Permission denied").count(),
        1,
        "{locked:?}"
    );
    locked.refused(1, "copy/books.db");
    permit(home, "copy", 0o700);
}

on_both_engines! {
    async fn a_key_that_is_missing_is_asked_for_and_not_made_up(home: Home) {
        home.connect("http://127.0.0.1:1", &credentials(), &[]).expect(4);
        let files = ["--database", "sqlite:nightaudit-data"];
        let is_file = home.path("nightaudit-data/books.db").exists();
        let database = if is_file { &files[..] } else { &[] };
        fs::create_dir(home.path("empty")).unwrap();
        for data in ["empty", "absent"] {
            for command in [&["status"][..], &["verify"], &["key", "rotate"]] {
                let arguments = [command, &["--data", data], database].concat();
                home.run(&arguments).refused(3, &format!("there is no key at {data}/key"));
                assert!(!home.path(data).join("key").exists());
            }
        }
        let given = ["status", "--data", "empty", "--key-file", "nightaudit-data/key"];
        home.run(&[&given[..], database].concat()).expect(4);
    }
}

fn credentials() -> Credentials {
    Credentials {
        id: "0oaTEST".to_owned(),
        secret: "secret".to_owned(),
    }
}
