//! Reading an account until the mirror is up to date.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use books::evidence::Verdict;
use books::mirror::{AsOf, Counts, Kind, Known, Lookup, Mirror};
use books::sync::{Part, Settings, Span, Summary, Sync};
use guesty::seen::account::Account;
use guesty::seen::listing::Listing;
use guesty::seen::reservation::Reservation;
use guesty::seen::transaction::Transaction;
use serde_json::json;
use store::{Clock, new_id, on_both_engines};

use crate::house::{House, id, listing, payout_line, reservation, transaction};
use crate::support::Desk;

fn sync(desk: &Desk, house: &House) -> Sync {
    let clock: Arc<dyn Clock> = Arc::<store::ManualClock>::clone(&desk.clock);
    Sync::new(&desk.chain, house.reader(), clock, Settings::default())
}

async fn run(desk: &Desk, house: &House, parts: &[Part], span: Option<Span>) -> Summary {
    sync(desk, house).run(parts, span, &|_| ()).await.unwrap()
}

async fn run_all(desk: &Desk, house: &House) -> Summary {
    let summary = run(desk, house, &Part::ALL, None).await;
    assert_eq!(summary.problems, []);
    summary
}

fn span(from: &str, to: &str) -> Span {
    Span::new(from.parse().unwrap(), to.parse().unwrap()).unwrap()
}

fn counts(new: u64, changed: u64, unchanged: u64, removed: u64) -> Counts {
    Counts {
        new,
        changed,
        unchanged,
        removed,
        flagged: 0,
    }
}

async fn furnished(reservations: usize) -> House {
    let house = House::open().await;
    house.with(|rooms| {
        rooms.listings = (1..=3).map(listing).collect();
        rooms.listings[2]["active"] = json!(false);
        rooms.reservations = (0..reservations)
            .map(|number| reservation(number, &format!("2026-1{}-10", number % 3), "100"))
            .collect();
        rooms.taxes = vec![json!({"_id": id(900), "type": "VAT", "amount": 7.7})];
        rooms.transactions = (0..130)
            .map(|number| transaction(number, "2026-10-05T10:00:00", None))
            .collect();
        rooms.payouts = vec![payout_line(
            1,
            "Fixed Fee",
            "Processed",
            "2026-11-12T12:00:00",
        )];
    });
    house
}

