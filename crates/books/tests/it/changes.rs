//! Reading only what changed, and missing nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use books::mirror::{AsOf, Mirror};
use books::sync::{Part, Settings, Summary, Sync};
use chrono::Duration;
use contract::Timestamp;
use guesty::seen::reservation::Reservation;
use proptest::prelude::*;
use serde_json::{Value, json};
use store::testing::{Engine, Fixture};
use store::{Clock, ManualClock, on_both_engines};

use crate::house::{House, Rooms, id, listing, reservation};
use crate::support::Desk;

/// The time at the source, which is not ours: it lives in the past.
const THERE: &str = "2023-08-14T12:00:00.000Z";

fn sync(desk: &Desk, house: &House) -> Sync {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&desk.clock);
    Sync::new(&desk.chain, house.reader(), clock, Settings::default())
}

async fn changed(desk: &Desk, house: &House) -> Summary {
    let summary = sync(desk, house).changed(&|_| ()).await.unwrap();
    assert_eq!(summary.problems, []);
    summary
}

fn there(minutes: i64) -> String {
    (THERE.parse::<Timestamp>().unwrap() + Duration::minutes(minutes)).to_string()
}

fn touch(rooms: &mut Rooms, number: usize, minutes: i64) {
    let found = rooms
        .reservations
        .iter_mut()
        .find(|row| row["_id"] == id(number));
    let row = found.unwrap();
    row["lastUpdatedAt"] = json!(there(minutes));
    row["money"]["totalPaid"] = json!(minutes.to_string());
}

fn stay(number: usize, minutes: i64) -> Value {
    let mut stay = reservation(number, "2026-12-01", &minutes.to_string());
    stay["lastUpdatedAt"] = json!(there(minutes));
    stay
}

/// So many reservations, one of which changed each minute.
async fn furnished(reservations: usize) -> House {
    let house = House::open().await;
    house.with(|rooms| {
        rooms.listings = vec![listing(1)];
        rooms.reservations = (0..reservations)
            .map(|number| stay(number, -i64::try_from(number).unwrap()))
            .collect();
    });
    house
}

/// What was paid for each stay, by the source and by the mirror.
async fn paid(desk: &Desk, house: &House) -> [BTreeMap<String, String>; 2] {
    let there = house.with(|rooms| {
        let rows = rooms.reservations.iter();
        let paid = |row: &Value| row["money"]["totalPaid"].as_str().unwrap().to_owned();
        rows.map(|row| (row["_id"].as_str().unwrap().to_owned(), paid(row)))
            .collect()
    });
    let mirror = Mirror::of(&desk.chain);
    let known = mirror
        .page::<Reservation>("", 10_000, AsOf::Now)
        .await
        .unwrap();
    let here = known.into_iter().filter(|known| !known.is_removed);
    let paid = |row: &Reservation| row.money.total_paid.get().unwrap().to_string();
    [
        there,
        here.map(|known| (known.id, paid(&known.value))).collect(),
    ]
}

fn lists(house: &House) -> Vec<String> {
    let asked = house.asked();
    let is_list =
        |asked: &String| asked.starts_with("reservations?") && asked.contains("limit=100");
    asked.into_iter().filter(is_list).collect()
}

