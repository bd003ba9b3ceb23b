//! Connections: credentials are sealed, and all processes share one token.

use std::sync::Arc;
use std::time::Duration;

use books::connection::Connection;
use books::evidence::Verdict;
use books::portfolio::Portfolio;
use books::{Books, Error};
use contract::Timestamp;
use contract::id::PortfolioId;
use futures_util::future::join_all;
use guesty::{BaseUrl, Credentials, Guesty, Secret, Settings, Token, TokenStore};
use store::testing::{Engine, Fixture};
use store::{new_id, on_both_engines};

use crate::house::House;
use crate::support::{Desk, START};

const SECRET: &str = "s3cr3t-of-the-application";

fn credentials(secret: &str) -> Credentials {
    Credentials::new("0oaTEST", secret)
}

fn source() -> BaseUrl {
    "https://source.example".parse().unwrap()
}

async fn portfolio(desk: &Desk) -> Portfolio {
    desk.books.add_portfolio("Seaside").await.unwrap()
}

async fn connected(desk: &Desk) -> Connection {
    let portfolio = portfolio(desk).await;
    connect(&desk.books, portfolio.id, &source()).await
}

async fn connect(books: &Books, portfolio: PortfolioId, base: &BaseUrl) -> Connection {
    let credentials = credentials(SECRET);
    books.connect(portfolio, base, &credentials).await.unwrap()
}

async fn tokens(books: &Books, connection: &Connection) -> Arc<dyn TokenStore> {
    books.way(connection.id).await.unwrap().tokens
}

fn token(text: &str) -> Token {
    let at: Timestamp = START.parse().unwrap();
    Token {
        access_token: Secret::new(text),
        issued_at: at,
        expires_at: at + chrono::TimeDelta::hours(24),
        issued_of_late: vec![at],
    }
}

async fn keep(tokens: &Arc<dyn TokenStore>, text: &str) {
    let mut lease = tokens.lock().await.unwrap();
    lease.save(&token(text)).await.unwrap();
    lease.release().await;
}

/// Whether a text stands in any row or record of the books.
async fn is_in_the_open(desk: &Desk, connection: &Connection, text: &str) -> bool {
    let chain = desk.books.chain(connection.id).await.unwrap();
    let records = chain.after(0, 100).await.unwrap();
    let is_told = records.iter().any(|record| {
        let body = String::from_utf8(record.body().unwrap()).unwrap();
        body.contains(text) || record.subject.contains(text)
    });
    let has = |bytes: &[u8]| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    let rows = desk.sealed_texts().await;
    assert!(!rows.is_empty());
    is_told || rows.iter().any(|row| has(row))
}

