//! A database that fails in the middle: nothing is half done, and the next run goes on.

use std::sync::Arc;

use books::Error;
use books::evidence::Verdict;
use books::mirror::{AsOf, Mirror};
use books::sync::{Part, Settings, Summary, Sync};
use chrono::Duration;
use guesty::seen::reservation::Reservation;
use serde_json::json;
use store::{Clock, ManualClock, on_both_engines};

use crate::house::{House, listing, reservation, transaction};
use crate::support::Desk;

async fn run(desk: &Desk, house: &House) -> Result<Summary, Error> {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&desk.clock);
    let sync = Sync::new(&desk.chain, house.reader(), clock, Settings::default());
    sync.run(&Part::ALL, None, &|_| ()).await
}

/// From so many records on, nothing more can be written to a table.
async fn fill(desk: &Desk, table: &str, records: i64) {
    let is_full = format!("(SELECT count(*) FROM evidence) >= {records}");
    if desk.is_postgres() {
        desk.sql(format!(
            "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN IF {is_full} THEN RAISE EXCEPTION 'could not extend file: No space left on \
             device'; END IF; RETURN NEW; END $$"
        ))
        .await;
        desk.sql(format!(
            "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE \
             FUNCTION full_disk()"
        ))
        .await;
        return;
    }
    for event in ["INSERT", "UPDATE"] {
        desk.sql(format!(
            "CREATE TRIGGER full_disk_{event} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, \
             'database or disk is full') WHERE {is_full}; END"
        ))
        .await;
    }
}

async fn make_room(desk: &Desk, table: &str) {
    if desk.is_postgres() {
        desk.sql(format!("DROP TRIGGER full_disk ON {table}")).await;
        return;
    }
    for event in ["INSERT", "UPDATE"] {
        desk.sql(format!("DROP TRIGGER full_disk_{event}")).await;
    }
}

/// The mirror is what the chain folds to, and the chain is sound.
async fn is_proven(desk: &Desk) {
    let tip = desk.chain.tip().await.unwrap();
    let verdict = desk.chain.verify(None, |_| ()).await.unwrap();
    assert_eq!(verdict, Verdict::Sound { tip });
    let mirror = Mirror::of(&desk.chain);
    let before = mirror.fingerprint().await.unwrap();
    let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
    assert!(before.is_none_or(|before| before == rebuilt.after));
}

async fn fails_and_recovers(desk: Desk, tables: &[&str]) {
    let house = House::open().await;
    house.with(|rooms| {
        rooms.listings = vec![listing(1)];
        rooms.reservations = (0..250)
            .map(|number| reservation(number, "2026-11-10", "0"))
            .collect();
    });
    for (turn, table) in tables.iter().enumerate() {
        // The first change of the run fails, and one in the middle of it.
        for later in [0, 2] {
            let paid = format!("{}{later}", turn + 1);
            house.with(|rooms| {
                let stays = rooms.reservations.iter_mut();
                stays.for_each(|stay| stay["money"]["totalPaid"] = json!(paid));
                let number = turn * 10 + usize::try_from(later).unwrap();
                rooms
                    .transactions
                    .push(transaction(number, "2026-11-05T10:00:00", None));
            });
            let records = desk.chain.tip().await.unwrap().length + later;
            fill(&desk, table, records).await;
            let failed = run(&desk, &house).await.unwrap_err();
            let is_told = matches!(&failed, Error::Store(error) if error.is_retryable());
            assert!(is_told, "{table}: {failed:?}");
            assert!(
                desk.chain.tip().await.unwrap().length <= records.max(1),
                "{table}"
            );
            make_room(&desk, table).await;
            is_proven(&desk).await;

            desk.clock.advance(Duration::minutes(2));
            assert_eq!(run(&desk, &house).await.unwrap().problems, [], "{table}");
            let mirror = Mirror::of(&desk.chain);
            let known = mirror
                .page::<Reservation>("", 1_000, AsOf::Now)
                .await
                .unwrap();
            let is_paid = |stay: &Reservation| {
                stay.money.total_paid.get().map(|p| p.to_string()) == Some(paid.clone())
            };
            assert_eq!(
                known.iter().filter(|known| is_paid(&known.value)).count(),
                250,
                "{table}"
            );
        }
    }
    is_proven(&desk).await;
}

on_both_engines! {
    async fn a_full_disk_loses_no_evidence_and_forges_none(desk: Desk) {
        fails_and_recovers(desk, &["evidence", "chain"]).await;
    }

    async fn a_full_disk_leaves_the_mirror_as_its_evidence_has_it(desk: Desk) {
        fails_and_recovers(desk, &["object", "version"]).await;
    }

    async fn a_full_disk_forgets_no_place_that_was_reached(desk: Desk) {
        fails_and_recovers(desk, &["sync_place", "sync_run"]).await;
    }
}
