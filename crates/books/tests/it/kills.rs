//! Runs that die anywhere, and sources that change meanwhile: in the end the mirror is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use books::evidence::Verdict;
use books::mirror::{AsOf, Mirror, Mirrored};
use books::sync::{Part, Settings, Sync};
use chrono::Duration;
use guesty::seen::listing::Listing;
use guesty::seen::payout::PayoutRow;
use guesty::seen::reservation::Reservation;
use guesty::seen::tax::Tax;
use guesty::seen::transaction::Transaction;
use proptest::prelude::*;
use serde_json::json;
use store::testing::{Engine, Fixture};
use store::{Clock, ManualClock};
use tokio::sync::Notify;

use crate::house::{House, Rooms, id, listing, payout_line, reservation, transaction};
use crate::support::Desk;

/// What happens at the source.
#[derive(Debug, Clone)]
enum Deed {
    Pay(usize),
    Remove(usize),
    Make(usize),
    Move(usize),
    Retire(usize),
    Settle(usize),
    Reject(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (0..400_usize).prop_map(Deed::Pay),
        3 => (0..400_usize).prop_map(Deed::Remove),
        2 => (0..400_usize).prop_map(Deed::Make),
        1 => (0..400_usize).prop_map(Deed::Move),
        1 => (0..6_usize).prop_map(Deed::Retire),
        2 => (0..150_usize).prop_map(Deed::Settle),
        1 => (0..9_usize).prop_map(Deed::Reject),
    ]
}

impl Deed {
    fn happen(&self, rooms: &mut Rooms) {
        let stay = |rooms: &Rooms, number: usize| {
            let mut stays = rooms.reservations.iter();
            stays.position(|row| row["_id"] == id(number))
        };
        match *self {
            Self::Pay(number) => {
                if let Some(place) = stay(rooms, number) {
                    rooms.reservations[place]["money"]["totalPaid"] = json!(number.to_string());
                }
            }
            Self::Remove(number) => {
                if let Some(place) = stay(rooms, number) {
                    rooms.reservations.remove(place);
                }
            }
            Self::Make(number) => {
                if stay(rooms, number).is_none() {
                    rooms
                        .reservations
                        .push(reservation(number, "2026-12-24", "5"));
                }
            }
            Self::Move(number) => {
                if let Some(place) = stay(rooms, number) {
                    rooms.reservations[place]["checkInDateLocalized"] = json!("2027-01-01");
                }
            }
            Self::Retire(number) => {
                if let Some(home) = rooms.listings.get_mut(number) {
                    home["active"] = json!(home["active"] != true);
                }
            }
            Self::Settle(number) => {
                if let Some(row) = rooms.transactions.get_mut(number) {
                    row["settlementDate"] = json!("2026-11-09T00:00:00");
                }
            }
            Self::Reject(number) => {
                if number < rooms.payouts.len() {
                    rooms.payouts.remove(number);
                }
            }
        }
    }
}

fn sync(desk: &Desk, house: &House) -> Sync {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&desk.clock);
    Sync::new(&desk.chain, house.reader(), clock, Settings::default())
}

async fn furnished() -> House {
    let house = House::open().await;
    house.with(|rooms| {
        rooms.listings = (0..6).map(listing).collect();
        rooms.reservations = (0..320)
            .map(|number| reservation(number, "2026-12-01", "1"))
            .collect();
        rooms.taxes = vec![json!({"_id": id(900), "type": "VAT", "amount": 7.7})];
        rooms.transactions = (0..150)
            .map(|number| transaction(number, "2026-11-05T10:00:00", None))
            .collect();
        rooms.payouts = (0..9)
            .map(|number| payout_line(number, "Fee", "Processed", "2026-11-12T12:00:00"))
            .collect();
    });
    house
}

