//! How it arrives: again where it did not, never because of another, exactly once each.

use std::sync::Arc;

use chrono::Duration;
use payments::{Platform, Settings};
use serde_json::{Value, json};
use store::{Clock, on_both_engines};

use super::receiver::{Manner, Receiver};
use super::{Told, pay, subscribe};

/// The longest that a wait may last, with its jitter.
fn after(minutes: i64) -> Duration {
    Duration::minutes(minutes) + Duration::seconds(6 * minutes + 1)
}

on_both_engines! {
    async fn what_does_not_arrive_is_sent_again_on_the_schedule_and_given_up_in_the_end(told: Told) {
        let id = told.subscribe(&["payments.received"]).await;
        told.receiver.answer(Manner::Status(500));
        told.pay(10).await;
        assert_eq!(told.send().await, 1);
        assert_eq!(told.send().await, 0);
        told.app.clock.advance(Duration::milliseconds(4_999));
        assert_eq!(told.send().await, 0);
        told.app.clock.advance(Duration::milliseconds(502));
        assert_eq!(told.send().await, 1);
        for minutes in [5, 30, 2 * 60, 5 * 60, 10 * 60, 10 * 60] {
            told.app.clock.advance(Duration::minutes(minutes) - Duration::milliseconds(1));
            assert_eq!(told.send().await, 0, "before {minutes} minutes");
            told.app.clock.advance(after(minutes) - Duration::minutes(minutes));
            assert_eq!(told.send().await, 1, "after {minutes} minutes");
        }
        told.app.clock.advance(Duration::days(1));
        assert_eq!(told.send().await, 0);

        let arrivals = told.receiver.take();
        assert_eq!(arrivals.len(), 8);
        for again in &arrivals {
            assert_eq!((again.id(), &again.body), (arrivals[0].id(), &arrivals[0].body));
        }
        let mut signatures: Vec<&str> = arrivals.iter().map(|a| a.header("svix-signature")).collect();
        signatures.dedup();
        assert_eq!(signatures.len(), 8);
        let attempts = told.attempts(&id).await;
        assert_eq!(attempts.len(), 8);
        for attempt in &attempts {
            assert_eq!(attempt["result"], "FAILED");
            assert_eq!(attempt["statusCode"], 500);
            assert_eq!(attempt["response"], "so it is");
            assert_eq!(attempt["event"], "payments.received");
            assert_eq!(attempt["messageId"], arrivals[0].id());
            assert_eq!(attempt["messageStatus"], "FAILED");
            assert!(attempt["latencyMs"].as_i64().unwrap() >= 0);
        }
    }

    async fn what_was_sent_can_be_sent_again(told: Told) {
        let id = told.subscribe(&["payments.received"]).await;
        told.pay(10).await;
        told.send().await;
        let attempts = told.attempts(&id).await;
        assert_eq!(attempts[0]["result"], "SUCCEEDED");
        assert_eq!(attempts[0]["statusCode"], 204);
        let attempt = attempts[0]["_id"].as_str().unwrap();
        let path = format!("/v1/webhooks/{id}/attempts/{attempt}/replay");
        let replay = told.app.post(&path, &json!({})).await.expect(202);
        assert_eq!(replay["messageStatus"], "PENDING");
        assert_eq!(told.send().await, 1);
        let (count, ids) = told.receiver.counts();
        assert_eq!((count, ids), (2, 1));
        assert_eq!(told.attempts(&id).await.len(), 2);

        let other = told.app.signed_in().await;
        other.post(&path, &json!({})).await.expect(404);
        let second = told.subscribe(&["payments.received"]).await;
        for path in [
            format!("/v1/webhooks/{second}/attempts/{attempt}/replay"),
            format!("/v1/webhooks/{id}/attempts/{id}/replay"),
        ] {
            told.app.post(&path, &json!({})).await.expect(404);
        }
    }

    async fn an_endpoint_is_disabled_after_five_days_in_which_nothing_arrived(told: Told) {
        let id = told.subscribe(&["payments.received"]).await;
        told.receiver.answer(Manner::Status(404));
        let start = told.app.clock.now();
        for day in 0..5 {
            told.pay(10 + day).await;
            told.send().await;
            let webhook = told.webhook(&id).await;
            assert_eq!(webhook["failingSince"], start.to_string());
            assert_eq!(webhook.get("disabledAt"), None);
            told.app.clock.advance(Duration::days(1));
        }
        told.pay(20).await;
        let sent = told.send().await;
        assert!(sent > 0);
        let webhook = told.webhook(&id).await;
        assert_eq!(webhook["disabledAt"], told.app.clock.now().to_string());
        assert!(webhook["disabledReason"].as_str().unwrap().contains("PUT its events"));
        told.receiver.take();
        told.pay(21).await;
        told.app.clock.advance(Duration::days(1));
        assert_eq!(told.send().await, 0);
        let attempt = told.attempts(&id).await[0]["_id"].as_str().unwrap().to_owned();
        let replay = format!("/v1/webhooks/{id}/attempts/{attempt}/replay");
        told.app.post(&replay, &json!({})).await.expect(400);

        told.receiver.answer(Manner::Status(200));
        let path = format!("/v1/webhooks/{id}");
        let enabled = told.app.put(&path, &json!({"events": ["payments.received"]})).await.expect(200);
        assert_eq!((enabled.get("disabledAt"), enabled.get("failingSince")), (None, None));
        assert_eq!(told.send().await, 0);
        told.pay(22).await;
        assert_eq!(told.send().await, 1);
        told.app.post(&replay, &json!({})).await.expect(202);
        assert_eq!(told.send().await, 1);
    }

    async fn one_arrival_ends_the_failing(told: Told) {
        let id = told.subscribe(&["payments.received"]).await;
        told.receiver.answer(Manner::Status(503));
        told.pay(10).await;
        told.send().await;
        assert!(told.webhook(&id).await.get("failingSince").is_some());
        told.receiver.answer(Manner::Status(200));
        told.app.clock.advance(Duration::seconds(6));
        assert_eq!(told.send().await, 1);
        assert_eq!(told.webhook(&id).await.get("failingSince"), None);
    }

    async fn a_receiver_that_hangs_delays_neither_payments_nor_other_receivers(told: Told) {
        told.subscribe(&["payments.received"]).await;
        told.receiver.answer(Manner::Hangs);
        let other = Receiver::start().await;
        subscribe(&told.app, &other.url(), &["payments.received"]).await;
        told.pay(10).await;
        let sending = tokio::spawn({
            let platform = Arc::clone(&told.app.platform);
            async move { platform.run_webhooks().await.unwrap() }
        });
        told.receiver.has_seen(1).await;
        other.has_seen(1).await;
        for amount in [20, 30] {
            told.pay(amount).await;
        }
        // Whoever is on the way there may bring them along, or the next.
        while other.counts().0 < 3 {
            told.send().await;
        }
        assert_eq!(other.counts(), (3, 3));
        assert_eq!(told.receiver.counts().0, 1);
        told.receiver.answer(Manner::Status(200));
        told.receiver.go_on();
        sending.await.unwrap();
        assert_eq!(told.receiver.counts(), (3, 3));
    }

    async fn messages_about_one_reservation_arrive_in_their_order(told: Told) {
        told.subscribe(&["payments.received"]).await;
        let mut paid = Vec::new();
        for amount in 1..=20 {
            paid.push(told.pay(amount).await["_id"].clone());
        }
        told.send().await;
        let arrived = told.receiver.take();
        let arrived: Vec<Value> = arrived
            .iter()
            .map(|one| one.json()["payment"]["paymentId"].clone())
            .collect();
        assert_eq!(arrived, paid);
    }

    async fn a_redirect_is_not_followed_and_is_no_arrival(told: Told) {
        let id = told.subscribe(&["payments.received"]).await;
        let elsewhere = Receiver::start().await;
        told.receiver.answer(Manner::Elsewhere(elsewhere.url()));
        told.pay(10).await;
        assert_eq!(told.send().await, 1);
        assert_eq!(elsewhere.counts(), (0, 0));
        let attempts = told.attempts(&id).await;
        assert_eq!((&attempts[0]["statusCode"], &attempts[0]["result"]), (&json!(307), &json!("FAILED")));
    }

    async fn of_a_long_answer_only_the_beginning_is_kept(told: Told) {
        let id = told.subscribe(&["payments.received"]).await;
        told.receiver.answer(Manner::AtLength);
        told.pay(10).await;
        assert_eq!(told.send().await, 1);
        let attempts = told.attempts(&id).await;
        assert_eq!(attempts[0]["result"], "SUCCEEDED");
        assert_eq!(attempts[0]["response"].as_str().unwrap().len(), 500);
    }

    async fn a_dead_receiver_is_told_of_by_its_cause(told: Told) {
        let gone = Receiver::start().await;
        let url = gone.url();
        let id = subscribe(&told.app, &url, &["payments.received"]).await;
        drop(gone);
        tokio::task::yield_now().await;
        told.pay(10).await;
        told.send().await;
        let attempts = told.attempts(&id).await;
        assert_eq!(attempts[0]["result"], "FAILED");
        assert_eq!(attempts[0].get("statusCode"), None);
        let error = attempts[0]["error"].as_str().unwrap();
        assert!(!error.contains(&url), "{error}");
    }

    async fn a_server_that_may_not_send_to_private_addresses_does_not(told: Told) {
        let id = told.subscribe(&["payments.received"]).await;
        told.pay(10).await;
        let strict = told.app.another_node_with(Settings::default()).await;
        assert_eq!(strict.run_webhooks().await.unwrap(), 1);
        assert_eq!(told.receiver.counts(), (0, 0));
        let attempts = told.attempts(&id).await;
        let error = attempts[0]["error"].as_str().unwrap();
        assert!(error.contains("https://"), "{error}");
    }

    async fn two_nodes_share_the_work_and_double_none_of_it(told: Told) {
        told.subscribe(&["payments.received"]).await;
        let other = Receiver::start().await;
        subscribe(&told.app, &other.url(), &["payments.received"]).await;
        let second = told.app.another_node().await;
        for amount in 1..=20 {
            pay(&told.app, amount).await;
            if amount % 5 == 0 {
                let (first, second) =
                    tokio::join!(told.app.platform.run_webhooks(), second.run_webhooks());
                first.unwrap();
                second.unwrap();
            }
        }
        for receiver in [&told.receiver, &other] {
            assert_eq!(receiver.counts(), (20, 20));
        }
    }

    async fn nothing_is_missing_when_servers_die_at_any_moment(told: Told) {
        told.subscribe(&["payments.received"]).await;
        let mut node: Arc<Platform> = told.app.another_node().await;
        for round in 0..12_u32 {
            told.pay(1 + round).await;
            let run = tokio::spawn({
                let node = Arc::clone(&node);
                async move { node.run_webhooks().await }
            });
            for _ in 0..round * round {
                tokio::task::yield_now().await;
            }
            run.abort();
            let _ = run.await;
            node = told.app.another_node().await;
        }
        told.app.clock.advance(Duration::seconds(61));
        node.run_webhooks().await.unwrap();
        let (count, ids) = told.receiver.counts();
        assert!(count >= 12);
        assert_eq!(ids, 12);
        assert_eq!(told.app.events().await, []);
    }

    async fn what_was_sent_long_ago_is_not_kept_for_ever(told: Told) {
        let id = told.subscribe(&["payments.received"]).await;
        told.pay(10).await;
        told.send().await;
        told.app.clock.advance(Duration::days(29));
        told.send().await;
        assert_eq!(told.attempts(&id).await.len(), 1);
        told.app.clock.advance(Duration::days(2));
        told.pay(20).await;
        told.send().await;
        assert_eq!(told.attempts(&id).await.len(), 1);
        for table in ["webhook_message", "webhook_delivery", "webhook_attempt"] {
            assert_eq!(told.app.count(table).await, 1, "{table}");
        }
    }

    async fn what_was_to_be_sent_to_who_unsubscribed_is_not_sent(told: Told) {
        let id = told.subscribe(&["payments.received"]).await;
        told.receiver.answer(Manner::Status(500));
        told.pay(10).await;
        told.send().await;
        told.app.delete(&format!("/v1/webhooks/{id}")).await.expect(204);
        told.receiver.take();
        told.app.clock.advance(Duration::days(1));
        assert_eq!(told.send().await, 0);
        assert_eq!(told.receiver.counts(), (0, 0));
    }
}
