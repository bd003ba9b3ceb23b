//! Lists whose rows come and go while they are read: what is there all the while is in, and nothing
//! of it is taken for removed.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::response::IntoResponse;
use books::mirror::{AsOf, Kind, Known, Mirror, Mirrored};
use books::sync::{Part, Settings, Summary, Sync};
use chrono::Duration;
use guesty::seen::reservation::Reservation;
use guesty::seen::transaction::Transaction;
use proptest::prelude::*;
use serde_json::{Value, json};
use store::testing::{Engine, Fixture};
use store::{Clock, ManualClock, on_both_engines};

use crate::house::{House, Rooms, id, listing, reservation, transaction};
use crate::support::Desk;

const NOVEMBER: &str = "2026-11-05T10:00:00";

async fn run(desk: &Desk, house: &House) -> Summary {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&desk.clock);
    let sync = Sync::new(&desk.chain, house.reader(), clock, Settings::default());
    let parts = [Part::Properties, Part::Reservations, Part::Payments];
    sync.run(&parts, None, &|_| ()).await.unwrap()
}

fn stay(number: usize) -> Value {
    reservation(number, "2026-11-10", "100")
}

async fn furnished(
    stays: impl Iterator<Item = usize>,
    charges: impl Iterator<Item = usize>,
) -> House {
    let house = House::open().await;
    house.with(|rooms| {
        rooms.listings = vec![listing(1)];
        rooms.reservations = stays.map(stay).collect();
        rooms.transactions = charges
            .map(|number| transaction(number, NOVEMBER, None))
            .collect();
    });
    house
}

/// Something that happens when a page is asked for, once.
fn when_asked_for(
    house: &House,
    page: &'static str,
    deed: impl FnOnce(&mut Rooms) + Send + 'static,
) {
    let mut deed = Some(deed);
    house.with(|rooms| {
        rooms.between = Some(Box::new(move |rooms| {
            let is_it = |asked: &String| asked.contains(page) && !asked.contains("limit=1&");
            if rooms.asked.last().is_some_and(is_it)
                && let Some(deed) = deed.take()
            {
                deed(rooms);
            }
        }));
    });
}

async fn known<T: Mirrored>(desk: &Desk) -> Vec<Known<T>> {
    let mirror = Mirror::of(&desk.chain);
    mirror.page::<T>("", 10_000, AsOf::Now).await.unwrap()
}

async fn is_proven(desk: &Desk) {
    let rebuilt = Mirror::of(&desk.chain).rebuild(|_| ()).await.unwrap();
    assert_eq!(rebuilt.before, Some(rebuilt.after));
}

on_both_engines! {
    async fn a_row_that_slips_over_the_end_of_a_page_is_not_passed_over(desk: Desk) {
        let house = furnished(0..250, 0..0).await;
        // Two go and two come: the count is the same.
        when_asked_for(&house, "limit=100&skip=99", |rooms| {
            rooms.reservations.drain(4..6);
            rooms.reservations.extend([stay(300), stay(301)]);
        });
        let summary = run(&desk, &house).await;
        assert_eq!(summary.problems, []);
        let stays = summary.of(Part::Reservations);
        assert_eq!((stays.new, stays.changed, stays.unchanged, stays.removed), (252, 0, 0, 0));
        let asked = house.asked();
        let asked: Vec<_> = asked.iter().filter(|asked| asked.starts_with("reservations") && asked.contains("limit=100")).collect();
        assert!(asked.iter().any(|asked| asked.ends_with("skip=90")), "{asked:?}");
        // What went is seen the next time.
        let again = run(&desk, &house).await.of(Part::Reservations);
        assert_eq!((again.new, again.unchanged, again.removed), (0, 250, 2));
        is_proven(&desk).await;
    }

    async fn a_report_that_shifts_is_read_anew_and_no_row_is_there_twice(desk: Desk) {
        let house = furnished(0..1, 0..130).await;
        when_asked_for(&house, "startDate=2026-11-01&endDate=2026-11-30&take=100&skip=99", |rooms| {
            rooms.transactions.insert(0, transaction(500, NOVEMBER, None));
        });
        let summary = run(&desk, &house).await;
        assert_eq!(summary.problems, []);
        assert_eq!(summary.of(Part::Payments).new, 131);
        let rows = known::<Transaction>(&desk).await;
        assert!(rows.len() == 131 && !rows.iter().any(|row| row.id.contains('#')));
        is_proven(&desk).await;
        let again = run(&desk, &house).await.of(Part::Payments);
        assert_eq!((again.new, again.changed, again.unchanged, again.removed), (0, 0, 131, 0));
    }

    async fn a_flagged_row_at_the_end_of_a_page_is_counted_and_named_once(desk: Desk) {
        let house = furnished(0..150, 0..150).await;
        house.with(|rooms| {
            rooms.reservations[99]["status"] = json!("teleported");
            rooms.transactions[99]["currency"] = json!("XQX");
        });
        for _ in 0..2 {
            let summary = run(&desk, &house).await;
            assert_eq!((summary.total().flagged, summary.flagged.len()), (2, 2), "{summary:?}");
        }
    }

    async fn a_list_that_always_shifts_is_left_where_it_is_and_gone_on_with(desk: Desk) {
        let house = furnished(0..250, 0..0).await;
        house.with(|rooms| rooms.instead = Some(Box::new(|path, query| {
            let is_page = path == "reservations" && query.get("limit").as_deref() == Some("100");
            let first = query.number("skip") * 50;
            let rows: Vec<Value> = (first..first + 3).map(stay).collect();
            is_page.then(|| Json(json!({"results": rows, "count": 1_000_000})).into_response())
        })));
        let summary = run(&desk, &house).await;
        let said: Vec<String> = summary.problems.iter().map(ToString::to_string).collect();
        assert!(said.len() == 1 && said[0].contains("removed faster than it can be read"), "{said:?}");
        assert!(house.asked().len() < 100);
        house.with(|rooms| rooms.instead = None);
        let summary = run(&desk, &house).await;
        assert_eq!(summary.resumed, [("reservations".to_owned(), 3)]);
        assert_eq!(summary.of(Part::Reservations).new, 247);
        assert_eq!(summary.problems, []);
    }
}

