//! What messages told of is read, and what they did not tell is found.

use axum::http::StatusCode;
use chrono::TimeDelta;
use guesty::Credentials;
use serde_json::json;
use store::on_both_engines;
use tokio_util::sync::CancellationToken;

use crate::house::id;
use crate::post::Post;

/// What was asked for single objects.
fn single(post: &Post) -> Vec<String> {
    let asked = post.house.asked().into_iter();
    let asked = asked.map(|asked| asked.split('?').next().unwrap().to_owned());
    asked
        .filter(|path| path.matches('/').count() == 1 && !path.starts_with("accounts"))
        .collect()
}

fn path(stay: usize) -> String {
    format!("reservations/{}", id(stay))
}

on_both_engines! {
    async fn what_a_message_tells_of_is_read_from_the_source(post: Post) {
        // The message's own amounts are never believed.
        let told = json!({"event": "reservation.updated", "reservation": {"_id": id(1), "money": {"totalPaid": 7}}});
        post.accepted(&post.message("msg_1", &told)).await;
        post.accepted(&post.message("msg_2", &json!({"event": "listing.new", "listing": {"_id": id(1)}}))).await;
        post.accepted(&post.message("msg_3", &json!({"event": "payments.received", "payment": {"reservationId": id(2)}}))).await;
        post.work().await;
        assert_eq!(post.paid(1).await.as_deref(), Some("100"));
        let mut asked = single(&post);
        asked.sort();
        assert_eq!(asked, [format!("listings/{}", id(1)), path(1)]);
        assert_eq!(post.waiting().await, 0);
        post.is_proven().await;
    }

    async fn what_is_gone_is_seen_as_gone(post: Post) {
        post.accepted(&post.told_of("msg_1", 1)).await;
        post.work().await;
        post.house.with(|rooms| rooms.reservations.remove(1));
        post.accepted(&post.told_of("msg_2", 1)).await;
        post.work().await;
        assert_eq!(post.paid(1).await, None);
        assert_eq!(post.waiting().await, 0);
    }

    async fn however_many_told_of_it_an_object_is_read_once(post: Post) {
        for number in 0..10 {
            post.accepted(&post.told_of(&format!("msg_{number}"), 1)).await;
        }
        post.work().await;
        assert_eq!(single(&post), [path(1)]);
    }

    async fn what_is_told_while_it_is_read_is_read_again(post: Post) {
        post.accepted(&post.told_of("msg_1", 1)).await;
        let (is_made, may_go) = post.house.hold_back(&path(1));
        let books = post.books.clone();
        let working = tokio::spawn(async move { books.run_jobs_once().await });
        is_made.notified().await;
        post.pay(1, "200");
        post.accepted(&post.told_of("msg_2", 1)).await;
        may_go.notify_one();
        working.await.unwrap().unwrap();
        post.work().await;
        assert_eq!(post.paid(1).await.as_deref(), Some("200"));
        assert_eq!(single(&post), [path(1), path(1)]);
        assert_eq!(post.waiting().await, 0);
    }

    async fn what_was_accepted_before_a_crash_is_worked_after_it(post: Post) {
        post.accepted(&post.told_of("msg_1", 1)).await;
        let (is_made, _never) = post.house.hold_back(&path(1));
        let books = post.another();
        let dying = tokio::spawn(async move { books.run_jobs_once().await });
        is_made.notified().await;
        dying.abort();
        assert!(dying.await.is_err());

        let restarted = post.another();
        restarted.run_jobs_once().await.unwrap();
        assert_eq!(post.paid(1).await, None, "two read the same at once");
        post.pass(TimeDelta::seconds(30));
        restarted.run_jobs_once().await.unwrap();
        assert_eq!(post.paid(1).await.as_deref(), Some("100"));
        assert_eq!(post.waiting().await, 0);
    }

    async fn what_messages_tell_of_is_not_taken_from_another_account(post: Post) {
        for stay in 0..3 {
            post.accepted(&post.told_of(&format!("msg_{stay}"), stay)).await;
        }
        post.work().await;
        assert_eq!(post.paid(1).await.as_deref(), Some("100"));
        // Whose answers these are is not asked with each of them.
        let asked = post.house.asked();
        let of_account = asked.iter().filter(|asked| asked.starts_with("accounts/me"));
        assert_eq!(of_account.count(), 1, "{asked:?}");

        post.house.with(|rooms| rooms.account = Some((StatusCode::OK, json!({"_id": id(8)}))));
        post.pay(1, "7");
        post.accepted(&post.told_of("msg_4", 1)).await;
        post.work().await;
        assert_eq!(post.paid(1).await.as_deref(), Some("100"));
        assert_eq!(post.waiting().await, 1);

        // Whoever saves the credentials again says that it is right so.
        let connection = post.books.connection(post.connection).await.unwrap();
        let credentials = Credentials::new("0oaTEST", "secret");
        post.books.connect(connection.portfolio, &connection.base_url, &credentials).await.unwrap();
        post.work().await;
        assert_eq!(post.paid(1).await.as_deref(), Some("7"));
        assert_eq!(post.waiting().await, 0);
        post.is_proven().await;
    }

    async fn processes_share_the_work(post: Post) {
        for stay in 0..3 {
            post.accepted(&post.told_of(&format!("msg_{stay}"), stay)).await;
        }
        let (one, other) = (post.another(), post.another());
        let (one, other) = tokio::join!(one.run_jobs_once(), other.run_jobs_once());
        one.unwrap();
        other.unwrap();
        assert_eq!(post.waiting().await, 0);
        let mut asked = single(&post);
        asked.sort();
        assert_eq!(asked, [path(0), path(1), path(2)]);
    }

    async fn a_source_in_trouble_is_asked_again_later(post: Post) {
        post.house.with(|rooms| rooms.broken = vec![path(1)]);
        post.accepted(&post.told_of("msg_1", 1)).await;
        post.accepted(&post.told_of("msg_2", 2)).await;
        post.work().await;
        // One object that is in trouble does not keep the others waiting.
        assert_eq!(post.paid(2).await.as_deref(), Some("100"));
        assert_eq!(post.waiting().await, 1);
        post.house.with(|rooms| rooms.broken.clear());
        post.work().await;
        assert_eq!(post.waiting().await, 1, "it was asked again at once");
        post.pass(TimeDelta::seconds(1));
        post.work().await;
        assert_eq!(post.paid(1).await.as_deref(), Some("100"));
        assert_eq!(post.waiting().await, 0);
    }

    async fn a_connection_that_does_not_work_is_tried_with_one_object(post: Post) {
        post.house.with(|rooms| rooms.no_token = Some((StatusCode::UNAUTHORIZED, "application/json", "{}")));
        post.desk.sql("UPDATE access_token SET sealed = NULL").await;
        for stay in 0..3 {
            post.accepted(&post.told_of(&format!("msg_{stay}"), stay)).await;
        }
        post.work().await;
        assert_eq!((post.waiting().await, single(&post)), (3, vec![]));
        post.house.with(|rooms| rooms.no_token = None);
        post.work().await;
        assert_eq!(post.waiting().await, 0);
    }

    async fn what_the_source_does_not_give_is_a_problem_until_it_does(post: Post) {
        post.house.with(|rooms| rooms.forbidden = vec![path(1)]);
        post.accepted(&post.told_of("msg_1", 1)).await;
        post.work().await;
        let state = post.books.inbox_state(post.connection).await.unwrap();
        assert_eq!((state.waiting, state.unreadable.len()), (0, 1));
        assert_eq!(state.unreadable[0].id, id(1));
        assert!(state.unreadable[0].reason.contains("may not do this"), "{state:?}");

        post.house.with(|rooms| rooms.forbidden.clear());
        post.pass(TimeDelta::minutes(14));
        post.work().await;
        assert_eq!(post.paid(1).await, None);
        post.accepted(&post.told_of("msg_2", 1)).await;
        post.work().await;
        assert_eq!(post.paid(1).await.as_deref(), Some("100"));
        let state = post.books.inbox_state(post.connection).await.unwrap();
        assert_eq!((state.waiting, state.unreadable.len()), (0, 0));
    }

    async fn while_it_is_disconnected_it_waits(post: Post) {
        post.accepted(&post.told_of("msg_1", 1)).await;
        let connection = post.books.disconnect(post.connection).await.unwrap().connection;
        post.house.asked();
        post.work().await;
        assert_eq!((post.waiting().await, single(&post)), (1, vec![]));
        let credentials = Credentials::new("0oaTEST", "secret");
        let again = post.books.connect(connection.portfolio, &connection.base_url, &credentials).await.unwrap();
        assert_eq!(again.id, connection.id);
        post.work().await;
        assert_eq!((post.waiting().await, single(&post)), (0, vec![path(1)]));
    }

    async fn what_is_accepted_is_read_at_once(post: Post) {
        let stop = CancellationToken::new();
        let (books, told) = (post.books.clone(), stop.clone());
        let jobs = tokio::spawn(async move { books.run_jobs(told).await });
        post.accepted(&post.told_of("msg_1", 1)).await;
        while post.waiting().await > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(post.paid(1).await.as_deref(), Some("100"));
        stop.cancel();
        jobs.await.unwrap();
    }

    async fn who_is_told_to_stop_leaves_the_rest_to_the_next(post: Post) {
        let stop = CancellationToken::new();
        let (books, told) = (post.another(), stop.clone());
        let (is_made, _never) = post.house.hold_back(&path(1));
        post.accepted(&post.told_of("msg_1", 1)).await;
        let jobs = tokio::spawn(async move { books.run_jobs(told).await });
        is_made.notified().await;
        stop.cancel();
        jobs.await.unwrap();
        assert_eq!(post.waiting().await, 1);
        post.work().await;
        assert_eq!(post.waiting().await, 0);
    }

    async fn a_sweep_finds_what_no_message_told(post: Post) {
        // The first look at a connection is none of the jobs'.
        post.work().await;
        assert_eq!(post.paid(1).await, None);
        post.pass(TimeDelta::minutes(15));
        post.work().await;
        assert_eq!(post.paid(1).await.as_deref(), Some("100"));
        post.pay(1, "200");
        post.pass(TimeDelta::minutes(14));
        post.work().await;
        assert_eq!(post.paid(1).await.as_deref(), Some("100"));
        post.pass(TimeDelta::minutes(1));
        let (one, other) = (post.another(), post.another());
        let (one, other) = tokio::join!(one.run_jobs_once(), other.run_jobs_once());
        one.unwrap();
        other.unwrap();
        assert_eq!(post.paid(1).await.as_deref(), Some("200"));
    }

    async fn a_message_that_does_not_say_what_changed_has_everything_looked_at(post: Post) {
        post.accepted(&post.message("msg_1", &json!({"event": "reservation.updated"}))).await;
        post.work().await;
        assert_eq!(post.paid(2).await.as_deref(), Some("100"));
        post.pass(TimeDelta::minutes(1));
        post.pay(2, "200");
        post.accepted(&post.message("msg_2", &json!({"event": "guest-folio.updated"}))).await;
        post.work().await;
        assert_eq!(post.paid(2).await.as_deref(), Some("200"));
    }

    async fn messages_are_forgotten_when_they_cannot_come_again(post: Post) {
        post.accepted(&post.message("msg_1", &json!({"event": "owner.created"}))).await;
        post.pass(TimeDelta::days(7));
        post.work().await;
        assert_eq!(post.books.inbox_state(post.connection).await.unwrap().unknown, 1);
        post.pass(TimeDelta::seconds(1));
        post.work().await;
        assert_eq!(post.books.inbox_state(post.connection).await.unwrap().unknown, 0);
        assert_eq!(post.evidence().await.len(), 1);
    }
}