on_both_engines! {
    async fn all_of_an_account_is_brought_in_and_again_nothing(desk: Desk) {
        let house = furnished(250).await;
        let first = run_all(&desk, &house).await;
        assert_eq!(first.of(Part::Properties), counts(3, 0, 0, 0));
        assert_eq!(first.of(Part::Reservations), counts(250, 0, 0, 0));
        // The tax, and for either property in use that it holds there.
        assert_eq!(first.of(Part::Taxes), counts(3, 0, 0, 0));
        assert_eq!(first.of(Part::Payments), counts(131, 0, 0, 0));
        let tip = desk.chain.tip().await.unwrap();
        assert_eq!(desk.chain.verify(None, |_| ()).await.unwrap(), Verdict::Sound { tip });
        let record = desk.chain.record(1).await.unwrap().unwrap();
        assert_eq!(record.subject, "GET /v1/accounts/me");

        let again = run_all(&desk, &house).await;
        assert_eq!(again.total(), counts(0, 0, 387, 0));
        assert_eq!(desk.chain.tip().await.unwrap(), tip);

        let mirror = Mirror::of(&desk.chain);
        let before = mirror.fingerprint().await.unwrap();
        assert_eq!(Some(mirror.rebuild(|_| ()).await.unwrap().after), before);
    }

    async fn what_is_gone_or_moved_between_runs_is_seen_as_such(desk: Desk) {
        let house = furnished(250).await;
        run_all(&desk, &house).await;
        house.with(|rooms| {
            for gone in [249, 100, 0] {
                rooms.reservations.remove(gone);
            }
            rooms.reservations[5]["money"]["totalPaid"] = json!("300");
            rooms.listings.remove(0);
            rooms.listings[0]["active"] = json!(false);
        });
        let summary = run_all(&desk, &house).await;
        assert_eq!(summary.of(Part::Reservations), counts(0, 1, 246, 3));
        assert_eq!(summary.of(Part::Properties).removed, 1);
        let mirror = Mirror::of(&desk.chain);
        for gone in [249, 100, 0] {
            assert!(mirror.get::<Reservation>(&id(gone), AsOf::Now).await.unwrap().unwrap().is_removed);
        }
        let moved = mirror.get::<Listing>(&id(2), AsOf::Now).await.unwrap().unwrap();
        assert_eq!((moved.is_removed, moved.value.active.get()), (false, Some(false)));
        assert_eq!(run_all(&desk, &house).await.total().removed, 0);
    }

    async fn a_stay_that_moved_out_of_the_span_is_no_removed_one(desk: Desk) {
        let house = furnished(9).await;
        let october = span("2026-10-01", "2026-10-31");
        let first = run(&desk, &house, &[Part::Reservations], Some(october)).await;
        assert_eq!(first.total(), counts(3, 0, 0, 0));
        house.with(|rooms| rooms.reservations[3]["checkInDateLocalized"] = json!("2026-12-24"));
        let second = run(&desk, &house, &[Part::Reservations], Some(october)).await;
        assert_eq!(second.total(), counts(0, 1, 2, 0));
        let moved = Mirror::of(&desk.chain).get::<Reservation>(&id(3), AsOf::Now).await.unwrap();
        assert!(!moved.unwrap().is_removed);
    }

    async fn a_run_that_was_killed_anywhere_goes_on_where_it_was(desk: Desk) {
        let house = furnished(450).await;
        // Each run dies after so many requests, and the next goes on.
        for patience in [1, 2, 4, 3, 7, 2, 9, 4, 5, 12, 3, 8] {
            house.with(|rooms| rooms.patience = Some(patience));
            let sync = sync(&desk, &house);
            let task = tokio::spawn(async move { sync.run(&Part::ALL, None, &|_| ()).await });
            while house.with(|rooms| rooms.patience) != Some(0) && !task.is_finished() {
                tokio::task::yield_now().await;
            }
            task.abort();
            assert!(task.await.is_err());
            desk.clock.advance(chrono::Duration::minutes(2));
        }
        house.with(|rooms| rooms.patience = None);
        run_all(&desk, &house).await;

        let whole = desk.books.begin_chain(new_id()).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::<store::ManualClock>::clone(&desk.clock);
        Sync::new(&whole, house.reader(), clock, Settings::default())
            .run(&Part::ALL, None, &|_| ())
            .await
            .unwrap();
        let (broken, whole) = (Mirror::of(&desk.chain), Mirror::of(&whole));
        for kind in Kind::ALL {
            assert_eq!(broken.count(kind).await.unwrap(), whole.count(kind).await.unwrap(), "{kind}");
        }
        let (some, all) = (broken.page::<Reservation>("", 1_000, AsOf::Now), whole.page::<Reservation>("", 1_000, AsOf::Now));
        let (some, all) = (some.await.unwrap(), all.await.unwrap());
        let values = |known: &[Known<Reservation>]| known.iter().map(|k| k.value.clone()).collect::<Vec<_>>();
        assert_eq!(values(&some), values(&all));
        let tip = desk.chain.tip().await.unwrap();
        assert_eq!(desk.chain.verify(None, |_| ()).await.unwrap(), Verdict::Sound { tip });
    }

    async fn a_list_goes_on_where_it_was_left_or_before_where_it_shifted(desk: Desk) {
        let house = furnished(450).await;
        // The fourth page is asked for and never comes. Each begins with the last row of the one before.
        let kill_after = async |rows| {
            house.with(|rooms| rooms.patience = Some(5));
            let sync = sync(&desk, &house);
            let task = tokio::spawn(async move { sync.run(&[Part::Reservations], None, &|_| ()).await });
            let mirror = Mirror::of(&desk.chain);
            while mirror.count(Kind::Reservation).await.unwrap() < rows {
                tokio::task::yield_now().await;
            }
            task.abort();
            let _ = task.await;
            desk.clock.advance(chrono::Duration::minutes(2));
            house.with(|rooms| rooms.patience = None);
            house.asked();
        };
        // Whose they are is asked for first.
        let pages = || {
            let asked = house.asked().into_iter();
            asked.filter(|what| !what.contains("accounts/me")).collect::<Vec<_>>()
        };
        kill_after(298).await;
        let summary = run(&desk, &house, &[Part::Reservations], None).await;
        assert_eq!(summary.resumed, [("reservations".to_owned(), 298)]);
        assert_eq!(summary.total(), counts(152, 0, 0, 0));
        let asked = pages();
        assert!(asked[0].ends_with("skip=297"), "{asked:?}");
        assert_eq!(Mirror::of(&desk.chain).count(Kind::Reservation).await.unwrap(), 450);

        // As many are made as are removed, so the count does not tell.
        desk.sql("DELETE FROM object").await;
        kill_after(298).await;
        house.with(|rooms| {
            rooms.reservations.drain(..50);
            rooms.reservations.extend((450..500).map(|number| reservation(number, "2026-12-10", "1")));
        });
        let summary = run(&desk, &house, &[Part::Reservations], None).await;
        assert_eq!(summary.total(), counts(202, 0, 0, 0));
        let asked = pages();
        // Pages that were asked for ahead come between.
        assert!(asked[0].ends_with("skip=297"), "{asked:?}");
        let went_back = |skip: &str| asked.iter().any(|page| page.ends_with(skip));
        assert!(went_back("skip=288") && went_back("skip=198") && !went_back("skip=0"), "{asked:?}");
        assert_eq!(Mirror::of(&desk.chain).count(Kind::Reservation).await.unwrap(), 500);
    }

    async fn one_thing_that_cannot_be_read_does_not_stop_the_rest(desk: Desk) {
        let house = furnished(20).await;
        house.with(|rooms| {
            rooms.reservations[4] = json!({"_id": {"what": "is this"}, "money": 7});
            rooms.broken = vec![format!("taxes/unit-type/{}", id(1)), "accounts/me".to_owned()];
        });
        let summary = run(&desk, &house, &Part::ALL, None).await;
        let problems: Vec<String> = summary.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].contains("the account"), "{problems:?}");
        assert!(problems[1].contains("/v1/reservations"), "{problems:?}");
        assert!(problems[2].contains("taxes of property 000000000000000000000001"), "{problems:?}");
        assert_eq!(summary.of(Part::Reservations).new, 19);
        assert_eq!(summary.of(Part::Payments).new, 131);
        assert!(!summary.is_complete());
    }

    async fn months_are_read_again_until_they_are_mature(desk: Desk) {
        let house = furnished(1).await;
        let first = run_all(&desk, &house).await;
        // A year before the first stay until now, of both reports; December since November's
        // payouts have a row.
        assert_eq!((first.windows_read, first.windows_mature), (29, 0));
        let settled = json!("2026-10-07T00:00:00");
        house.with(|rooms| rooms.transactions[0]["settlementDate"] = settled);
        let second = run_all(&desk, &house).await;
        assert_eq!(second.of(Part::Payments), counts(0, 1, 130, 0));
        // Those that ended more than 120 days before: until June 2026, nine months of either.
        assert_eq!(second.windows_mature, 18);
        let mirror = Mirror::of(&desk.chain);
        let rows = mirror.find::<Transaction>(Lookup::Code("GY-1".to_owned()), AsOf::Now).await.unwrap();
        let is_settled = |row: &&Known<Transaction>| !row.value.settlement_date.is_absent();
        assert_eq!(rows.iter().filter(is_settled).count(), 1);

        // A year later nothing had happened at the source, whose own time may stand still.
        desk.clock.advance(chrono::Duration::days(365));
        assert_eq!(run_all(&desk, &house).await.windows_mature, 18);
        house.with(|rooms| rooms.reservations[0]["lastUpdatedAt"] = json!("2027-11-20T00:00:00.000Z"));
        run_all(&desk, &house).await;
        house.asked();
        let late = run_all(&desk, &house).await;
        assert!(late.windows_mature > 30, "{late:?}");
        assert!(!house.asked().iter().any(|asked| asked.contains("startDate=2026-10-01")));
        // Whoever wants to read it nevertheless may.
        let span = span("2026-10-15", "2026-10-15");
        let asked_for = run(&desk, &house, &[Part::Payments], Some(span)).await;
        assert_eq!((asked_for.windows_read, asked_for.total().unchanged), (2, 130));
    }

    async fn a_source_that_is_away_is_a_problem_and_no_loss(desk: Desk) {
        let house = furnished(5).await;
        run_all(&desk, &house).await;
        house.with(|rooms| {
            rooms.broken = ["listings", "reservations", "payment-transactions/reports"].map(str::to_owned).to_vec();
        });
        let summary = run(&desk, &house, &Part::ALL, None).await;
        assert!(!summary.is_complete());
        assert_eq!(summary.total().removed, 0);
        let mirror = Mirror::of(&desk.chain);
        assert_eq!(mirror.count(Kind::Reservation).await.unwrap(), 5);
        house.with(|rooms| rooms.broken.clear());
        assert_eq!(run_all(&desk, &house).await.total().removed, 0);
    }

    async fn dates_of_which_nothing_can_be_read_are_refused(desk: Desk) {
        let house = furnished(1).await;
        let absurd = [
            ("0001-01-01", "9999-12-31", Part::Payments, "there is nothing before 2000-01-01"),
            ("2026-01-01", "2029-01-01", Part::Reservations, "more than two years ahead"),
            ("2016-01-01", "2026-01-01", Part::Payments, "more than ten years"),
        ];
        for (from, to, part, says) in absurd {
            let refused = sync(&desk, &house).run(&[part], Some(span(from, to)), &|_| ()).await;
            let refused = refused.unwrap_err();
            assert!(refused.is_refusal() && refused.to_string().contains(says), "{refused}");
        }
        assert_eq!(house.asked(), Vec::<String>::new());
        let decade = Some(span("2016-01-01", "2025-12-31"));
        assert_eq!(run(&desk, &house, &[Part::Payments], decade).await.windows_read, 240);
    }

    async fn a_report_that_is_refused_month_after_month_is_given_up(desk: Desk) {
        let house = furnished(1).await;
        house.with(|rooms| rooms.instead = Some(Box::new(|path, _| {
            let refused = (StatusCode::BAD_REQUEST, Json(json!("no"))).into_response();
            (path == "payment-transactions/reports").then_some(refused)
        })));
        let year = Some(span("2026-01-01", "2026-12-31"));
        let summary = run(&desk, &house, &[Part::Payments], year).await;
        let asked = house.asked();
        let asked = asked.iter().filter(|asked| asked.starts_with("payment-transactions/reports?"));
        assert_eq!((asked.count(), summary.windows_read), (3, 12), "{summary:?}");
        assert_eq!(summary.problems.len(), 4);
        assert!(summary.problems[3].reason.contains("three months one after the other"), "{summary:?}");
    }

    async fn what_says_nothing_of_an_account_is_not_taken_for_it(desk: Desk) {
        let house = furnished(1).await;
        run_all(&desk, &house).await;
        let mirror = Mirror::of(&desk.chain);
        let before = mirror.get::<Account>("account", AsOf::Now).await.unwrap();
        for nothing in [json!({}), json!({"results": [], "count": 0})] {
            house.with(|rooms| rooms.account = Some((StatusCode::OK, nothing)));
            let summary = run(&desk, &house, &[Part::Properties], None).await;
            assert_eq!(summary.problems.len(), 1, "{summary:?}");
            assert!(summary.problems[0].reason.contains("an account without an id"), "{summary:?}");
            assert_eq!(mirror.get::<Account>("account", AsOf::Now).await.unwrap(), before);
        }
    }
}

#[test]
fn dates_in_the_wrong_order_are_refused() {
    let date = |text: &str| text.parse().unwrap();
    let refused = Span::new(date("2026-02-01"), date("2026-01-01")).unwrap_err();
    assert!(
        refused.to_string().contains("give the earlier one first"),
        "{refused}"
    );
}
