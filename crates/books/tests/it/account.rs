//! Which account a connection leads to: another application goes on, another account does not.

use axum::http::StatusCode;
use axum::response::IntoResponse;
use books::Error;
use books::connection::Connection;
use books::mirror::{Kind, Mirror};
use books::sync::Part;
use books::{Pace, SyncOrder};
use chrono::TimeDelta;
use contract::id::PortfolioId;
use futures_util::future::join_all;
use guesty::{BaseUrl, Credentials};
use serde_json::json;
use store::on_both_engines;

use crate::house::{House, id, listing, reservation, transaction};
use crate::support::Desk;

async fn house(account: usize) -> House {
    let house = House::open().await;
    house.with(|rooms| {
        rooms.listings = vec![listing(1)];
        rooms.token_names = Some(id(account));
    });
    house
}

async fn portfolio(desk: &Desk) -> PortfolioId {
    desk.books.add_portfolio("Seaside").await.unwrap().id
}

async fn connect(desk: &Desk, portfolio: PortfolioId, house: &House, client: &str) -> Connection {
    let credentials = Credentials::new(client, &format!("secret of {client}").replace(' ', "-"));
    let base = house.base().parse().unwrap();
    let connect = desk.books.connect(portfolio, &base, &credentials);
    connect.await.unwrap()
}

fn order(connection: &Connection) -> SyncOrder {
    SyncOrder {
        connection: connection.id,
        parts: vec![Part::Properties],
        span: None,
        pace: Pace::Unlimited,
    }
}

async fn properties(desk: &Desk, connection: &Connection) -> i64 {
    let chain = desk.books.begin_chain(connection.id).await.unwrap();
    Mirror::of(&chain).count(Kind::Property).await.unwrap()
}