on_both_engines! {
    async fn what_changed_is_read_and_not_the_rest(desk: Desk) {
        let house = furnished(250).await;
        let first = changed(&desk, &house).await;
        assert_eq!(first.of(Part::Reservations).new, 250);
        assert_eq!(lists(&house).len(), 3);

        let second = changed(&desk, &house).await;
        let read = lists(&house);
        assert!(read.len() == 1 && read[0].contains("lastUpdatedAt"), "{read:?}");
        // Those of the last quarter of an hour, in case that one of them was slow to be seen.
        assert_eq!(second.of(Part::Reservations).unchanged, 16);
        assert!(desk.books.last_sync(desk.connection).await.unwrap().unwrap().changed_only);

        house.with(|rooms| {
            touch(rooms, 200, 1);
            touch(rooms, 3, 60);
            rooms.reservations.push(stay(300, 61));
        });
        let third = changed(&desk, &house).await.of(Part::Reservations);
        assert_eq!((third.new, third.changed), (1, 2));
        let [there, here] = paid(&desk, &house).await;
        assert_eq!(there, here);
    }

    async fn all_is_read_once_a_day_and_what_is_gone_is_seen_then(desk: Desk) {
        let house = furnished(30).await;
        changed(&desk, &house).await;
        house.with(|rooms| rooms.reservations.remove(20));
        assert_eq!(changed(&desk, &house).await.total().removed, 0);
        desk.clock.advance(Duration::hours(23));
        assert_eq!(changed(&desk, &house).await.total().removed, 0);
        desk.clock.advance(Duration::hours(1));
        let all = changed(&desk, &house).await;
        assert_eq!(all.of(Part::Reservations).removed, 1);
        assert_eq!(all.parts.len(), 4);
    }

    async fn a_change_while_pages_are_read_is_not_lost(desk: Desk) {
        let house = furnished(250).await;
        // The first page was read, the second is on its way, the third is not asked for yet.
        let (asked, answer) = house.hold_back_page("reservations", 99);
        let reading = {
            let sync = sync(&desk, &house);
            tokio::spawn(async move { sync.changed(&|_| ()).await })
        };
        asked.notified().await;
        house.with(|rooms| {
            touch(rooms, 7, 30);
            // Of the third page: when it comes, it tells a later time than that of the change.
            touch(rooms, 240, 600);
        });
        answer.notify_one();
        reading.await.unwrap().unwrap();
        let [there, here] = paid(&desk, &house).await;
        assert_ne!(there, here);
        changed(&desk, &house).await;
        let [there, here] = paid(&desk, &house).await;
        assert_eq!(there, here);
    }

    async fn a_source_whose_time_went_back_is_read_whole(desk: Desk) {
        let house = furnished(120).await;
        changed(&desk, &house).await;
        house.with(|rooms| {
            rooms.reservations = (0..120).map(|number| stay(number, -100_000)).collect();
        });
        let again = changed(&desk, &house).await;
        assert_eq!(again.of(Part::Reservations).changed, 120);
        let more = changed(&desk, &house).await;
        assert_eq!(more.of(Part::Reservations).unchanged, 120);
    }

    async fn a_change_that_is_said_to_come_hides_none_until_then(desk: Desk) {
        let house = furnished(20).await;
        // Ten years ahead of the source's own clock.
        house.with(|rooms| touch(rooms, 4, 6_000_000));
        changed(&desk, &house).await;
        house.with(|rooms| {
            touch(rooms, 5, 0);
            let now = Timestamp::from(chrono::Utc::now());
            rooms.reservations[5]["lastUpdatedAt"] = json!(now.to_string());
        });
        changed(&desk, &house).await;
        let [there, here] = paid(&desk, &house).await;
        assert_eq!(there, here);
    }

    async fn a_source_that_does_not_filter_is_read_whole(desk: Desk) {
        let house = furnished(20).await;
        changed(&desk, &house).await;
        house.with(|rooms| {
            rooms.finds_nothing = true;
            touch(rooms, 5, 5);
        });
        changed(&desk, &house).await;
        let [there, here] = paid(&desk, &house).await;
        assert_eq!(there, here);
    }
}

/// What happens at the source between two requests.
#[derive(Debug, Clone)]
enum Deed {
    /// A stay changes or is made, so many minutes later.
    Touch(usize, i64),
    /// Our clock goes on or back by so many minutes; the source's does not.
    Skew(i64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => (0..400_usize, 0..40_i64).prop_map(|(stay, later)| Deed::Touch(stay, later)),
        1 => (-600..600_i64).prop_map(Deed::Skew),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Between any two requests anything may change, at equal instants too; the readings may be cut
    /// short. Once all is quiet, one more reading has it all.
    #[test]
    fn whatever_changes_while_it_is_read_is_known_in_the_end(
        deeds in proptest::collection::vec(deed(), 0..60),
        patience in proptest::collection::vec(1..9_usize, 0..6),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let desk = Desk::on(Engine::Sqlite).await;
            let house = furnished(220).await;
            changed(&desk, &house).await;
            let (clock, mut deeds) = (Arc::clone(&desk.clock), deeds.into_iter());
            let mut now = 0;
            house.with(|rooms| {
                rooms.between = Some(Box::new(move |rooms| match deeds.next() {
                    Some(Deed::Touch(number, later)) => {
                        now += later;
                        if rooms.reservations.iter().any(|row| row["_id"] == id(number)) {
                            touch(rooms, number, now);
                        } else {
                            rooms.reservations.push(stay(number, now));
                        }
                    }
                    Some(Deed::Skew(minutes)) => clock.advance(Duration::minutes(minutes)),
                    None => {}
                }));
            });
            for requests in patience {
                house.with(|rooms| rooms.patience = Some(requests));
                let sync = sync(&desk, &house);
                let task = tokio::spawn(async move { sync.changed(&|_| ()).await });
                while house.with(|rooms| rooms.patience) != Some(0) && !task.is_finished() {
                    tokio::task::yield_now().await;
                }
                task.abort();
                let _ = task.await;
                house.with(|rooms| rooms.patience = None);
                desk.clock.advance(Duration::minutes(2));
                while desk.books.last_sync(desk.connection).await.unwrap().unwrap().ended_at.is_none() {
                    tokio::task::yield_now().await;
                }
            }
            changed(&desk, &house).await;
            house.with(|rooms| rooms.between = None);
            changed(&desk, &house).await;
            let [there, here] = paid(&desk, &house).await;
            prop_assert_eq!(there, here);
            Ok(())
        })?;
    }
}
