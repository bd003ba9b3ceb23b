//! Rebuilding beside others, and what a mirror has otherwise than its evidence says.

use books::Error;
use books::evidence::Flaw;
use books::mirror::{Fault, Mirror, Rebuilt};
use bytes::Bytes;
use contract::Timestamp;
use guesty::Reply;
use serde_json::{Value, json};
use store::on_both_engines;

use crate::house::{id, reservation};
use crate::support::{Desk, START};

/// Takes in a list of stays, of which each has been paid so much.
async fn take(mirror: &Mirror, stays: usize, paid: usize) {
    let paid = paid.to_string();
    let stays = (0..stays).map(|number| reservation(number, "2026-12-01", &paid));
    let body = json!({"results": stays.collect::<Vec<Value>>()});
    let reply = Reply {
        request: "/v1/reservations?skip=0".to_owned(),
        status: 200,
        body: Bytes::from(body.to_string()),
        received_at: START.parse::<Timestamp>().unwrap(),
        sent_at: None,
        request_id: None,
    };
    mirror.take_in(&[reply]).await.unwrap();
}

/// All of the mirror is gone.
async fn lose(desk: &Desk) {
    for table in ["version", "object", "mirror"] {
        desk.sql(format!("DELETE FROM {table}")).await;
    }
}

fn faults(rebuilt: &Rebuilt) -> Vec<(String, Fault)> {
    let differences = rebuilt.differences.iter();
    differences.map(|one| (one.id.clone(), one.fault)).collect()
}

on_both_engines! {
    async fn what_differs_is_named(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        take(&mirror, 5, 0).await;
        take(&mirror, 5, 1).await;
        let (one, two, three) = (id(1), id(2), id(3));
        for statement in [
            format!("UPDATE object SET state = '{{}}' WHERE id = '{one}'"),
            format!("DELETE FROM object WHERE id = '{two}'"),
            format!("UPDATE object SET id = 'invented', record = 999 WHERE id = '{three}'"),
            format!("UPDATE version SET is_removed = NOT is_removed WHERE id = '{}'", id(4)),
        ] {
            desk.sql(statement).await;
        }
        let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
        assert!(!rebuilt.is_equal());
        let mut found = faults(&rebuilt);
        found.sort_by_key(|(id, _)| id.clone());
        assert_eq!(found, [
            (one, Fault::Other),
            (two, Fault::Missing),
            (three, Fault::Missing),
            (id(4), Fault::Other),
            ("invented".to_owned(), Fault::Invented),
        ]);
        assert_eq!(rebuilt.differences[0].to_string(), format!("reservation {} was other than the evidence says", id(1)));
        let again = mirror.rebuild(|_| ()).await.unwrap();
        assert!(again.is_equal());
        assert_eq!((again.before, again.after), (Some(rebuilt.after.clone()), rebuilt.after));
    }

    async fn a_mirror_that_goes_on_while_it_is_rebuilt_is_equal_all_the_same(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        take(&mirror, 40, 0).await;
        let reading = async {
            for paid in 1..40 {
                take(&mirror, 40 + paid % 3, paid).await;
            }
        };
        let rebuilding = async {
            for _ in 0..4 {
                let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
                assert_eq!(rebuilt.differences, []);
            }
        };
        tokio::join!(reading, rebuilding);
        let last = mirror.rebuild(|_| ()).await.unwrap();
        assert_eq!(last.before, Some(last.after));
    }

    async fn over_a_chain_that_is_not_as_it_was_appended_the_old_mirror_is_kept(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        for paid in 0..4 {
            take(&mirror, 5, paid).await;
        }
        let before = mirror.fingerprint().await.unwrap();
        desk.sql("DELETE FROM evidence WHERE number = 3").await;
        let missing = mirror.rebuild(|_| ()).await;
        assert!(matches!(missing, Err(Error::Broken { number: 3, flaw: Flaw::Missing, .. })), "{missing:?}");
        desk.sql("UPDATE evidence SET body = (SELECT body FROM evidence WHERE number = 1) WHERE number = 2").await;
        let changed = mirror.rebuild(|_| ()).await;
        assert!(matches!(changed, Err(Error::Broken { number: 2, flaw: Flaw::Changed, .. })), "{changed:?}");
        assert_eq!(mirror.fingerprint().await.unwrap(), before);
    }

    async fn a_mirror_that_was_lost_comes_back_as_it_was(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        for paid in 0..3 {
            take(&mirror, 30, paid).await;
        }
        let before = mirror.fingerprint().await.unwrap();
        lose(&desk).await;
        let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
        assert_eq!((rebuilt.before, Some(rebuilt.after)), (None, before.clone()));
        assert_eq!(mirror.fingerprint().await.unwrap(), before);
        take(&mirror, 31, 3).await;
        assert!(mirror.rebuild(|_| ()).await.unwrap().is_equal());
    }

    async fn a_mirror_that_goes_on_while_another_takes_its_place_loses_nothing(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        take(&mirror, 40, 0).await;
        desk.sql(format!("UPDATE object SET state = '{{}}' WHERE id = '{}'", id(7))).await;
        let reading = async {
            for paid in 1..20 {
                take(&mirror, 40 + paid % 3, paid).await;
            }
        };
        let (rebuilt, ()) = tokio::join!(mirror.rebuild(|_| ()), reading);
        rebuilt.unwrap();
        // What stood on the false state may have become a version of it.
        mirror.rebuild(|_| ()).await.unwrap();
        assert!(mirror.rebuild(|_| ()).await.unwrap().is_equal());
    }

    async fn of_several_rebuilds_at_once_the_mirror_comes_out_whole(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        for paid in 0..60 {
            take(&mirror, 20, paid).await;
        }
        let before = mirror.fingerprint().await.unwrap();
        lose(&desk).await;
        let rebuild = || mirror.rebuild(|_| ());
        let (one, two, three) = tokio::join!(rebuild(), rebuild(), rebuild());
        let ended = [one, two, three];
        assert!(ended.iter().any(Result::is_ok), "{ended:?}");
        let is_known = |end: &Result<Rebuilt, Error>| match end {
            Ok(rebuilt) => rebuilt.is_equal(),
            Err(error) => matches!(error, Error::RebuiltElsewhere(_)),
        };
        assert!(ended.iter().all(is_known), "{ended:?}");
        assert_eq!(mirror.fingerprint().await.unwrap(), before);
        let last = mirror.rebuild(|_| ()).await.unwrap();
        assert_eq!((last.before, Some(last.after)), (before.clone(), before));
    }
}
