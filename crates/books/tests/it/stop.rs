//! Runs that are asked to end before their time.

use std::sync::Arc;

use books::Error;
use books::mirror::{Kind, Mirror};
use books::sync::{Part, RunRecord, Settings, Summary, Sync};
use books::{Pace, SyncOrder};
use chrono::Duration;
use guesty::Credentials;
use store::{Clock, ManualClock, on_both_engines};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::house::{House, id, listing, reservation, transaction};
use crate::support::Desk;

const SOME: [Part; 2] = [Part::Properties, Part::Reservations];

fn sync(desk: &Desk, house: &House) -> Sync {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&desk.clock);
    Sync::new(&desk.chain, house.reader(), clock, Settings::default())
}

async fn last(desk: &Desk) -> RunRecord {
    let last = desk.books.last_sync(desk.connection).await;
    last.unwrap().unwrap()
}

async fn furnished() -> House {
    let house = House::open().await;
    house.with(|rooms| {
        rooms.listings = (1..=3).map(listing).collect();
        rooms.reservations = (0..250)
            .map(|number| reservation(number, "2026-12-01", "10"))
            .collect();
        rooms.transactions = (0..20)
            .map(|number| transaction(number, "2026-10-05T10:00:00", None))
            .collect();
    });
    house
}

/// A run that waits for the third page of its reservations, which does not come.
async fn stuck(desk: &Desk, house: &House) -> JoinHandle<Result<Summary, Error>> {
    let (asked, _) = house.hold_back_page("reservations", 198);
    let sync = sync(desk, house);
    let task = tokio::spawn(async move { sync.run(&SOME, None, &|_| ()).await });
    asked.notified().await;
    while stays(desk).await < 199 {
        tokio::task::yield_now().await;
    }
    task
}

async fn stays(desk: &Desk) -> i64 {
    let mirror = Mirror::of(&desk.chain);
    mirror.count(Kind::Reservation).await.unwrap()
}

on_both_engines! {
    async fn another_process_asks_a_run_to_end_and_the_next_one_goes_on(desk: Desk) {
        let house = furnished().await;
        let run = stuck(&desk, &house).await;
        let (other, now) = (desk.another(7), desk.clock.now());
        let asked = other.stop_sync(desk.connection).await.unwrap().unwrap();
        assert_eq!((asked.stop_asked_at, asked.ended_at), (Some(now), None));
        let ended = other.sync_ended(asked.clone()).await.unwrap();

        let summary = run.await.unwrap().unwrap();
        assert!(summary.is_stopped && !summary.is_complete());
        assert_eq!(summary.problems, []);
        assert_eq!(summary.of(Part::Reservations).new, 199);
        assert_eq!((ended.id, ended.ended_at), (asked.id, Some(now)));
        assert_eq!(ended.summary.as_ref(), Some(&summary));
        assert_eq!(last(&desk).await, ended);
        assert!(!ended.is_complete());

        let next = sync(&desk, &house).run(&SOME, None, &|_| ()).await.unwrap();
        assert_eq!(next.resumed, [("reservations".to_owned(), 199)]);
        assert!(next.is_complete(), "{next:?}");
        assert_eq!(stays(&desk).await, 250);
        assert_eq!(last(&desk).await.stop_asked_at, None);
    }

    async fn where_nothing_runs_there_is_nothing_to_stop(desk: Desk) {
        let house = furnished().await;
        assert_eq!(desk.books.stop_sync(desk.connection).await.unwrap(), None);
        sync(&desk, &house).run(&SOME, None, &|_| ()).await.unwrap();
        let before = last(&desk).await;
        assert_eq!(desk.books.stop_sync(desk.connection).await.unwrap(), None);
        assert_eq!(last(&desk).await, before);
    }

    async fn who_is_asked_twice_ends_once_and_who_died_is_not_asked(desk: Desk) {
        let house = furnished().await;
        let run = stuck(&desk, &house).await;
        run.abort();
        assert!(run.await.is_err());
        while last(&desk).await.ended_at.is_none() {
            tokio::task::yield_now().await;
        }
        // As one that was killed: nobody says that it ended.
        desk.sql("UPDATE sync_run SET ended_ms = NULL").await;
        let first = desk.books.stop_sync(desk.connection).await.unwrap().unwrap();
        desk.clock.advance(Duration::seconds(1));
        let again = desk.books.stop_sync(desk.connection).await.unwrap().unwrap();
        assert_eq!(again, first);
        desk.clock.advance(Duration::minutes(1));
        let died = desk.books.sync_ended(first).await.unwrap();
        assert!(died.ended_at.is_some() && died.summary.is_none());
        assert_eq!(desk.books.stop_sync(desk.connection).await.unwrap(), None);
        let next = sync(&desk, &house).run(&SOME, None, &|_| ()).await.unwrap();
        assert!(next.is_complete(), "{next:?}");
    }

    async fn wherever_runs_are_stopped_they_come_to_the_same_in_the_end(desk: Desk) {
        let house = furnished().await;
        let mut runs = 0;
        loop {
            runs += 1;
            // Each gets a little further than the one before.
            let (stop, mut answers) = (CancellationToken::new(), 0);
            let told = stop.clone();
            house.with(|rooms| rooms.between = Some(Box::new(move |_| {
                answers += 1;
                if answers == 1 + 4 * runs {
                    told.cancel();
                }
            })));
            let sync = sync(&desk, &house).until(stop);
            let summary = sync.run(&Part::ALL, None, &|_| ()).await.unwrap();
            assert_eq!(summary.problems, []);
            if !summary.is_stopped {
                break;
            }
        }
        assert!(runs > 3);
        house.with(|rooms| rooms.between = None);
        let after = sync(&desk, &house).run(&Part::ALL, None, &|_| ()).await.unwrap();
        let total = after.total();
        assert_eq!((total.new, total.changed, total.removed), (0, 0, 0), "{after:?}");
        assert_eq!(stays(&desk).await, 250);
        let rebuilt = Mirror::of(&desk.chain).rebuild(|_| ()).await.unwrap();
        assert_eq!(rebuilt.before, Some(rebuilt.after));
    }

    async fn who_waits_for_another_run_stops_waiting_and_leaves_that_one_alone(desk: Desk) {
        let house = furnished().await;
        house.with(|rooms| rooms.token_names = Some(id(7)));
        let portfolio = desk.books.add_portfolio("Main").await.unwrap();
        let (base, credentials) = (house.base().parse().unwrap(), Credentials::new("0oaTEST", "secret"));
        let connection = desk.books.connect(portfolio.id, &base, &credentials).await.unwrap().id;
        let order = SyncOrder { connection, parts: SOME.to_vec(), span: None, pace: Pace::Unlimited };
        let (asked, answer) = house.hold_back("listings");
        let first = {
            let (books, order) = (desk.books.clone(), order.clone());
            tokio::spawn(async move { books.sync(&order, &|_| ()).await })
        };
        asked.notified().await;
        let stop = CancellationToken::new();
        stop.cancel();
        let second = desk.another(7);
        let refused = second.sync_until(&order, stop, &|_| ()).await.unwrap_err();
        assert!(matches!(refused, Error::SyncUnderWay { .. }), "{refused}");
        answer.notify_one();
        assert!(first.await.unwrap().unwrap().is_complete());
    }
}
