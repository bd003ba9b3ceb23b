//! Reading one object again, beside everything else that reads.

use std::sync::Arc;

use books::mirror::{AsOf, Change, Counts, Kind, Mirror};
use books::sync::{Part, RereadError, Settings, Sync};
use chrono::Duration;
use guesty::Problem;
use guesty::seen::reservation::Reservation;
use serde_json::json;
use store::{Clock, on_both_engines};

use crate::house::{House, id, listing, reservation};
use crate::support::Desk;

fn sync(desk: &Desk, house: &House) -> Sync {
    let clock: Arc<dyn Clock> = Arc::<store::ManualClock>::clone(&desk.clock);
    Sync::new(&desk.chain, house.reader(), clock, Settings::default())
}

async fn furnished() -> House {
    let house = House::open().await;
    house.with(|rooms| {
        rooms.listings = vec![listing(1)];
        rooms.reservations = (0..5)
            .map(|number| reservation(number, "2026-12-01", "100"))
            .collect();
    });
    house
}

fn pay(house: &House, number: usize, paid: &str) {
    house.with(|rooms| rooms.reservations[number]["money"]["totalPaid"] = json!(paid));
}

async fn paid(desk: &Desk, number: usize) -> String {
    let mirror = Mirror::of(&desk.chain);
    let known = mirror.get::<Reservation>(&id(number), AsOf::Now).await;
    known
        .unwrap()
        .unwrap()
        .value
        .money
        .total_paid
        .get()
        .unwrap()
        .to_string()
}

/// What was known of a stay, step by step.
async fn steps(desk: &Desk, number: usize) -> Vec<Change> {
    let mirror = Mirror::of(&desk.chain);
    let code = format!("GY-{number}");
    let steps = mirror.history(Kind::Reservation, &code).await.unwrap();
    steps.iter().map(|step| step.change).collect()
}

async fn is_proven(desk: &Desk) {
    let rebuilt = Mirror::of(&desk.chain).rebuild(|_| ()).await.unwrap();
    assert_eq!(rebuilt.before, Some(rebuilt.after));
}

