//! The key that seals secrets: the right one, the wrong one, and the next one.

use std::fs;

use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::support::Home;

const OTHER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

on_both_engines! {
    async fn a_wrong_key_is_refused_at_the_start(home: Home) {
        home.app(&[]);
        let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
        let output = command.env("NIGHTAUDIT_KEY", OTHER).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("--key-file or NIGHTAUDIT_KEY"), "{told}");
    }

    async fn a_rotated_key_opens_all_and_the_former_is_needed_no_more(home: Home) {
        let credentials = home.app(&[]);
        let server = home.serve(&[]);
        let token = server.token(&credentials).await;
        home.run(&["key", "rotate"]).refused(3, "stop that server");
        server.stop();

        let rotated = home.run(&["key", "rotate"]).expect(0);
        assert!(rotated.stdout.contains("2 secrets sealed anew"), "{}", rotated.stdout);
        let path = home.path("nightaudit-data/key");
        let keys = fs::read_to_string(&path).unwrap();
        assert_eq!(keys.lines().count(), 2);
        fs::write(&path, keys.lines().next().unwrap()).unwrap();

        let files = ["--database", "sqlite:nightaudit-data"];
        let is_file = home.path("nightaudit-data/books.db").exists();
        let database = if is_file { &files[..] } else { &[] };
        let elsewhere = ["key", "reseal", "--data", "elsewhere", "--key-file", "nightaudit-data/key"];
        let elsewhere = [&elsewhere[..], database].concat();

        let server = home.serve(&[]);
        // Nor from another directory, where the database is the same.
        home.run(&elsewhere).refused(3, "works with the databases");
        // A token from before is still ours: the key that signs is the same.
        assert_eq!(server.get("/v1/accounts/me", &token).await.0, 200);
        server.stop();
        home.run(&elsewhere).expect(0);
        let again = home.run(&["key", "reseal"]).expect(0);
        assert!(again.stdout.contains("already"), "{}", again.stdout);
    }
}

#[tokio::test]
async fn a_key_in_the_environment_is_renewed_by_hand_and_resealed() {
    let home = Home::on(Engine::Sqlite).await;
    home.app(&[]);
    let path = home.path("nightaudit-data/key");
    let old = fs::read_to_string(&path).unwrap();
    let with = |keys: &str, arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("NIGHTAUDIT_KEY", keys).output().unwrap()
    };
    let both = format!("{OTHER},{}", old.trim());
    assert_eq!(with(&both, &["key", "rotate"]).status.code(), Some(3));
    assert_eq!(with(&both, &["key", "reseal"]).status.code(), Some(0));
    let create = ["app", "create", "--name", "x"];
    assert_eq!(with(OTHER, &create).status.code(), Some(0));
    assert_eq!(with(old.trim(), &create).status.code(), Some(1));
}

#[tokio::test]
async fn a_key_of_the_environment_wins_over_the_files_and_a_flag_over_both() {
    let home = Home::on(Engine::Sqlite).await;
    home.app(&[]);
    fs::rename(home.path("nightaudit-data/key"), home.path("right")).unwrap();
    fs::write(home.path("nightaudit.toml"), "key_file = \"right\"\n").unwrap();
    let create = [
        "app",
        "create",
        "--name",
        "x",
        "--config",
        "nightaudit.toml",
    ];
    home.run(&create).expect(0);

    let mut command = home.command(&create);
    assert_eq!(
        command
            .env("NIGHTAUDIT_KEY", OTHER)
            .output()
            .unwrap()
            .status
            .code(),
        Some(1)
    );
    let mut command = home.command(&create);
    command
        .env("NIGHTAUDIT_KEY", OTHER)
        .args(["--key-file", "right"]);
    assert_eq!(command.output().unwrap().status.code(), Some(0));
}