on_both_engines! {
    async fn a_portfolio_has_a_name_of_its_own(desk: Desk) {
        let seaside = desk.books.add_portfolio(" Seaside ").await.unwrap();
        let alps = desk.books.add_portfolio("Alps").await.unwrap();
        assert_eq!(seaside.name, "Seaside");
        assert_eq!(desk.another(7).portfolios().await.unwrap(), [alps, seaside]);
        let taken = desk.books.add_portfolio("Seaside").await.unwrap_err();
        assert!(matches!(taken, Error::PortfolioTaken(_)), "{taken}");
        for name in ["", "  ", &"x".repeat(101)] {
            let refused = desk.books.add_portfolio(name).await.unwrap_err();
            assert!(matches!(refused, Error::PortfolioName), "{refused}");
        }
    }

    async fn what_was_saved_reaches_the_account_from_every_process(desk: Desk) {
        let connection = connected(&desk).await;
        assert!(connection.is_connected);
        let books = desk.another(7);
        assert_eq!(books.connection(connection.id).await.unwrap(), connection);
        assert_eq!(books.connections(connection.portfolio).await.unwrap(), vec![connection.clone()]);
        let way = books.way(connection.id).await.unwrap();
        assert_eq!(way.base_url, source());
        assert_eq!(way.credentials, credentials(SECRET));
    }

    async fn credentials_that_cannot_be_any_are_refused(desk: Desk) {
        let portfolio = portfolio(&desk).await;
        let long = "x".repeat(1001);
        for (id, secret, says) in [
            ("", "s", "client id is empty"),
            ("0oa TEST", "s", "client id"),
            ("0oaTEST", " ", "client secret is empty"),
            ("0oaTEST", "two\nlines", "client secret"),
            ("0oaTEST", &long, "client secret"),
        ] {
            let pasted = Credentials::new(id, secret);
            let refused = desk.books.connect(portfolio.id, &source(), &pasted).await.unwrap_err();
            assert!(refused.to_string().contains(says), "{refused}");
        }
        let nowhere = desk.books.connect(new_id(), &source(), &credentials(SECRET)).await;
        assert!(matches!(nowhere, Err(Error::NoPortfolio(_))));
        assert_eq!(desk.books.connections(portfolio.id).await.unwrap(), []);
        let unknown = desk.books.connection(new_id()).await;
        assert!(matches!(unknown, Err(Error::NoConnection(_))));
    }

    async fn another_secret_goes_to_the_same_connection_and_is_tried_at_once(desk: Desk) {
        let connection = connected(&desk).await;
        keep(&tokens(&desk.books, &connection).await, "token-1").await;
        let same = connect(&desk.books, connection.portfolio, &source()).await;
        assert_eq!(tokens(&desk.books, &same).await.load().await.unwrap(), Some(token("token-1")));

        let fresh = credentials("another-secret");
        let again = desk.books.connect(connection.portfolio, &source(), &fresh).await.unwrap();
        assert_eq!(again.id, connection.id);
        let way = desk.books.way(again.id).await.unwrap();
        assert_eq!(way.credentials, fresh);
        // The token of the secret before is over, and still counted.
        let kept = way.tokens.load().await.unwrap().unwrap();
        assert_eq!(kept.issued_of_late, token("token-1").issued_of_late);
        assert!(kept.expires_at <= START.parse().unwrap());

        let elsewhere = desk.books.add_portfolio("Alps").await.unwrap();
        let other = desk.books.connect(elsewhere.id, &source(), &fresh).await.unwrap();
        assert_ne!(other.id, connection.id);
        assert_eq!(tokens(&desk.books, &other).await.load().await.unwrap(), None);
    }

    async fn the_last_token_of_the_day_is_not_spent_on_another_secret(desk: Desk) {
        let connection = connected(&desk).await;
        let at: Timestamp = START.parse().unwrap();
        let last = Token { issued_of_late: vec![at; 5], ..token("token-5") };
        let mut lease = tokens(&desk.books, &connection).await.lock().await.unwrap();
        lease.save(&last).await.unwrap();
        lease.release().await;
        let fresh = credentials("another-secret");
        let again = desk.books.connect(connection.portfolio, &source(), &fresh).await.unwrap();
        assert_eq!(tokens(&desk.books, &again).await.load().await.unwrap(), Some(last));
    }

    async fn many_that_connect_at_once_get_one_connection(desk: Desk) {
        let portfolio = portfolio(&desk).await.id;
        let connects = (0..8).map(|_| {
            let books = desk.another(7);
            tokio::spawn(async move { books.connect(portfolio, &source(), &credentials(SECRET)).await })
        });
        for connected in join_all(connects).await {
            connected.unwrap().unwrap();
        }
        assert_eq!(desk.books.connections(portfolio).await.unwrap().len(), 1);
    }

    async fn no_secret_lies_in_the_open(desk: Desk) {
        let connection = connected(&desk).await;
        keep(&tokens(&desk.books, &connection).await, "token-in-use").await;
        assert!(!is_in_the_open(&desk, &connection, SECRET).await);
        assert!(!is_in_the_open(&desk, &connection, "token-in-use").await);
        let way = desk.books.way(connection.id).await.unwrap();
        assert!(!format!("{:?} {connection:?}", way.credentials).contains(SECRET));
        let wrong_key = desk.another(8).way(connection.id).await.err().unwrap();
        assert!(matches!(wrong_key, Error::Vault(_)), "{wrong_key}");
    }

    async fn a_row_that_was_pointed_elsewhere_gives_no_secret_away(desk: Desk) {
        let connection = connected(&desk).await;
        for change in [
            "UPDATE connection SET base_url = 'https://thief.example'",
            "UPDATE connection SET base_url = 'https://source.example', client_id = '0oaTHIEF'",
        ] {
            desk.sql(change).await;
            let refused = desk.books.way(connection.id).await.err().unwrap();
            assert!(matches!(refused, Error::Vault(_)), "{refused}");
        }
    }

    async fn saving_and_removing_credentials_is_evidence(desk: Desk) {
        let connection = connected(&desk).await;
        desk.books.disconnect(connection.id).await.unwrap();
        desk.books.disconnect(connection.id).await.unwrap();
        let chain = desk.books.chain(connection.id).await.unwrap();
        let records = chain.after(0, 10).await.unwrap();
        let told: Vec<serde_json::Value> = records
            .iter()
            .map(|record| serde_json::from_slice(&record.body().unwrap()).unwrap())
            .collect();
        assert!(records.iter().all(|record| record.kind == "setting"));
        assert_eq!(told.len(), 2);
        assert_eq!(told[0]["state"], "connected");
        assert_eq!(told[0]["clientId"], "0oaTEST");
        assert_eq!(told[1]["state"], "disconnected");
        let tip = chain.tip().await.unwrap();
        assert_eq!(chain.verify(None, |_| ()).await.unwrap(), Verdict::Sound { tip });
    }

    async fn disconnecting_removes_secret_and_token_and_keeps_the_rest(desk: Desk) {
        let connection = connected(&desk).await;
        let held = tokens(&desk.books, &connection).await;
        keep(&held, "token-1").await;
        let removed = desk.books.disconnect(connection.id).await.unwrap();
        assert!(!removed.connection.is_connected && removed.left.is_none());
        assert_eq!(desk.sealed_texts().await, Vec::<Vec<u8>>::new());
        let refused = desk.books.way(connection.id).await.err().unwrap();
        assert!(matches!(refused, Error::Disconnected(_)), "{refused}");
        // Whoever still has the way to it gets no token either, and does not wait for one.
        assert!(held.load().await.is_err());
        assert!(held.lock().await.is_err());

        let again = connect(&desk.books, connection.portfolio, &source()).await;
        assert_eq!((again.id, again.is_connected), (connection.id, true));
        assert_eq!(held.load().await.unwrap(), None);
        assert_eq!(desk.books.chain(again.id).await.unwrap().tip().await.unwrap().length, 3);
    }

    async fn a_token_is_kept_for_every_process_and_the_next_one_takes_its_place(desk: Desk) {
        let connection = connected(&desk).await;
        let here = tokens(&desk.books, &connection).await;
        let there = tokens(&desk.another(7), &connection).await;
        assert_eq!(there.load().await.unwrap(), None);
        keep(&here, "token-1").await;
        assert_eq!(there.load().await.unwrap(), Some(token("token-1")));
        keep(&there, "token-2").await;
        assert_eq!(here.load().await.unwrap(), Some(token("token-2")));
    }

    async fn while_one_asks_the_others_wait(desk: Desk) {
        let connection = connected(&desk).await;
        let here = tokens(&desk.books, &connection).await;
        let there = tokens(&desk.another(7), &connection).await;
        let mut lease = here.lock().await.unwrap();
        let waiting = tokio::time::timeout(Duration::from_millis(500), there.lock()).await;
        assert!(waiting.is_err(), "two had the lease");
        lease.save(&token("token-1")).await.unwrap();
        lease.release().await;
        let mut next = there.lock().await.unwrap();
        assert_eq!(next.load().await.unwrap(), Some(token("token-1")));
    }

    async fn a_holder_that_died_is_succeeded_and_can_keep_nothing_later(desk: Desk) {
        let connection = connected(&desk).await;
        let here = tokens(&desk.books, &connection).await;
        let there = tokens(&desk.another(7), &connection).await;
        let mut lost = here.lock().await.unwrap();
        desk.clock.advance(chrono::TimeDelta::seconds(59));
        let early = tokio::time::timeout(Duration::from_millis(500), there.lock()).await;
        assert!(early.is_err(), "the lease ended early");
        desk.clock.advance(chrono::TimeDelta::seconds(1));
        let mut next = there.lock().await.unwrap();
        next.save(&token("token-2")).await.unwrap();
        let refused = lost.save(&token("token-1")).await.unwrap_err();
        assert!(refused.to_string().contains("was lost"), "{refused}");
        // It does not take the lease from its successor, either.
        lost.release().await;
        next.save(&token("token-3")).await.unwrap();
        assert_eq!(here.load().await.unwrap(), Some(token("token-3")));
    }

    async fn processes_that_start_together_ask_for_one_token(desk: Desk) {
        let house = House::open().await;
        let portfolio = portfolio(&desk).await;
        let base = house.base().parse().unwrap();
        let id = connect(&desk.books, portfolio.id, &base).await.id;
        let asking = (0..4).map(|_| {
            let books = desk.another(7);
            tokio::spawn(async move {
                let way: Settings = books.way(id).await.unwrap();
                Guesty::new(way).unwrap().reader().account().await.unwrap();
            })
        });
        for asked in join_all(asking).await {
            asked.unwrap();
        }
        assert_eq!(house.with(|rooms| rooms.tokens), 1);
    }
}

/// Tokio's clock stands still here and jumps whenever all wait, for the database too: how far it is
/// at a line of the test cannot be told, so what is awaited is looked for again and again.
#[tokio::test(start_paused = true)]
async fn a_lease_goes_on_while_its_holder_lives() {
    let desk = Desk::on(Engine::Sqlite).await;
    let connection = connected(&desk).await;
    let tokens = tokens(&desk.books, &connection).await;
    let start: Timestamp = START.parse().unwrap();
    let after = |seconds| Some(start + chrono::TimeDelta::seconds(seconds));

    let lease = tokens.lock().await.unwrap();
    assert_eq!(desk.lease_ends().await, after(60));
    desk.clock.advance(chrono::TimeDelta::seconds(20));
    let mut looks = 0;
    while desk.lease_ends().await != after(80) {
        looks += 1;
        assert!(looks < 100, "the lease was not renewed");
        tokio::time::sleep(Duration::from_secs(20)).await;
    }

    drop(lease);
    desk.clock.advance(chrono::TimeDelta::seconds(20));
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(desk.lease_ends().await, after(80));
}
