//! The demo, as the README has people run it.

use store::testing::{Engine, Fixture};

use crate::support::Home;

#[tokio::test]
async fn the_demos_story_holds_to_its_end_and_the_books_learn_of_the_last_payment() {
    let home = Home::on(Engine::Sqlite).await;
    let told = home.run(&["demo", "--once"]).expect(0).stdout;
    for says in [
        "521.70  = payoutAmount",
        "Admin   green",
        "OAuth   green",
        "Webhook green",
        "money.totalPaid          620.5 → 700.75",
        ": webhook reservation.updated",
        "unbroken; the head to write down: ",
    ] {
        assert!(told.contains(says), "{says}: {told}");
    }
    assert!(told.ends_with("\nEvery step held.\n"), "{told}");
}