/// What the source has of a kind, as a mirror says.
async fn all<T: Mirrored>(mirror: &Mirror) -> BTreeMap<String, T> {
    let known = mirror.page::<T>("", 10_000, AsOf::Now).await.unwrap();
    let here = known.into_iter().filter(|known| !known.is_removed);
    here.map(|known| (known.id, known.value)).collect()
}

async fn equal<T: Mirrored + PartialEq + Debug>(one: &Mirror, other: &Mirror) {
    assert_eq!(all::<T>(one).await, all::<T>(other).await);
}

/// The mirror is what somebody sees who reads the source for the first time, and can be proven.
async fn is_as_if_read_once(desk: &Desk, house: &House) {
    let mirror = Mirror::of(&desk.chain);
    let fresh = Desk::on(Engine::Sqlite).await;
    let summary = sync(&fresh, house)
        .run(&Part::ALL, None, &|_| ())
        .await
        .unwrap();
    assert_eq!(summary.problems, []);
    let other = Mirror::of(&fresh.chain);
    equal::<Listing>(&mirror, &other).await;
    equal::<Reservation>(&mirror, &other).await;
    equal::<Tax>(&mirror, &other).await;
    equal::<Transaction>(&mirror, &other).await;
    equal::<PayoutRow>(&mirror, &other).await;
    let tip = desk.chain.tip().await.unwrap();
    let verdict = desk.chain.verify(None, |_| ()).await.unwrap();
    assert_eq!(verdict, Verdict::Sound { tip });
    let before = mirror.fingerprint().await.unwrap();
    assert_eq!(Some(mirror.rebuild(|_| ()).await.unwrap().after), before);
}

/// Runs until so many steps of progress were told, and dies.
async fn killed(desk: &Desk, house: &House, steps: usize) {
    let (told, enough) = (AtomicUsize::new(0), Notify::new());
    let sync = sync(desk, house);
    let progress = |_| {
        if told.fetch_add(1, Ordering::Relaxed) + 1 == steps {
            enough.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = enough.notified() => {}
        ended = sync.run(&Part::ALL, None, &progress) => { ended.unwrap(); }
    }
    desk.clock.advance(Duration::minutes(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn runs_that_die_after_any_commit_come_to_the_same_mirror(
        lives in prop::collection::vec((1..30_usize, prop::collection::vec(deed(), 0..12)), 0..6),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (desk, house) = (Desk::on(Engine::Sqlite).await, furnished().await);
            for (steps, deeds) in lives {
                killed(&desk, &house, steps).await;
                house.with(|rooms| deeds.iter().for_each(|deed| deed.happen(rooms)));
            }
            // Whoever resumes has what was before; what changed since is for the run after it.
            for _ in 0..2 {
                let summary = sync(&desk, &house).run(&Part::ALL, None, &|_| ()).await.unwrap();
                assert_eq!(summary.problems, []);
            }
            is_as_if_read_once(&desk, &house).await;
        });
    }

    #[test]
    fn lists_that_change_while_they_are_read_are_known_in_the_end(
        deeds in prop::collection::vec(prop::collection::vec(deed(), 0..4), 0..40),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (desk, house) = (Desk::on(Engine::Sqlite).await, furnished().await);
            let known: BTreeSet<String> = (0..400).map(id).collect();
            let mut deeds = deeds.into_iter();
            house.with(|rooms| {
                rooms.between = Some(Box::new(move |rooms| {
                    for deed in deeds.next().unwrap_or_default() {
                        deed.happen(rooms);
                    }
                }));
            });
            for _ in 0..2 {
                sync(&desk, &house).run(&Part::ALL, None, &|_| ()).await.unwrap();
            }
            house.with(|rooms| rooms.between = None);
            let summary = sync(&desk, &house).run(&Part::ALL, None, &|_| ()).await.unwrap();
            assert_eq!(summary.problems, []);
            let stays = all::<Reservation>(&Mirror::of(&desk.chain)).await;
            assert!(stays.keys().all(|id| known.contains(id)));
            is_as_if_read_once(&desk, &house).await;
        });
    }
}
