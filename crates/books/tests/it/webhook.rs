//! The webhook's light: one subscription at the source, and what stands in its way.

use std::time::Duration;

use axum::http::StatusCode;
use books::Books;
use books::connection::{EVENTS, Light, Lights};
use contract::id::ConnectionId;
use futures_util::future::join_all;
use guesty::Credentials;
use serde_json::{Value, json};
use store::on_both_engines;

use crate::hooks::Hooks;
use crate::house::{House, listing};
use crate::support::Desk;

const HERE: &str = "https://books.example";

async fn house() -> House {
    let house = House::open().await;
    house.with(|rooms| rooms.listings = vec![listing(1)]);
    house
}

/// Books on the same database that are reached under an address.
fn reached(desk: &Desk, base: &str) -> Books {
    let base = base.parse().unwrap();
    desk.another(7).with_public_url(Some(base))
}

async fn connect(desk: &Desk, house: &House) -> ConnectionId {
    let portfolio = desk.books.add_portfolio("Seaside").await.unwrap();
    let credentials = Credentials::new("0oaTEST", "secret");
    let base = house.base().parse().unwrap();
    let connect = desk.books.connect(portfolio.id, &base, &credentials);
    connect.await.unwrap().id
}

/// The webhook's light, which is the only one that may be red.
async fn webhook_light(books: &Books, id: ConnectionId) -> Light {
    let lights = books.refresh(id).await.unwrap();
    assert!(lights.admin.is_green && lights.oauth.is_green, "{lights:?}");
    lights.webhook
}

async fn assert_green(books: &Books, id: ConnectionId) -> Lights {
    let lights = books.refresh(id).await.unwrap();
    assert!(lights.are_green(), "{lights:?}");
    lights
}

fn assert_says(light: &Light, says: &str) {
    assert!(!light.is_green, "{light:?}");
    assert!(
        light.message.contains(says),
        "{light:?} does not say {says}"
    );
}

fn hooks<T>(house: &House, work: impl FnOnce(&mut Hooks) -> T) -> T {
    house.with(|rooms| work(&mut rooms.hooks))
}

fn url(base: &str, id: ConnectionId) -> String {
    format!("{base}/webhooks/guesty/{id}")
}

/// The states that the settings of the webhook went through.
async fn told(desk: &Desk, id: ConnectionId) -> Vec<Value> {
    let chain = desk.books.chain(id).await.unwrap();
    let records = chain.after(0, 100).await.unwrap();
    let settings = records.iter().filter(|record| record.subject == "webhook");
    let states = settings.map(|record| {
        let body: Value = serde_json::from_slice(&record.body().unwrap()).unwrap();
        body["state"].clone()
    });
    states.collect()
}

