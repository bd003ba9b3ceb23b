//! A source that is in trouble as a whole, and one that is in trouble with a part.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use books::sync::{Part, Settings, Summary, Sync};
use serde_json::json;
use store::{Clock, ManualClock, on_both_engines};

use crate::house::{House, Query, id, listing, payout_line, reservation};
use crate::support::Desk;

async fn furnished() -> House {
    let house = House::open().await;
    house.with(|rooms| {
        rooms.listings = (1..=3).map(listing).collect();
        rooms.reservations = (0..250)
            .map(|number| reservation(number, "2026-11-10", "100"))
            .collect();
        rooms.taxes = vec![json!({"_id": id(900), "type": "VAT", "amount": 7.7})];
        rooms.payouts = vec![payout_line(
            1,
            "Fixed Fee",
            "Processed",
            "2026-11-12T12:00:00",
        )];
    });
    house
}

/// The source is in trouble with what is asked for like this.
fn in_trouble(house: &House, with: impl Fn(&str, &Query) -> bool + Send + 'static) {
    let broken = || (StatusCode::BAD_GATEWAY, Json(json!("oops"))).into_response();
    let instead = move |path: &str, query: &Query| with(path, query).then(broken);
    house.with(|rooms| rooms.instead = Some(Box::new(instead)));
}

async fn run(desk: &Desk, house: &House) -> Summary {
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&desk.clock);
    let sync = Sync::new(&desk.chain, house.reader(), clock, Settings::default());
    sync.run(&Part::ALL, None, &|_| ()).await.unwrap()
}

/// Once all is well again, the rest comes in.
async fn recovers(desk: &Desk, house: &House) -> Summary {
    house.with(|rooms| rooms.instead = None);
    house.asked();
    let summary = run(desk, house).await;
    assert_eq!(summary.problems, []);
    summary
}

fn paths(asked: &[String]) -> Vec<&str> {
    let paths = asked.iter().filter_map(|asked| asked.split('?').next());
    paths.collect()
}

on_both_engines! {
    async fn a_source_that_gives_nothing_is_not_asked_for_everything(desk: Desk) {
        let answers: [fn() -> Response; 3] = [
            || StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            || "<html>Down for maintenance</html>".into_response(),
            || r#"{"results":["#.into_response(),
        ];
        let house = furnished().await;
        for answer in answers {
            house.with(|rooms| rooms.instead = Some(Box::new(move |_, _| Some(answer()))));
            let summary = run(&desk, &house).await;
            let asked = house.asked();
            assert_eq!(paths(&asked), ["accounts/me", "listings", "accounts/me"], "{summary:?}");
            let told: Vec<String> = summary.problems.iter().map(ToString::to_string).collect();
            assert_eq!(told.len(), 6, "{told:#?}");
            assert!(told[2].contains("nothing for 3 different requests in a row"), "{told:#?}");
            assert!(told[2].contains("the last was GET /v1/accounts/me"), "{told:#?}");
            assert!(told[3].contains("no access to the source"), "{told:#?}");
        }
        assert_eq!(recovers(&desk, &house).await.of(Part::Reservations).new, 250);
    }

    async fn where_it_failed_the_next_run_goes_on(desk: Desk) {
        let house = furnished().await;
        in_trouble(&house, |path, query| path != "listings" && (path != "reservations" || query.number("skip") > 0));
        let summary = run(&desk, &house).await;
        assert_eq!(summary.of(Part::Reservations).new, 100, "{summary:?}");
        assert_eq!(summary.of(Part::Payments).new, 0, "{summary:?}");
        let resumed = recovers(&desk, &house).await.resumed;
        assert!(resumed.contains(&("reservations".to_owned(), 100)), "{resumed:?}");
    }

    async fn a_property_whose_taxes_were_not_given_is_asked_for_by_the_next_run(desk: Desk) {
        let house = furnished().await;
        let second = id(2);
        let has_begun = std::sync::atomic::AtomicBool::new(false);
        in_trouble(&house, move |path, _| {
            use std::sync::atomic::Ordering::Relaxed;
            has_begun.fetch_or(path.contains("fees/listing"), Relaxed);
            has_begun.load(Relaxed) && (path.contains(&second) || path == "accounts/me")
        });
        let summary = run(&desk, &house).await;
        assert_eq!(summary.problems.len(), 4, "{summary:?}");
        assert!(recovers(&desk, &house).await.resumed.contains(&("taxes and fees".to_owned(), 1)));
        let asked = house.asked();
        let of = |number: usize| {
            paths(&asked).iter().filter(|path| path.contains(&id(number)) && path.contains("fees")).count()
        };
        assert_eq!((of(1), of(2), of(3)), (0, 1, 1), "{asked:?}");
    }

    async fn trouble_with_one_list_is_told_and_the_others_are_read(desk: Desk) {
        let house = furnished().await;
        in_trouble(&house, |path, _| path == "payment-transactions/reports" || path == "listings");
        let summary = run(&desk, &house).await;
        assert_eq!(summary.of(Part::Reservations).new, 250, "{summary:?}");
        assert_eq!(summary.of(Part::Payments).new, 1, "{summary:?}");
        let asked = house.asked();
        let months = paths(&asked).iter().filter(|path| **path == "payment-transactions/reports").count();
        assert_eq!(months, 3, "{summary:?}");
        let last = summary.problems.last().unwrap().to_string();
        assert!(last.contains("three months one after the other could not be read"), "{last}");
        recovers(&desk, &house).await;
    }
}
