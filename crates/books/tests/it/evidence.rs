//! Chains of evidence: what is appended stays, and what was done to it is named.

use books::Error;
use books::evidence::{Flaw, Head, Kind, NewRecord, Verdict};
use contract::Timestamp;
use store::{new_id, on_both_engines};

use crate::support::{Desk, START, record};

async fn verdict(desk: &Desk) -> Verdict {
    desk.chain.verify(None, |_| ()).await.unwrap()
}

fn broken(number: i64, flaw: Flaw) -> Verdict {
    Verdict::Broken { number, flaw }
}

on_both_engines! {
    async fn what_was_appended_is_read_back_byte_for_byte(desk: Desk) {
        let at: Timestamp = START.parse().unwrap();
        let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let reply = NewRecord::new(Kind::Reply, "GET /v1/listings?skip=0", at, &body).unwrap();
        let empty = NewRecord::new(Kind::Decision, "", at, b"").unwrap();
        let tip = desk.chain.append(vec![reply.with_status(200).as_page(2, 3), empty]).await;
        assert_eq!(tip.unwrap().length, 2);

        let first = desk.chain.record(1).await.unwrap().unwrap();
        assert_eq!(first.body().unwrap(), body);
        assert_eq!((first.kind.as_str(), first.subject.as_str()), ("reply", "GET /v1/listings?skip=0"));
        assert_eq!((first.status, first.page, first.pages), (200, 2, 3));
        assert_eq!(first.at, at);
        assert_eq!(desk.chain.record(2).await.unwrap().unwrap().body().unwrap(), b"");
        assert_eq!(desk.chain.record(3).await.unwrap(), None);
    }

    async fn a_chain_is_begun_once_and_found_again(desk: Desk) {
        desk.append(3).await;
        let again = desk.another(7).begin_chain(desk.connection).await.unwrap();
        let tip = again.append(vec![record(4)]).await.unwrap();
        assert_eq!(verdict(&desk).await, Verdict::Sound { tip });
        let nobody = desk.books.chain(new_id()).await.err().unwrap();
        assert!(matches!(nobody, Error::NoChain(_)), "{nobody}");
        let wrong_key = desk.another(8).chain(desk.connection).await.err().unwrap();
        assert!(matches!(wrong_key, Error::Vault(_)), "{wrong_key}");
    }

    async fn chains_do_not_touch_each_other(desk: Desk) {
        let other = desk.books.begin_chain(new_id()).await.unwrap();
        desk.append(5).await;
        other.append(vec![record(1), record(2)]).await.unwrap();
        desk.append(1).await;
        let tip = other.tip().await.unwrap();
        assert_eq!(other.verify(None, |_| ()).await.unwrap(), Verdict::Sound { tip });
        assert_eq!((tip.length, desk.chain.tip().await.unwrap().length), (2, 6));
    }

    async fn records_appended_at_once_all_stand_in_one_chain(desk: Desk) {
        let appends = (0..20).map(|_| {
            let chain = desk.chain.clone();
            tokio::spawn(async move { chain.append(vec![record(1), record(2)]).await })
        });
        for append in appends.collect::<Vec<_>>() {
            append.await.unwrap().unwrap();
        }
        let tip = desk.chain.tip().await.unwrap();
        assert_eq!(tip.length, 40);
        assert_eq!(verdict(&desk).await, Verdict::Sound { tip });
    }

    async fn the_first_record_that_was_tampered_with_is_named(desk: Desk) {
        // More than are looked at together.
        desk.append(1_203).await;
        assert!(matches!(verdict(&desk).await, Verdict::Sound { .. }));

        desk.sql("UPDATE evidence SET subject = 'GET /v1/other' WHERE number = 1100").await;
        assert_eq!(verdict(&desk).await, broken(1_100, Flaw::Changed));
        desk.sql("UPDATE evidence SET number = number + 10000 WHERE number IN (700, 701)").await;
        assert_eq!(verdict(&desk).await, broken(700, Flaw::Missing));
        desk.sql("UPDATE evidence SET number = 20000 WHERE number = 600").await;
        desk.sql("UPDATE evidence SET number = 600 WHERE number = 602").await;
        desk.sql("UPDATE evidence SET number = 602 WHERE number = 20000").await;
        assert_eq!(verdict(&desk).await, broken(600, Flaw::Moved { was: 602 }));
        desk.sql("DELETE FROM evidence WHERE number = 1").await;
        assert_eq!(verdict(&desk).await, broken(1, Flaw::Missing));
    }

    async fn neighbours_that_changed_places_are_told_from_changed_records(desk: Desk) {
        desk.append(3).await;
        desk.sql("UPDATE evidence SET number = 9 WHERE number = 1").await;
        desk.sql("UPDATE evidence SET number = 1 WHERE number = 2").await;
        desk.sql("UPDATE evidence SET number = 2 WHERE number = 9").await;
        assert_eq!(verdict(&desk).await, broken(1, Flaw::Moved { was: 2 }));
    }

    async fn a_cut_tail_is_missed_by_the_chains_row_and_by_a_head_from_elsewhere(desk: Desk) {
        desk.append(4).await;
        let at_four = desk.chain.tip().await.unwrap();
        desk.append(2).await;
        let head = desk.chain.tip().await.unwrap().head;
        let written: Head = head.to_string().parse().unwrap();

        desk.sql("DELETE FROM evidence WHERE number > 4").await;
        assert_eq!(verdict(&desk).await, broken(5, Flaw::Missing));

        // Whoever cuts the chain's row too is found out by a head alone.
        let hex = at_four.head.to_string();
        let last_ms = at_four.at.millis();
        let row = |head: &str| format!(
            "UPDATE chain SET length = 4, last_ms = {last_ms}, head = {head}"
        );
        let bytes = if desk.is_postgres() {
            format!("decode('{hex}', 'hex')")
        } else {
            format!("X'{hex}'")
        };
        desk.sql(row(&bytes)).await;
        assert_eq!(verdict(&desk).await, Verdict::Sound { tip: at_four });
        let with_head = desk.chain.verify(Some(written), |_| ()).await.unwrap();
        assert_eq!(with_head, Verdict::UnknownHead { tip: at_four });
        // A head from the middle is found, as is none for an empty chain.
        let earlier = desk.chain.verify(Some(at_four.head), |_| ()).await.unwrap();
        assert_eq!(earlier, Verdict::Sound { tip: at_four });
    }

    async fn a_chains_row_that_tells_of_another_end_is_named(desk: Desk) {
        desk.append(3).await;
        desk.sql("UPDATE chain SET length = 2").await;
        assert_eq!(verdict(&desk).await, broken(3, Flaw::Uncounted));
    }

    async fn a_clock_set_back_does_not_reorder_what_was_known(desk: Desk) {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let days = ["2026-03-01", "2026-03-03", "2026-03-02", "2026-03-04"];
        for day in days {
            let record = NewRecord::new(Kind::Reply, "GET /v1/x", at(day), b"{}").unwrap();
            desk.chain.append(vec![record]).await.unwrap();
        }
        let mut known = Vec::new();
        for day in ["2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03", "2027-01-01"] {
            known.push(desk.chain.known_by(at(day)).await.unwrap());
        }
        // The third came on what the clock called the 2nd, after what it had called the 3rd.
        assert_eq!(known, [0, 1, 1, 3, 4]);
    }
}

/// `cargo test --release -p books a_million -- --ignored`
#[tokio::test]
#[ignore = "takes a minute; measures"]
async fn a_million_records_are_verified_in_less_than_a_minute() {
    use store::testing::{Engine, Fixture};
    let desk = Desk::on(Engine::Sqlite).await;
    for _ in 0..200 {
        desk.append(5_000).await;
    }
    let began = std::time::Instant::now();
    let verdict = desk.chain.verify(None, |_| ()).await.unwrap();
    println!("a million records verified in {:?}", began.elapsed());
    assert!(matches!(verdict, Verdict::Sound { tip } if tip.length == 1_000_000));
    assert!(began.elapsed().as_secs() < 60);
}
