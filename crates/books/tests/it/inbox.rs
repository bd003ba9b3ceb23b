//! Messages come in: signed, once, and kept before they are answered.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;
use store::{new_id, on_both_engines};

use crate::post::{Message, Post};

const MIB: usize = 1 << 20;

/// A message of so many bytes.
fn large(post: &Post, name: &str, bytes: usize) -> Message {
    let frame = json!({"event": "payments.received", "filling": ""}).to_string();
    let filling = "x".repeat(bytes - frame.len());
    let body = json!({"event": "payments.received", "filling": filling});
    let message = post.message(name, &body);
    assert_eq!(message.body.len(), bytes);
    message
}

on_both_engines! {
    async fn a_message_is_kept_as_it_came_and_waits_to_be_worked(post: Post) {
        let message = post.told_of("msg_1", 1);
        post.accepted(&message).await;
        let evidence = post.evidence().await;
        assert_eq!(evidence.len(), 1);
        assert_eq!(evidence[0].subject, "reservation.updated msg_1");
        assert_eq!(evidence[0].body().unwrap(), message.body);
        assert_eq!(post.waiting().await, 1);
        // Nothing was read yet, and every other process knows of it.
        assert_eq!(post.house.asked(), Vec::<String>::new());
        let state = post.another().inbox_state(post.connection).await.unwrap();
        assert_eq!((state.waiting, state.waiting_since.is_some()), (1, true));
        post.is_proven().await;
    }

    async fn a_message_that_comes_again_is_kept_once(post: Post) {
        let message = post.told_of("msg_1", 1);
        post.accepted(&message).await;
        post.accepted(&message).await;
        // Sent again later, it is signed anew.
        post.pass(TimeDelta::hours(10));
        post.accepted(&post.told_of("msg_1", 1)).await;
        assert_eq!(post.evidence().await.len(), 1);
        let other = Message { body: post.told_of("msg_1", 2).body, ..post.told_of("msg_1", 1) };
        assert_eq!(post.deliver(&other).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(post.waiting().await, 1);
    }

    async fn an_old_message_is_not_believed_again(post: Post) {
        let message = post.told_of("msg_1", 1);
        post.pass(TimeDelta::seconds(300));
        post.accepted(&message).await;
        post.pass(TimeDelta::seconds(1));
        let (status, says) = post.deliver(&message).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(says.contains("more than 300 seconds off"), "{says}");
    }

    async fn nobody_learns_which_connections_there_are(post: Post) {
        let good = post.told_of("msg_1", 1);
        let forged = good.clone().with("svix-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        let refused = post.deliver(&forged).await;
        assert_eq!(refused.0, StatusCode::UNAUTHORIZED);
        let stranger: contract::id::ConnectionId = new_id();
        for connection in [stranger.to_string(), "nobody".to_owned(), "x".repeat(500)] {
            assert_eq!(post.deliver_to(&connection, &good).await, refused);
        }
        post.accepted(&good).await;
        post.books.disconnect(post.connection).await.unwrap();
        post.pass(TimeDelta::seconds(1));
        assert_eq!(post.deliver(&post.told_of("msg_2", 1)).await, refused);
        assert_eq!(post.evidence().await.len(), 1);
    }

    async fn what_cannot_be_checked_is_refused_with_what_is_wrong(post: Post) {
        let good = post.told_of("msg_1", 1);
        for name in ["svix-id", "svix-timestamp", "svix-signature"] {
            let mut without = good.clone();
            without.headers.retain(|(known, _)| *known != name);
            let mut twice = good.clone();
            twice.headers.push((name, "1".to_owned()));
            for message in [without, twice, good.clone().with(name, "")] {
                let (status, says) = post.deliver(&message).await;
                assert_eq!(status, StatusCode::BAD_REQUEST, "{message:?}");
                assert!(says.contains(name), "{says}");
            }
        }
        assert_eq!(post.evidence().await.len(), 0);
    }

    async fn the_names_of_the_standard_do_as_well(post: Post) {
        let mut message = post.told_of("msg_1", 1);
        for (header, name) in message.headers.iter_mut().zip(["webhook-id", "webhook-timestamp", "webhook-signature"]) {
            header.0 = name;
        }
        post.accepted(&message).await;
    }

    async fn a_mebibyte_is_the_most(post: Post) {
        post.accepted(&large(&post, "msg_1", MIB)).await;
        let more = large(&post, "msg_2", MIB + 1);
        assert_eq!(post.deliver(&more).await.0, StatusCode::PAYLOAD_TOO_LARGE);
        let mut untold = more.clone();
        untold.headers.retain(|(name, _)| *name != "content-length");
        assert_eq!(post.deliver(&untold).await.0, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(post.evidence().await.len(), 1);
    }

    async fn what_cannot_be_kept_is_not_acknowledged(post: Post) {
        post.desk.sql("ALTER TABLE inbox_message RENAME TO away").await;
        let message = post.told_of("msg_1", 1);
        assert_eq!(post.deliver(&message).await.0, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(post.evidence().await.len(), 0);
        post.desk.sql("ALTER TABLE away RENAME TO inbox_message").await;
        post.accepted(&message).await;
        assert_eq!((post.evidence().await.len(), post.waiting().await), (1, 1));
    }

    async fn a_message_that_the_database_refuses_does_not_keep_out_the_others(post: Post) {
        post.desk.sql("CREATE UNIQUE INDEX odd ON evidence (length(subject))").await;
        post.accepted(&post.told_of("msg_1", 1)).await;
        let messages = ["msg_02", "msg_003", "msg_9", "msg_0004", "msg_00005"];
        let messages = messages.map(|name| post.told_of(name, 1));
        let answers = join_all(messages.iter().map(|message| post.deliver(message))).await;
        let statuses: Vec<u16> = answers.iter().map(|(status, _)| status.as_u16()).collect();
        assert_eq!(statuses, [204, 204, 503, 204, 204]);
        assert_eq!(post.evidence().await.len(), 5);
        post.is_proven().await;
    }

    async fn a_new_secret_serves_at_once_and_the_old_one_for_a_second(mut post: Post) {
        let before = post.told_of("msg_1", 1);
        post.accepted(&before).await;
        post.house.with(|rooms| {
            rooms.hooks.webhooks.clear();
            rooms.hooks.secrets += 1;
        });
        post.subscribe().await;
        post.accepted(&post.told_of("msg_2", 1)).await;
        let both = format!("{} {}", before.headers[2].1, post.told_of("msg_1", 1).headers[2].1);
        post.accepted(&before.clone().with("svix-signature", &both)).await;
        post.pass(TimeDelta::seconds(1));
        assert_eq!(post.deliver(&before).await.0, StatusCode::UNAUTHORIZED);
    }

    async fn many_at_once_are_all_kept_and_none_twice(post: Post) {
        let messages: Vec<Message> = (0..300)
            .map(|number| post.told_of(&format!("msg_{}", number % 200), number % 3))
            .collect();
        let answers = join_all(messages.iter().map(|message| post.deliver(message))).await;
        answers.iter().for_each(Post::is_accepted);
        assert_eq!(post.evidence().await.len(), 200);
        assert_eq!(post.waiting().await, 3);
        post.is_proven().await;
    }

    async fn a_message_of_odd_text_keeps_none_away_that_came_with_it(post: Post) {
        let odd = post.message("msg_0", &json!({"event": "owner.\u{0}created"}));
        let plain = (1..20).map(|number| post.told_of(&format!("msg_{number}"), number));
        let messages: Vec<Message> = std::iter::once(odd).chain(plain).collect();
        let answers = join_all(messages.iter().map(|message| post.deliver(message))).await;
        answers.iter().for_each(Post::is_accepted);
        assert_eq!(post.evidence().await.len(), 20);
        // In whatever order they came.
        let kept = post.evidence().await;
        assert!(kept.iter().any(|record| record.body().unwrap() == messages[0].body));
        post.is_proven().await;
    }

    async fn messages_that_come_at_once_are_all_kept_or_none_is_accepted(post: Post) {
        let messages: Vec<Message> = (0..40)
            .map(|number| post.told_of(&format!("msg_{number}"), number % 3))
            .collect();
        let deliver = || join_all(messages.iter().map(|message| post.deliver(message)));
        for table in ["inbox_message", "evidence", "inbox_hint"] {
            post.desk.sql(format!("ALTER TABLE {table} RENAME TO away")).await;
            let answers = deliver().await;
            assert!(answers.iter().all(|(status, _)| *status == StatusCode::SERVICE_UNAVAILABLE));
            post.desk.sql(format!("ALTER TABLE away RENAME TO {table}")).await;
            assert_eq!((post.evidence().await.len(), post.waiting().await), (0, 0), "{table}");
        }
        deliver().await.iter().for_each(Post::is_accepted);
        assert_eq!((post.evidence().await.len(), post.waiting().await), (40, 3));
        post.is_proven().await;
    }

    async fn what_nobody_understands_is_kept_and_counted(post: Post) {
        post.accepted(&post.message("msg_1", &json!({"event": "owner.created"}))).await;
        post.accepted(&post.signed("msg_2", b"<html>".to_vec())).await;
        post.accepted(&post.message("msg_3", &json!({"event": "payments.received"}))).await;
        let state = post.books.inbox_state(post.connection).await.unwrap();
        assert_eq!((state.unknown, state.waiting), (2, 0));
        let subjects: Vec<String> = post.evidence().await.into_iter().map(|record| record.subject).collect();
        assert_eq!(subjects, ["owner.created msg_1", "none msg_2", "payments.received msg_3"]);
    }
}

/// Whatever the server was doing, as when it is restarted.
const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";

on_both_engines! {
    async fn what_was_accepted_outlives_the_connections_to_the_server(post: Post) {
        if !post.desk.is_postgres() {
            return;
        }
        let messages: Vec<(String, Message)> = (0..400)
            .map(|number| format!("msg_{number}"))
            .map(|name| (format!("reservation.updated {name}"), post.told_of(&name, 1)))
            .collect();
        let mut accepted = BTreeSet::new();
        for some in messages.chunks(50) {
            let answers = join_all(some.iter().map(|(_, message)| post.deliver(message)));
            let (answers, ()) = tokio::join!(answers, post.desk.sql(CUT));
            for ((subject, _), (status, _)) in some.iter().zip(answers) {
                match status {
                    StatusCode::NO_CONTENT => drop(accepted.insert(subject.clone())),
                    status => assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
                }
            }
        }
        let kept = post.evidence().await.into_iter();
        let kept: BTreeSet<String> = kept.map(|record| record.subject).collect();
        assert!(accepted.is_subset(&kept));

        // As every source does, until all are in.
        for (_, message) in &messages {
            while post.deliver(message).await.0 == StatusCode::SERVICE_UNAVAILABLE {}
        }
        assert_eq!(post.evidence().await.len(), 400);
        post.is_proven().await;
    }
}
