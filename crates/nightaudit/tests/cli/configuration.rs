//! Flags over the environment over the file, and what is wrong with them.

use std::fs;

use store::testing::{Engine, Fixture};

use crate::support::{Home, Server};

/// How many tokens a server grants in a day.
async fn quota(home: &Home, server: &Server) -> usize {
    let credentials = home.app(&["--data", "elsewhere"]);
    let mut granted = 0;
    while server.ask_token(&credentials).await.0 == 200 {
        granted += 1;
    }
    granted
}

#[tokio::test]
async fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let home = Home::on(Engine::Sqlite).await;
    let file = "listen = \"127.0.0.1:0\"\ndata = \"elsewhere\"\ntokens_per_day = 1\n";
    fs::write(home.path("nightaudit.toml"), file).unwrap();
    let with_file = ["serve", "--config", "nightaudit.toml"];

    let server = home.start(home.command(&with_file));
    assert_eq!(quota(&home, &server).await, 1);
    assert!(home.path("elsewhere/control.json").exists());
    server.stop();

    let mut command = home.command(&with_file);
    command.env("NIGHTAUDIT_TOKENS_PER_DAY", "2");
    let server = home.start(command);
    assert_eq!(quota(&home, &server).await, 2);
    server.stop();

    let mut command = home.command(&with_file);
    command.env("NIGHTAUDIT_TOKENS_PER_DAY", "2");
    command.args(["--tokens-per-day", "3"]);
    let server = home.start(command);
    assert_eq!(quota(&home, &server).await, 3);
    server.stop();
    assert!(!home.path("nightaudit-data").exists());
}

#[tokio::test]
async fn the_database_may_stand_apart_from_the_data_directory() {
    let home = Home::on(Engine::Sqlite).await;
    let apart = ["--data", "here", "--database", "sqlite:there"];
    home.app(&apart);
    assert!(home.path("there/payments.db").exists());
    assert!(home.path("here/key").exists());
    assert!(!home.path("here/payments.db").exists());
}

#[tokio::test]
async fn what_makes_no_sense_is_told_before_anything_is_made() {
    let home = Home::on(Engine::Sqlite).await;
    let files = [
        ("unknown.toml", "listne = \"127.0.0.1:0\"", "listne"),
        ("type.toml", "tokens_per_day = \"many\"", "tokens_per_day"),
        (
            "zero.toml",
            "tokens_per_day = 0",
            "(tokens_per_day): give a whole number from 1 to 4294967295",
        ),
        (
            "minus.toml",
            "webhook_days = -1",
            "give a whole number from 1",
        ),
        (
            "url.toml",
            "database = \"mysql://ann:secret@db/x\"",
            "not a database",
        ),
        ("syntax.toml", "listen", "syntax.toml"),
    ];
    for (name, text, says) in files {
        fs::write(home.path(name), text).unwrap();
        home.run(&["serve", "--config", name]).refused(2, says);
    }
    let commands: [(&[&str], &str); 10] = [
        (&["serve", "--config", "absent.toml"], "absent.toml"),
        (&["serve", "--listen", "localhost"], "--listen"),
        (&["serve", "--database", "nightaudit.db"], "not a database"),
        (&["serve", "--tokens-per-day", "0"], "--tokens-per-day"),
        (
            &["serve", "--webhooks-max", "0"],
            "give a whole number from 1 to 4294967295",
        ),
        (
            &["serve", "--sweep-minutes", "often"],
            "give a whole number from 1",
        ),
        (&["serve", "--log", "payments=loud"], "--log"),
        (&["sandbox", "seed", "--fixture", "other"], "guesty-docs"),
        (&["app", "create"], "--name"),
        (
            &["app", "create", "--name", "x", "--account", "7"],
            "24 hexadecimal",
        ),
    ];
    for (arguments, says) in commands {
        home.run(arguments).refused(2, says);
    }
    assert!(!home.path("nightaudit-data").exists());
}

#[tokio::test]
async fn a_password_in_a_wrong_url_is_not_repeated() {
    let home = Home::on(Engine::Sqlite).await;
    let url = "mysql://ann:secret@db/x";
    let files = [
        format!("database = \"{url}\""),
        format!("database = [\"{url}\"]"),
        format!("database = \"{url}"),
    ];
    for text in files {
        fs::write(home.path("nightaudit.toml"), text).unwrap();
        let ran = home
            .run(&["serve", "--config", "nightaudit.toml"])
            .expect(2);
        assert!(ran.stderr.contains("database"), "{ran:?}");
        assert!(!ran.stderr.contains("secret"), "{ran:?}");
    }
    let ran = home.run(&["serve", "--database", url]).expect(2);
    assert!(!ran.stderr.contains("secret"), "{ran:?}");
    let mut command = home.command(&["serve"]);
    let output = command.env("NIGHTAUDIT_DATABASE", url).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(!told.contains("secret"), "{told}");
}

#[tokio::test]
async fn help_tells_the_exit_codes() {
    let home = Home::on(Engine::Sqlite).await;
    let help = home.run(&["--help"]).expect(0);
    assert!(help.stdout.contains("Exit codes:"), "{}", help.stdout);
}
