//! `nightaudit sandbox`: letting things happen, by the real program.

use serde_json::Value;
use store::on_both_engines;
use store::testing::{Engine, Fixture};

use crate::support::Home;

const SEED: &[&str] = &["sandbox", "seed", "--fixture", "guesty-docs"];

on_both_engines! {
    async fn things_are_triggered_with_and_without_a_server(home: Home) {
        home.run(SEED).expect(0);
        let trigger = ["sandbox", "trigger", "late-fee", "--amount", "12.50"];
        let told = home.run(&trigger).expect(0);
        assert!(told.stdout.contains("12.50 USD"), "{}", told.stdout);
        let credentials = home.app(&[]);
        let server = home.serve(&[]);
        let told = home.run(&[&trigger[..], &["--format", "json"]].concat()).expect(0);
        let told: Value = serde_json::from_str(&told.stdout).unwrap();
        assert_eq!(told["name"], "late-fee");
        let token = server.token(&credentials).await;
        let path = format!("/v1/reservations/{}", told["reservation"].as_str().unwrap());
        let (_, reservation) = server.get(&path, &token).await;
        assert_eq!(reservation["money"]["balanceDue"].to_string(), "2525");
        home.run(&["sandbox", "trigger", "hold-expired"]).refused(3, "isAuthorizationHold");
        let nobody = ["sandbox", "trigger", "late-fee", "--reservation", "64da254383ad1500284bd0c1"];
        home.run(&nobody).refused(3, "Reservation Not Found");
        server.stop();
        home.run(&nobody).refused(3, "Reservation Not Found");
    }
}

#[tokio::test]
async fn an_account_is_emptied_when_that_is_meant() {
    let home = Home::on(Engine::Sqlite).await;
    home.run(&["sandbox", "reset", "--yes"])
        .refused(3, "no account yet");
    home.run(SEED).expect(0);
    home.run(&["sandbox", "reset"]).refused(2, "--yes");
    let nobody = [
        "sandbox",
        "reset",
        "--yes",
        "--account",
        "64da254383ad1500284bd0c1",
    ];
    home.run(&nobody).refused(3, "there is no account");
    let credentials = home.app(&[]);
    let told = home.run(&["sandbox", "reset", "--yes"]).expect(0);
    assert!(told.stdout.contains("is empty"), "{}", told.stdout);
    let server = home.serve(&[]);
    let token = server.token(&credentials).await;
    let (_, listings) = server.get("/v1/listings", &token).await;
    assert_eq!(listings["count"], 0);
    home.run(SEED).expect(0);
    let (_, listings) = server.get("/v1/listings", &token).await;
    assert_eq!(listings["count"], 1);
    let told = home
        .run(&["sandbox", "reset", "--yes", "--format", "json"])
        .expect(0);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["account"], "5213a2d206112710005d96ff");
    server.stop();
}

#[tokio::test]
async fn an_unknown_trigger_is_told_what_there_is() {
    let home = Home::on(Engine::Sqlite).await;
    home.run(&["sandbox", "trigger", "chargebak"])
        .refused(2, "did you mean chargeback?");
    home.run(&["sandbox", "trigger", "adjustment", "--amount", "soon"])
        .refused(2, "soon");
    let help = home.run(&["sandbox", "trigger", "--help"]).expect(0);
    assert!(
        help.stdout.contains("payout-rejected (--payout, --code)"),
        "{}",
        help.stdout
    );
}