/// What happens at the source.
#[derive(Debug, Clone)]
enum Deed {
    Remove(usize),
    Make(usize),
    /// A row of the report goes, or is put somewhere in it.
    Strike(usize),
    Insert(usize, usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (0..120_usize).prop_map(Deed::Remove),
        3 => (0..120_usize).prop_map(Deed::Make),
        1 => (0..60_usize).prop_map(Deed::Strike),
        1 => (0..60_usize, 0..60_usize).prop_map(|(place, number)| Deed::Insert(place, number)),
    ]
}

impl Deed {
    fn happen(&self, rooms: &mut Rooms) {
        match *self {
            Self::Remove(number) => rooms.reservations.retain(|row| row["_id"] != id(number)),
            Self::Make(number) => {
                Self::Remove(number).happen(rooms);
                rooms.reservations.push(stay(number));
            }
            Self::Strike(number) => {
                let struck = transaction(number, NOVEMBER, None);
                rooms.transactions.retain(|row| *row != struck);
            }
            Self::Insert(place, number) => {
                Self::Strike(number).happen(rooms);
                let place = place.min(rooms.transactions.len());
                rooms
                    .transactions
                    .insert(place, transaction(number, NOVEMBER, None));
            }
        }
    }

    /// Which stay it is about, and which row.
    fn is_about(&self) -> (Option<usize>, Option<usize>) {
        match *self {
            Self::Remove(number) | Self::Make(number) => (Some(number), None),
            Self::Strike(number) | Self::Insert(_, number) => (None, Some(number)),
        }
    }
}

/// What stayed is in, if that part could be read, and in no case taken for removed.
fn is_kept<T>(known: &[Known<T>], staying: &BTreeSet<String>, summary: &Summary, part: Part) {
    let is_read = !summary.problems.iter().any(|problem| problem.part == part);
    let here: BTreeSet<&String> = known.iter().map(|known| &known.id).collect();
    for id in staying.iter().filter(|_| is_read) {
        assert!(here.contains(id), "{id} is hidden: {summary:?}");
    }
    let removed = known.iter().filter(|known| known.is_removed);
    for known in removed {
        assert!(
            !staying.contains(&known.id),
            "{} is taken for removed",
            known.id
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn what_is_there_all_the_while_is_in(
        deeds in prop::collection::vec(prop::collection::vec(deed(), 0..4), 0..60),
        page_size in 2..9_usize,
        is_known_before in any::<bool>(),
        is_cut_short in prop::option::of(5..40_usize),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (mut stays, mut rows): (BTreeSet<usize>, BTreeSet<usize>) =
                ((0..60).map(|number| 2 * number).collect(), (0..30).map(|number| 2 * number).collect());
            let house = furnished(stays.iter().copied(), rows.iter().copied()).await;
            let desk = Desk::on(Engine::Sqlite).await;
            if is_known_before {
                run(&desk, &house).await;
            }
            for (stay, row) in deeds.iter().flatten().map(Deed::is_about) {
                stay.map(|stay| stays.remove(&stay));
                row.map(|row| rows.remove(&row));
            }
            let stays = stays.into_iter().map(id).collect();
            let rows = rows.into_iter().map(|row| transaction(row, "", None)["transactionId"].as_str().unwrap().to_owned()).collect();
            let mut deeds = deeds.into_iter();
            house.with(|rooms| {
                rooms.page_size = Some(page_size);
                rooms.between = Some(Box::new(move |rooms| {
                    deeds.next().into_iter().flatten().for_each(|deed| deed.happen(rooms));
                }));
                rooms.patience = is_cut_short;
            });
            if is_cut_short.is_some() {
                // It dies somewhere, and goes on after that.
                tokio::select! {
                    _ = run(&desk, &house) => {}
                    () = until_silent(&house) => {}
                }
                house.with(|rooms| rooms.patience = None);
                desk.clock.advance(Duration::minutes(2));
            }
            let summary = run(&desk, &house).await;
            is_kept(&known::<Reservation>(&desk).await, &stays, &summary, Part::Reservations);
            let charges = known::<Transaction>(&desk).await;
            is_kept(&charges, &rows, &summary, Part::Payments);
            assert!(!charges.iter().any(|row| row.id.contains('#')), "a row is there twice");
            is_proven(&desk).await;

            house.with(|rooms| rooms.between = None);
            run(&desk, &house).await;
            assert_eq!(run(&desk, &house).await.problems, []);
            let mirror = Mirror::of(&desk.chain);
            let there = house.with(|rooms| (rooms.reservations.len(), rooms.transactions.len()));
            let here = (mirror.count(Kind::Reservation).await.unwrap(), mirror.count(Kind::Transaction).await.unwrap());
            assert_eq!((i64::try_from(there.0).unwrap(), i64::try_from(there.1).unwrap()), here);
        });
    }
}

/// Until the source answers no more.
async fn until_silent(house: &House) {
    while house.with(|rooms| rooms.patience) != Some(0) {
        tokio::task::yield_now().await;
    }
}
