//! Runs of reading: on record, and one at a time.

use std::sync::Arc;

use books::Error;
use books::sync::{Part, RunRecord, Settings, Span, Summary, Sync};
use chrono::Duration;
use store::{Clock, ManualClock, on_both_engines};
use tokio::task::JoinHandle;

use crate::house::{House, listing, reservation};
use crate::support::Desk;

const SOME: [Part; 2] = [Part::Properties, Part::Reservations];

fn sync(desk: &Desk, house: &House) -> Sync {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&desk.clock);
    Sync::new(&desk.chain, house.reader(), clock, Settings::default())
}

async fn last(desk: &Desk) -> Option<RunRecord> {
    desk.books.last_sync(desk.connection).await.unwrap()
}

async fn furnished() -> House {
    let house = House::open().await;
    house.with(|rooms| {
        rooms.listings = vec![listing(1)];
        rooms.reservations = (0..150)
            .map(|number| reservation(number, "2026-12-01", "10"))
            .collect();
    });
    house
}

/// A run that waits for its reservations, which do not come.
async fn stuck(desk: &Desk, house: &House) -> JoinHandle<Result<Summary, Error>> {
    let (asked, _) = house.hold_back("reservations");
    let sync = sync(desk, house);
    let task = tokio::spawn(async move { sync.run(&SOME, None, &|_| ()).await });
    asked.notified().await;
    task
}

on_both_engines! {
    async fn the_last_run_is_on_record(desk: Desk) {
        let house = furnished().await;
        assert_eq!(last(&desk).await, None);
        let began_at = desk.clock.now();
        let summary = sync(&desk, &house).run(&SOME, None, &|_| ()).await.unwrap();
        let record = last(&desk).await.unwrap();
        assert!(record.is_complete());
        assert_eq!(record, RunRecord {
            id: record.id,
            parts: SOME.to_vec(),
            changed_only: false,
            span: None,
            began_at,
            ended_at: Some(began_at),
            stop_asked_at: None,
            summary: Some(summary),
        });

        desk.clock.advance(Duration::seconds(1));
        house.with(|rooms| rooms.broken = vec!["payment-transactions/reports".to_owned()]);
        let span = Span::new("2026-10-01".parse().unwrap(), "2026-10-02".parse().unwrap()).unwrap();
        let summary = sync(&desk, &house).run(&[Part::Payments], Some(span), &|_| ()).await.unwrap();
        let record = last(&desk).await.unwrap();
        assert_eq!((record.parts.as_slice(), record.span), ([Part::Payments].as_slice(), Some(span)));
        assert!(!record.is_complete());
        assert_eq!(record.summary.unwrap().problems, summary.problems);
    }

    async fn a_connection_is_read_by_one_run_at_a_time(desk: Desk) {
        let house = furnished().await;
        let since = desk.clock.now();
        let first = stuck(&desk, &house).await;
        desk.clock.advance(Duration::seconds(30));
        assert_eq!(last(&desk).await.unwrap().ended_at, None);
        let second = sync(&desk, &house).run(&SOME, None, &|_| ()).await;
        let refused = second.unwrap_err();
        assert!(matches!(refused, Error::SyncUnderWay { since: told, .. } if told == since), "{refused}");
        assert!(refused.to_string().contains("is being synced since 2026-11-21T12:00:00"), "{refused}");
        first.abort();
    }

    async fn who_was_killed_makes_room_after_a_minute(desk: Desk) {
        let house = furnished().await;
        let first = stuck(&desk, &house).await;
        // Killed, it would renew nothing any more; and this one renews by the tokio clock alone.
        desk.clock.advance(Duration::seconds(61));
        let died = last(&desk).await.unwrap();
        assert!(died.ended_at.is_some() && died.summary.is_none());
        let second = sync(&desk, &house).run(&SOME, None, &|_| ()).await.unwrap();
        assert_eq!(second.problems, []);
        assert!(last(&desk).await.unwrap().is_complete());

        first.abort();
        let _ = first.await;
        // What it says of itself when it is cut short comes too late to be heard.
        assert!(last(&desk).await.unwrap().is_complete());
        let again = sync(&desk, &house).run(&SOME, None, &|_| ()).await;
        assert_eq!(again.unwrap().problems, []);
    }

    async fn who_paused_too_long_commits_nothing_any_more(desk: Desk) {
        let house = furnished().await;
        let (asked, answer) = house.hold_back("reservations");
        let paused = {
            let sync = sync(&desk, &house);
            tokio::spawn(async move { sync.run(&[Part::Reservations], None, &|_| ()).await })
        };
        asked.notified().await;
        desk.clock.advance(Duration::minutes(2));
        sync(&desk, &house).run(&[Part::Properties], None, &|_| ()).await.unwrap();
        let tip = desk.chain.tip().await.unwrap();
        answer.notify_one();
        let lost = paused.await.unwrap().unwrap_err();
        assert!(matches!(lost, Error::SyncTakenOver(_)), "{lost}");
        assert_eq!(desk.chain.tip().await.unwrap(), tip);
    }

    async fn who_is_cut_short_makes_room_at_once(desk: Desk) {
        let house = furnished().await;
        let first = stuck(&desk, &house).await;
        first.abort();
        let _ = first.await;
        while last(&desk).await.unwrap().ended_at.is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(last(&desk).await.unwrap().summary, None);
        sync(&desk, &house).run(&SOME, None, &|_| ()).await.unwrap();
    }
}