on_both_engines! {
    async fn what_is_new_changed_or_gone_is_learned_one_by_one(desk: Desk) {
        let house = furnished().await;
        let sync = sync(&desk, &house);
        let counts = |new, changed, unchanged, removed| Counts { new, changed, unchanged, removed, flagged: 0 };
        let stay = id(2);
        assert_eq!(sync.reread(Kind::Property, &id(1)).await.unwrap(), counts(1, 0, 0, 0));
        assert_eq!(sync.reread(Kind::Reservation, &stay).await.unwrap(), counts(1, 0, 0, 0));
        let before = desk.chain.tip().await.unwrap();
        assert_eq!(sync.reread(Kind::Reservation, &stay).await.unwrap(), counts(0, 0, 1, 0));
        assert_eq!(desk.chain.tip().await.unwrap(), before);
        pay(&house, 2, "150");
        assert_eq!(sync.reread(Kind::Reservation, &stay).await.unwrap(), counts(0, 1, 0, 0));
        house.with(|rooms| rooms.reservations.remove(2));
        assert_eq!(sync.reread(Kind::Reservation, &stay).await.unwrap(), counts(0, 0, 0, 1));
        assert_eq!(sync.reread(Kind::Reservation, &stay).await.unwrap(), counts(0, 0, 0, 0));
        // One that never was is no removal.
        assert_eq!(sync.reread(Kind::Reservation, &id(77)).await.unwrap(), counts(0, 0, 0, 0));
        is_proven(&desk).await;
    }

    async fn which_account_it_is_is_asked_now_and_then(desk: Desk) {
        let house = furnished().await;
        let sync = sync(&desk, &house);
        let accounts = || {
            let asked = house.asked();
            asked.iter().filter(|asked| asked.starts_with("accounts/me")).count()
        };
        for _ in 0..3 {
            sync.reread(Kind::Reservation, &id(1)).await.unwrap();
        }
        assert_eq!(accounts(), 1);
        desk.clock.advance(Duration::seconds(15 * 60 - 1));
        sync.reread(Kind::Reservation, &id(1)).await.unwrap();
        assert_eq!(accounts(), 0);
        desk.clock.advance(Duration::seconds(1));
        sync.reread(Kind::Reservation, &id(1)).await.unwrap();
        assert_eq!(accounts(), 1);
        // Who has just read the account need not ask again.
        desk.clock.advance(Duration::minutes(15));
        sync.run(&[Part::Properties, Part::Reservations], None, &|_| ()).await.unwrap();
        sync.reread(Kind::Reservation, &id(1)).await.unwrap();
        assert_eq!(accounts(), 1);
    }

    async fn what_cannot_be_read_is_said_and_changes_nothing(desk: Desk) {
        let house = furnished().await;
        let sync = sync(&desk, &house);
        house.with(|rooms| {
            rooms.broken = vec![format!("reservations/{}", id(1))];
            rooms.reservations[2] = json!({"_id": id(2), "money": 7});
        });
        let refused = sync.reread(Kind::Reservation, &id(1)).await.unwrap_err();
        assert!(matches!(&refused, RereadError::Source(error) if error.is_transient()), "{refused}");
        let refused = sync.reread(Kind::Reservation, &id(3_000)).await;
        assert!(refused.is_ok());
        let refused = sync.reread(Kind::Transaction, &id(1)).await.unwrap_err();
        assert!(matches!(&refused, RereadError::Source(error) if matches!(error.problem, Problem::Unreadable(_))), "{refused}");
        assert_eq!(desk.chain.tip().await.unwrap().length, 0);
    }

    async fn a_page_that_was_long_on_its_way_puts_nothing_old_over_something_newer(desk: Desk) {
        let house = furnished().await;
        let sync = sync(&desk, &house);
        sync.run(&[Part::Reservations], None, &|_| ()).await.unwrap();

        pay(&house, 1, "200");
        let (is_made, may_go) = house.hold_back("reservations");
        let running = sync.clone();
        let run = tokio::spawn(async move { running.run(&[Part::Reservations], None, &|_| ()).await });
        is_made.notified().await;
        pay(&house, 1, "300");
        pay(&house, 3, "300");
        sync.reread(Kind::Reservation, &id(1)).await.unwrap();
        may_go.notify_one();

        let summary = run.await.unwrap().unwrap();
        assert_eq!(summary.problems, []);
        assert_eq!((paid(&desk, 1).await.as_str(), paid(&desk, 3).await.as_str()), ("300", "300"));
        // 200 was never known: the page that had it came too late.
        assert_eq!(steps(&desk, 1).await, [Change::Appeared, Change::Changed]);
        is_proven(&desk).await;
    }

    async fn an_answer_that_was_long_on_its_way_is_asked_for_again(desk: Desk) {
        let house = furnished().await;
        let sync = sync(&desk, &house);
        sync.reread(Kind::Reservation, &id(1)).await.unwrap();

        pay(&house, 1, "200");
        let (is_made, may_go) = house.hold_back(&format!("reservations/{}", id(1)));
        let slow = sync.clone();
        let slow = tokio::spawn(async move { slow.reread(Kind::Reservation, &id(1)).await });
        is_made.notified().await;
        pay(&house, 1, "300");
        sync.reread(Kind::Reservation, &id(1)).await.unwrap();
        may_go.notify_one();
        assert_eq!(slow.await.unwrap().unwrap().unchanged, 1);
        assert_eq!(paid(&desk, 1).await, "300");
        assert_eq!(steps(&desk, 1).await, [Change::Appeared, Change::Changed]);
    }

    async fn an_old_404_does_not_remove_what_came_back(desk: Desk) {
        let house = furnished().await;
        let sync = sync(&desk, &house);
        sync.run(&[Part::Reservations], None, &|_| ()).await.unwrap();
        let stay = house.with(|rooms| rooms.reservations.remove(1));
        let (is_made, may_go) = house.hold_back(&format!("reservations/{}", id(1)));
        let slow = sync.clone();
        let slow = tokio::spawn(async move { slow.reread(Kind::Reservation, &id(1)).await });
        is_made.notified().await;
        house.with(|rooms| rooms.reservations.push(stay));
        sync.reread(Kind::Reservation, &id(1)).await.unwrap();
        may_go.notify_one();
        slow.await.unwrap().unwrap();
        let mirror = Mirror::of(&desk.chain);
        assert!(!mirror.get::<Reservation>(&id(1), AsOf::Now).await.unwrap().unwrap().is_removed);
        assert_eq!(steps(&desk, 1).await, [Change::Appeared]);
    }
}