on_both_engines! {
    async fn looking_subscribes_once_and_keeps_the_secret(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        let books = reached(&desk, HERE);
        assert_eq!(books.webhook_secret(id).await.unwrap(), None);
        for _ in 0..2 {
            let lights = assert_green(&books, id).await;
            assert!(lights.webhook.message.contains(&url(HERE, id)), "{lights:?}");
        }
        let secret = books.webhook_secret(id).await.unwrap().unwrap();
        assert!(secret.reveal().starts_with("whsec_"));
        let made = hooks(&house, |hooks| hooks.webhooks.clone());
        assert_eq!(made.len(), 1);
        assert_eq!(made[0]["events"], json!(EVENTS));
        assert_eq!(told(&desk, id).await, ["registered"]);
        assert_eq!(house.with(|rooms| rooms.tokens), 1);
    }

    async fn the_lights_are_kept_with_their_time_and_shown_without_asking_anybody(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        assert_eq!(desk.books.status(id).await.unwrap().lights, None);
        let books = reached(&desk, HERE);
        let lights = assert_green(&books, id).await;
        house.asked();
        desk.clock.advance(chrono::TimeDelta::hours(1));
        let status = desk.books.status(id).await.unwrap();
        assert_eq!(status.lights.as_ref(), Some(&lights));
        assert_eq!(status.looked_at, Some(crate::support::START.parse().unwrap()));
        assert_eq!(status.webhook.as_ref().unwrap().url, url(HERE, id));
        let told = serde_json::to_value(&status).unwrap();
        assert_eq!(told["lights"]["webhook"]["ok"], true);
        assert_eq!(told["lights"]["admin"]["message"], lights.admin.message);
        assert_eq!(told["last_sync"], Value::Null);
        assert_eq!(house.asked(), Vec::<String>::new());
    }

    async fn without_an_address_nothing_is_subscribed(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        let light = webhook_light(&desk.books, id).await;
        assert_says(&light, "give the connection a webhook url");
        assert_eq!(hooks(&house, |hooks| hooks.made), 0);
    }

    async fn a_connection_may_have_an_address_of_its_own(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        let own = "https://tunnel.example/books".parse().unwrap();
        let connection = desk.books.set_webhook_base(id, Some(&own)).await.unwrap();
        assert_eq!(connection.webhook_base, Some(own));
        assert_green(&reached(&desk, HERE), id).await;
        let tunnel = url("https://tunnel.example/books", id);
        assert_eq!(hooks(&house, |hooks| hooks.webhooks[0]["url"].clone()), tunnel);
        // A program that knows no address of the server leaves it where it is.
        assert_green(&desk.books, id).await;
        desk.books.set_webhook_base(id, None).await.unwrap();
        assert_green(&desk.books, id).await;
        assert_eq!(hooks(&house, |hooks| hooks.made), 1);
    }

    async fn another_address_takes_the_place_of_the_old_one_once_it_works(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        assert_green(&reached(&desk, HERE), id).await;
        let elsewhere = reached(&desk, "https://new.example");
        hooks(&house, |hooks| hooks.secret_comes_late = usize::MAX);
        assert_says(&webhook_light(&elsewhere, id).await, "not there yet");
        assert_eq!(hooks(&house, |hooks| hooks.webhooks.len()), 2);
        hooks(&house, |hooks| hooks.secret_comes_late = 0);
        assert_green(&elsewhere, id).await;
        assert_eq!(hooks(&house, |hooks| hooks.webhooks.len()), 1);
        assert_eq!(hooks(&house, |hooks| hooks.webhooks[0]["url"].clone()), url("https://new.example", id));
        assert!(elsewhere.webhook_secret(id).await.unwrap().is_some());
        assert_eq!(told(&desk, id).await, ["registered", "registered"]);
    }

    async fn where_there_is_room_for_one_only_the_old_address_makes_room(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        hooks(&house, |hooks| hooks.room = Some(1));
        assert_green(&reached(&desk, HERE), id).await;
        assert_green(&reached(&desk, "https://new.example"), id).await;
        assert_eq!(hooks(&house, |hooks| hooks.urls().join(" ")), url("https://new.example", id));
        // What is others' stays.
        hooks(&house, |hooks| hooks.webhooks[0]["url"] = json!("https://others.example"));
        assert_says(&webhook_light(&reached(&desk, HERE), id).await, "remove an unused one");
        assert_eq!(hooks(&house, |hooks| hooks.urls().join(" ")), "https://others.example");
    }

    async fn what_somebody_deleted_is_made_again(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        let books = reached(&desk, HERE);
        assert_green(&books, id).await;
        let first = books.webhook_secret(id).await.unwrap();
        hooks(&house, |hooks| {
            hooks.webhooks.clear();
            hooks.secrets += 1;
        });
        assert_green(&books, id).await;
        assert_eq!(hooks(&house, |hooks| hooks.webhooks.len()), 1);
        assert_ne!(books.webhook_secret(id).await.unwrap(), first);
    }

    async fn events_that_are_missing_are_subscribed(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        hooks(&house, |hooks| hooks.add(&url(HERE, id), &json!(["listing.new", "task.created"])));
        assert_green(&reached(&desk, HERE), id).await;
        assert_eq!(hooks(&house, |hooks| hooks.webhooks[0]["events"].clone()), json!(EVENTS));
        assert_eq!(hooks(&house, |hooks| hooks.made), 1);
    }

    async fn events_that_the_source_does_not_have_are_left_out_and_named(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        hooks(&house, |hooks| hooks.unknown = vec!["reservation.new"]);
        let books = reached(&desk, HERE);
        for _ in 0..2 {
            let lights = assert_green(&books, id).await;
            assert!(lights.webhook.message.contains("does not offer reservation.new"), "{lights:?}");
        }
        let others: Vec<_> = EVENTS.iter().filter(|event| **event != "reservation.new").collect();
        assert_eq!(hooks(&house, |hooks| hooks.webhooks[0]["events"].clone()), json!(others));
        let only = format!("must be one of: {}, task.created", others.iter().map(|event| **event).collect::<Vec<_>>().join(", "));
        hooks(&house, |hooks| {
            hooks.webhooks.clear();
            hooks.refusal = Some((StatusCode::BAD_REQUEST, json!(only)));
        });
        // As long as it refuses all the same, nothing is made, and it is asked no more than twice.
        assert_says(&webhook_light(&books, id).await, "must be one of");
    }

    async fn a_webhook_that_was_disabled_is_enabled_again(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        let books = reached(&desk, HERE);
        assert_green(&books, id).await;
        hooks(&house, |hooks| hooks.webhooks[0]["disabledAt"] = json!("2026-11-20T12:00:00.000Z"));
        assert_green(&books, id).await;
        assert_eq!(hooks(&house, |hooks| hooks.webhooks[0].get("disabledAt").cloned()), None);
    }

    async fn a_lost_answer_makes_no_second_webhook(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        hooks(&house, |hooks| hooks.loses_answers = true);
        assert_green(&reached(&desk, HERE), id).await;
        assert_eq!(hooks(&house, |hooks| hooks.made), 1);
    }

    async fn what_was_made_twice_is_made_one(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        hooks(&house, |hooks| {
            hooks.add("https://another.example/webhooks", &json!(["task.created"]));
            hooks.add(&url(HERE, id), &json!(EVENTS));
            hooks.add(&url(HERE, id), &json!(EVENTS));
        });
        assert_green(&reached(&desk, HERE), id).await;
        let left = hooks(&house, |hooks| hooks.urls().join(" "));
        assert_eq!(left, format!("https://another.example/webhooks {}", url(HERE, id)));
    }

    async fn processes_that_look_at_once_make_one_webhook(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        let looks = (0..4).map(|_| {
            let books = reached(&desk, HERE);
            tokio::spawn(async move { books.refresh(id).await.unwrap() })
        });
        for looked in join_all(looks).await {
            assert!(looked.unwrap().are_green());
        }
        assert_eq!(hooks(&house, |hooks| hooks.made), 1);
        assert_eq!(house.with(|rooms| rooms.tokens), 1);
    }

    async fn who_died_while_it_subscribed_is_succeeded_and_nothing_is_made_twice(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        hooks(&house, |hooks| hooks.hangs = true);
        let look = || {
            let books = reached(&desk, HERE);
            tokio::spawn(async move { books.refresh(id).await.unwrap() })
        };
        let dies = look();
        while hooks(&house, |hooks| hooks.made) == 0 {
            tokio::task::yield_now().await;
        }
        dies.abort();
        hooks(&house, |hooks| hooks.hangs = false);

        let mut waits = look();
        let early = tokio::time::timeout(Duration::from_millis(500), &mut waits).await;
        assert!(early.is_err(), "two were at it");
        desk.clock.advance(chrono::TimeDelta::minutes(2));
        assert!(waits.await.unwrap().are_green());
        assert_eq!(hooks(&house, |hooks| hooks.made), 1);
    }

    async fn what_stands_in_the_way_is_told_apart(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        let books = reached(&desk, HERE);
        for (status, body, says) in [
            (400, json!("You have reached the limit of webhooks"), "remove an unused one"),
            (403, json!({"message": "Your plan allows 5 webhooks"}), "remove an unused one"),
            (400, json!({"message": "url must be https"}), "beginning with https://"),
            (422, json!({"error": {"message": "Bad Request", "data": ["url is not reachable"]}}), "an address that it can reach"),
            (400, json!("no"), "refuses the webhook"),
            (403, json!("Forbidden"), "may not subscribe to webhooks"),
            (404, json!("Not Found"), "no webhooks"),
            (503, json!("later"), "the source is in trouble"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            hooks(&house, |hooks| hooks.refusal = Some((status, body)));
            let light = webhook_light(&books, id).await;
            assert_says(&light, says);
        }
        assert_eq!(books.webhook_secret(id).await.unwrap(), None);
        assert_eq!(told(&desk, id).await, Vec::<Value>::new());
        hooks(&house, |hooks| hooks.refusal = None);
        assert_green(&books, id).await;
    }

    async fn an_application_without_the_right_subscribes_to_nothing(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        let books = reached(&desk, HERE);
        hooks(&house, |hooks| hooks.closed = Some((StatusCode::FORBIDDEN, json!("Forbidden"))));
        assert_says(&webhook_light(&books, id).await, "may not subscribe to webhooks");
        hooks(&house, |hooks| hooks.closed = None);
        house.with(|rooms| rooms.account = Some((StatusCode::FORBIDDEN, json!("no"))));
        let lights = books.refresh(id).await.unwrap();
        assert_says(&lights.webhook, "see Admin");
        assert_eq!(hooks(&house, |hooks| hooks.made), 0);
    }

    async fn a_secret_that_comes_late_is_waited_for(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        hooks(&house, |hooks| hooks.secret_comes_late = 2);
        let books = reached(&desk, HERE);
        assert_green(&books, id).await;
        assert!(books.webhook_secret(id).await.unwrap().is_some());
    }

    async fn disconnecting_unsubscribes(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        let books = reached(&desk, HERE);
        assert_green(&books, id).await;
        let gone = desk.books.disconnect(id).await.unwrap();
        assert_eq!(gone.left, None);
        assert_eq!(hooks(&house, |hooks| hooks.webhooks.len()), 0);
        assert_eq!(books.webhook_secret(id).await.unwrap(), None);
        assert_eq!(desk.sealed_texts().await, Vec::<Vec<u8>>::new());
        let lights = books.status(id).await.unwrap().lights.unwrap();
        for light in [&lights.admin, &lights.oauth, &lights.webhook] {
            assert_says(light, "disconnected");
        }
        assert_eq!(told(&desk, id).await, ["registered", "removed"]);
    }

    async fn a_source_that_does_not_unsubscribe_keeps_no_credentials_here(desk: Desk) {
        let house = house().await;
        let id = connect(&desk, &house).await;
        let books = reached(&desk, HERE);
        assert_green(&books, id).await;
        hooks(&house, |hooks| hooks.closed = Some((StatusCode::FORBIDDEN, json!("Forbidden"))));
        let gone = books.disconnect(id).await.unwrap();
        assert!(!gone.connection.is_connected);
        let left = gone.left.unwrap();
        assert_eq!(left.webhook.as_ref().unwrap().url, url(HERE, id));
        assert!(left.to_string().contains("remove it there by hand"), "{left}");
        assert_eq!(desk.sealed_texts().await, Vec::<Vec<u8>>::new());
        // What is left is told of until somebody has looked again.
        let still = books.disconnect(id).await.unwrap().left.unwrap();
        assert_eq!(still.webhook, left.webhook);
        let status = books.status(id).await.unwrap();
        assert_eq!(status.webhook, left.webhook);
        let light = status.lights.unwrap().webhook;
        assert_says(&light, &left.webhook.as_ref().unwrap().id.to_string());
        assert_eq!(books.webhook_secret(id).await.unwrap(), None);

        // Connected again, what was left is used.
        hooks(&house, |hooks| hooks.closed = None);
        let credentials = Credentials::new("0oaTEST", "secret");
        let base = house.base().parse().unwrap();
        let portfolio = gone.connection.portfolio;
        let again = books.connect(portfolio, &base, &credentials).await.unwrap();
        assert_eq!(again.id, id);
        assert_green(&books, id).await;
        assert_eq!(hooks(&house, |hooks| hooks.made), 1);
        for _ in 0..2 {
            assert_eq!(books.disconnect(id).await.unwrap().left, None);
        }
        assert_eq!(hooks(&house, |hooks| hooks.webhooks.len()), 0);
        assert_eq!(books.status(id).await.unwrap().webhook, None);
    }
}