on_both_engines! {
    async fn another_application_of_the_account_goes_on_with_the_same_connection(desk: Desk) {
        let house = house(1).await;
        let portfolio = portfolio(&desk).await;
        let first = connect(&desk, portfolio, &house, "0oaFIRST").await;
        desk.books.sync(&order(&first), &|_| ()).await.unwrap();
        desk.books.disconnect(first.id).await.unwrap();

        let second = connect(&desk, portfolio, &house, "0oaSECOND").await;
        assert_eq!((second.id, second.client_id.as_str()), (first.id, "0oaSECOND"));
        assert!(second.is_connected);
        assert_eq!(desk.books.connections(portfolio).await.unwrap(), vec![second.clone()]);
        assert_eq!(properties(&desk, &second).await, 1);
        let way = desk.books.way(second.id).await.unwrap();
        assert_eq!(way.credentials, Credentials::new("0oaSECOND", "secret-of-0oaSECOND"));
        // The token that told which account it is, is the one that is used.
        let lights = desk.books.refresh(second.id).await.unwrap();
        assert!(lights.admin.is_green && lights.oauth.is_green, "{lights:?}");
        assert_eq!(house.with(|rooms| rooms.tokens), 2);
        let summary = desk.books.sync(&order(&second), &|_| ()).await.unwrap();
        assert_eq!(summary.total().new, 0);
    }

    async fn a_new_application_takes_the_place_of_one_that_is_still_connected(desk: Desk) {
        let house = house(1).await;
        let portfolio = portfolio(&desk).await;
        let first = connect(&desk, portfolio, &house, "0oaFIRST").await;
        desk.books.refresh(first.id).await.unwrap();
        let second = connect(&desk, portfolio, &house, "0oaSECOND").await;
        assert_eq!(second.id, first.id);
        let back = connect(&desk, portfolio, &house, "0oaFIRST").await;
        assert_eq!((back.id, back.client_id.as_str()), (first.id, "0oaFIRST"));
        assert!(desk.books.refresh(back.id).await.unwrap().admin.is_green);
    }

    async fn many_that_save_a_new_application_at_once_go_on_with_the_same_connection(desk: Desk) {
        let house = house(1).await;
        let portfolio = portfolio(&desk).await;
        let first = connect(&desk, portfolio, &house, "0oaFIRST").await;
        desk.books.refresh(first.id).await.unwrap();
        let credentials = Credentials::new("0oaSECOND", "secret");
        let base: BaseUrl = house.base().parse().unwrap();
        let saves = (0..6).map(|_| {
            let (books, base, credentials) = (desk.another(7), base.clone(), credentials.clone());
            tokio::spawn(async move { books.connect(portfolio, &base, &credentials).await })
        });
        for saved in join_all(saves).await {
            assert_eq!(saved.unwrap().unwrap().id, first.id);
        }
        assert_eq!(desk.books.connections(portfolio).await.unwrap().len(), 1);
        assert!(desk.books.refresh(first.id).await.unwrap().oauth.is_green);
    }

    async fn other_accounts_and_other_portfolios_have_connections_of_their_own(desk: Desk) {
        let house = house(1).await;
        let portfolio = portfolio(&desk).await;
        let first = connect(&desk, portfolio, &house, "0oaFIRST").await;
        desk.books.refresh(first.id).await.unwrap();
        let alps = desk.books.add_portfolio("Alps").await.unwrap().id;
        let there = connect(&desk, alps, &house, "0oaSECOND").await;
        assert_ne!(there.id, first.id);
        house.with(|rooms| rooms.token_names = Some(id(2)));
        let other = connect(&desk, portfolio, &house, "0oaTHIRD").await;
        assert_ne!(other.id, first.id);
        assert_eq!(other.account.unwrap().to_string(), id(2));
    }

    async fn two_that_turn_out_to_be_one_account_are_made_one_by_saving_again(desk: Desk) {
        let house = house(1).await;
        let portfolio = portfolio(&desk).await;
        let first = connect(&desk, portfolio, &house, "0oaFIRST").await;
        let second = connect(&desk, portfolio, &house, "0oaSECOND").await;
        assert_ne!(second.id, first.id);
        desk.books.refresh(first.id).await.unwrap();
        let lights = desk.books.refresh(second.id).await.unwrap();
        assert!(!lights.admin.is_green && lights.oauth.is_green, "{lights:?}");
        assert!(lights.admin.message.contains("save its credentials again"), "{lights:?}");
        let refused = desk.books.sync(&order(&second), &|_| ()).await.unwrap_err();
        assert!(matches!(refused, Error::AccountTaken { .. }), "{refused}");

        // A server has it on its agenda.
        desk.sql(format!("INSERT INTO inbox_sweep VALUES ('{}', 0)", second.id)).await;
        let one = connect(&desk, portfolio, &house, "0oaSECOND").await;
        assert_eq!((one.id, one.client_id.as_str()), (first.id, "0oaSECOND"));
        assert_eq!(desk.books.connections(portfolio).await.unwrap(), vec![one]);
        let gone = desk.books.connection(second.id).await;
        assert!(matches!(gone, Err(Error::NoConnection(_))));
        // That credentials were saved there, twice, stays on record.
        let chain = desk.books.chain(second.id).await.unwrap();
        assert_eq!(chain.tip().await.unwrap().length, 2);
    }

    async fn another_account_than_before_is_not_mixed_in(desk: Desk) {
        let house = house(1).await;
        let portfolio = portfolio(&desk).await;
        let connection = connect(&desk, portfolio, &house, "0oaFIRST").await;
        desk.books.sync(&order(&connection), &|_| ()).await.unwrap();
        desk.books.disconnect(connection.id).await.unwrap();
        house.with(|rooms| {
            rooms.token_names = Some(id(2));
            rooms.listings = vec![listing(1), listing(2)];
        });
        let again = connect(&desk, portfolio, &house, "0oaFIRST").await;
        assert_eq!(again.id, connection.id);
        let lights = desk.books.refresh(again.id).await.unwrap();
        assert!(!lights.admin.is_green, "{lights:?}");
        assert!(lights.admin.message.contains(&id(2)), "{lights:?}");
        let refused = desk.books.sync(&order(&again), &|_| ()).await.unwrap_err();
        assert!(matches!(refused, Error::AnotherAccount { .. }), "{refused}");
        assert_eq!(properties(&desk, &again).await, 1);
    }

    async fn credentials_that_are_told_of_another_account_bring_nothing_in(desk: Desk) {
        let house = house(1).await;
        let portfolio = portfolio(&desk).await;
        let connection = connect(&desk, portfolio, &house, "0oaFIRST").await;
        desk.books.sync(&order(&connection), &|_| ()).await.unwrap();
        let length = || async {
            let chain = desk.books.begin_chain(connection.id).await.unwrap();
            chain.tip().await.unwrap().length
        };
        let before = length().await;
        // The token still names the account of before.
        house.with(|rooms| {
            rooms.account = Some((StatusCode::OK, json!({"_id": id(2)})));
            rooms.listings = vec![listing(1), listing(2)];
        });
        let summary = desk.books.sync(&order(&connection), &|_| ()).await.unwrap();
        assert_eq!(summary.problems.len(), 1, "{summary:?}");
        assert!(summary.problems[0].reason.contains(&id(2)), "{summary:?}");
        assert_eq!((length().await, properties(&desk, &connection).await), (before, 1));
        let lights = desk.books.refresh(connection.id).await.unwrap();
        assert!(!lights.admin.is_green && lights.admin.message.contains(&id(2)), "{lights:?}");

        // Another application of the account may be told another id of it.
        desk.clock.advance(TimeDelta::seconds(1));
        connect(&desk, portfolio, &house, "0oaSECOND").await;
        assert!(desk.books.refresh(connection.id).await.unwrap().admin.is_green);
        let summary = desk.books.sync(&order(&connection), &|_| ()).await.unwrap();
        assert_eq!((summary.problems.len(), summary.total().new), (0, 1), "{summary:?}");
    }

    async fn whatever_a_run_reads_it_takes_nothing_of_another_account(desk: Desk) {
        let house = house(1).await;
        house.with(|rooms| {
            rooms.reservations = vec![reservation(1, "2026-12-01", "10")];
            rooms.taxes = vec![json!({"_id": id(900), "type": "VAT", "amount": 7.7})];
            rooms.transactions = vec![transaction(1, "2026-11-05T10:00:00", None)];
        });
        let portfolio = portfolio(&desk).await;
        let connection = connect(&desk, portfolio, &house, "0oaFIRST").await;
        // Twice: what was told before does not count once credentials are saved, what is told then does.
        for _ in 0..2 {
            house.with(|rooms| rooms.account = Some((StatusCode::OK, json!({"_id": id(7)}))));
            desk.clock.advance(TimeDelta::seconds(1));
            connect(&desk, portfolio, &house, "0oaFIRST").await;
            let sync = desk.books.sync(&order(&connection), &|_| ()).await.unwrap();
            assert_eq!(sync.problems, []);

            house.with(|rooms| rooms.account = Some((StatusCode::OK, json!({"_id": id(8)}))));
            let chain = desk.books.begin_chain(connection.id).await.unwrap();
            let before = chain.tip().await.unwrap();
            for part in [Part::Reservations, Part::Taxes, Part::Payments] {
                house.asked();
                let order = SyncOrder { parts: vec![part], ..order(&connection) };
                let summary = desk.books.sync(&order, &|_| ()).await.unwrap();
                assert_eq!(summary.problems.len(), 1, "{summary:?}");
                assert!(summary.problems[0].reason.contains(&id(8)), "{summary:?}");
                assert_eq!(house.asked(), ["accounts/me?"]);
            }
            assert_eq!(chain.tip().await.unwrap(), before);
        }
    }

    async fn another_token_in_the_middle_of_a_run_is_asked_whose_it_is(desk: Desk) {
        let house = house(1).await;
        house.with(|rooms| {
            rooms.reservations = (0..150).map(|number| reservation(number, "2026-12-01", "10")).collect();
        });
        let portfolio = portfolio(&desk).await;
        let connection = connect(&desk, portfolio, &house, "0oaFIRST").await;
        let order = SyncOrder { parts: vec![Part::Properties, Part::Reservations], ..order(&connection) };
        // The second page is refused until there is another token, and that names another account.
        let mut is_refused = false;
        house.with(|rooms| {
            rooms.between = Some(Box::new(move |rooms| {
                let is_second = rooms.asked.last().is_some_and(|asked| asked.contains("skip=99"));
                if is_second && !is_refused {
                    is_refused = true;
                    rooms.token_names = Some(id(2));
                    rooms.instead = Some(Box::new(|path, query| {
                        let is_it = path == "reservations" && query.number("skip") == 99;
                        is_it.then(|| StatusCode::UNAUTHORIZED.into_response())
                    }));
                } else {
                    rooms.instead = None;
                }
            }));
        });
        let summary = desk.books.sync(&order, &|_| ()).await.unwrap();
        assert_eq!(summary.problems.len(), 1, "{summary:?}");
        assert!(summary.problems[0].reason.contains(&id(2)), "{summary:?}");
        let chain = desk.books.begin_chain(connection.id).await.unwrap();
        // The first page may have come before that and may not be taken in yet; the second came with it.
        assert!(Mirror::of(&chain).count(Kind::Reservation).await.unwrap() <= 100);
        assert_eq!(house.with(|rooms| rooms.tokens), 2);
    }

    async fn a_source_that_cannot_be_asked_which_account_it_is_gets_a_connection(desk: Desk) {
        let house = house(1).await;
        let portfolio = portfolio(&desk).await;
        let first = connect(&desk, portfolio, &house, "0oaFIRST").await;
        desk.books.refresh(first.id).await.unwrap();
        let refusal = (axum::http::StatusCode::BAD_REQUEST, "application/json", "{}");
        house.with(|rooms| rooms.no_token = Some(refusal));
        let second = connect(&desk, portfolio, &house, "0oaSECOND").await;
        assert_ne!(second.id, first.id);
        assert_eq!((second.account, second.is_connected), (None, true));
    }
}
