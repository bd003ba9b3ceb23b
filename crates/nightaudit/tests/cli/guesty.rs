//! The client of the Open API against the platform: what it reads is what was done.

use std::fmt::Debug;

use futures_util::{Stream, TryStreamExt};
use guesty::{
    Error, Field, Filter, Guesty, Limits, ListingQuery, Page, Problem, Reader, ReportQuery,
    ReservationQuery, Settings, Window,
};
use money::{Decimal, Money};
use serde_json::json;
use store::on_both_engines;

use crate::support::{Credentials, Home, Server};

const ACCOUNT: &str = "5213a2d206112710005d96ff";
const RESERVATION: &str = "64da254383ad1500284bd0c0";
const GUEST: &str = "64da2084867c12ee0c2ca47f";

fn client(server: &Server, credentials: &Credentials) -> Reader {
    way(server, credentials).reader()
}

fn way(server: &Server, credentials: &Credentials) -> Guesty {
    let credentials = guesty::Credentials::new(&credentials.id, &credentials.secret);
    let settings = Settings {
        base_url: server.base.parse().unwrap(),
        limits: Limits::full_speed(),
        ..Settings::new(credentials)
    };
    Guesty::new(settings).unwrap()
}

/// All rows of a list, each of which can be read.
async fn all<T: Debug>(pages: impl Stream<Item = Result<Page<T>, Error>>) -> Vec<T> {
    let pages: Vec<Page<T>> = pages.try_collect().await.unwrap();
    let mut items = Vec::new();
    for page in pages {
        assert_eq!(page.rows.unreadable, []);
        items.extend(page.rows.items);
    }
    items
}

on_both_engines! {
    async fn the_client_reads_what_was_paid(home: Home) {
        home.run(&["sandbox", "seed", "--fixture", "guesty-docs"]).expect(0);
        let credentials = home.app(&["--account", ACCOUNT]);
        let id = RESERVATION.parse().unwrap();
        let august = Window::new("2023-08-10".parse().unwrap(), "2023-08-31".parse().unwrap());
        let august = ReportQuery::dates(august.unwrap());

        let server = home.serve(&[]);
        let token = server.token(&credentials).await;
        let payment = json!({
            "paymentMethod": {"method": "STRIPE", "id": "64da2367d8d9771c02befbb2"},
            "amount": 500.05,
        });
        let path = format!("/v1/reservations/{RESERVATION}/payments");
        let (status, paid) = server.post(&path, &token, &payment).await;
        assert_eq!(status, 201, "{paid}");

        let reader = client(&server, &credentials);
        assert_eq!(reader.account_id().await.unwrap().unwrap().to_string(), ACCOUNT);
        let account = reader.account().await.unwrap();
        assert_eq!(account.value.id.get().unwrap().to_string(), ACCOUNT);

        let listings = all(reader.listings(&ListingQuery::default())).await;
        assert_eq!(listings.len(), 1);
        let listing = listings[0].id.get().unwrap();
        assert_eq!(reader.listing(listing).await.unwrap().value.title, listings[0].title);

        let reservation = reader.reservation(id).await.unwrap().value;
        assert_eq!(reservation.money.total_paid.get().unwrap().to_string(), "500.05");
        assert_eq!(reservation.listing_id.get(), Some(listing));
        let payment = reservation.money.payments.last().unwrap();
        assert_eq!(payment.status.text(), "SUCCEEDED");
        assert_eq!(payment.amount.get().unwrap().to_string(), "500.05");
        let code = reservation.confirmation_code.text();
        let found = ReservationQuery::matching([Filter::is("confirmationCode", code)]);
        assert_eq!(all(reader.reservations(&found)).await, std::slice::from_ref(&reservation));
        let newer: Vec<_> = reader.reservations_v3(&[id]).try_collect().await.unwrap();
        assert_eq!(newer[0].value.rows.items[0].confirmation_code.text(), code);

        let charges = all(reader.transactions(&august)).await;
        let charge = charges.iter().find(|row| row.transaction_type.text() == "Charge").unwrap();
        assert_eq!(charge.amount.get().unwrap().to_string(), "500.05");
        assert_eq!(charge.reservation_confirmation_code.text(), code);
        assert_eq!(all(reader.transactions(&ReportQuery::reservation(code))).await, charges);
        let guest = GUEST.parse().unwrap();
        let methods = reader.payment_methods(guest, Some(id)).await.unwrap().value;
        assert_eq!(methods.items[0].last4.text(), "4242");

        // A week after it is settled, the charge is paid out: its rows sum to the payout.
        home.run(&["sandbox", "advance", "10d", "--account", ACCOUNT]).expect(0);
        let rows = all(reader.payouts(&august)).await;
        let (first, currency) = (&rows[0], rows[0].currency.get().unwrap());
        let money = |amount: &Field<Decimal>| {
            Money::from_decimal(amount.value().unwrap(), currency).unwrap()
        };
        let mut sum = Money::zero(currency);
        for row in &rows {
            assert_eq!(row.payout_id, first.payout_id);
            sum = sum.checked_add(money(&row.activity_amount)).unwrap();
        }
        assert_eq!(sum, money(&first.payout_amount));
        let paid_out = rows.iter().find(|row| row.transaction_id == charge.transaction_id);
        assert_eq!(paid_out.unwrap().merchant_transaction_id.text(), code);
        let charges = all(reader.transactions(&august)).await;
        server.stop();

        // The same rows, whichever way the server prints amounts.
        let server = home.serve(&["--report-amounts-as-text"]);
        assert_eq!(all(client(&server, &credentials).transactions(&august)).await, charges);
        server.stop();
    }

    async fn the_client_subscribes_a_url_once_and_takes_it_back(home: Home) {
        const URL: &str = "https://example.com/webhooks/guesty/1?a=b";
        home.run(&["sandbox", "seed", "--fixture", "guesty-docs"]).expect(0);
        let credentials = home.app(&["--account", ACCOUNT]);
        let server = home.serve(&[]);
        let registrar = way(&server, &credentials).webhook_registrar();

        let first = registrar.register(URL, &["listing.new"]).await.unwrap().value;
        let again = registrar.register(URL, &["listing.new"]).await.unwrap().value;
        assert_eq!(again, first);
        let events = ["listing.new", "reservation.updated"];
        let changed = registrar.register(URL, &events).await.unwrap().value;
        assert_eq!(changed.id, first.id);
        assert_eq!(registrar.list().await.unwrap().value.items, [changed]);
        assert!(registrar.secret(URL).await.unwrap().reveal().starts_with("whsec_"));

        let id = first.id.get().unwrap();
        registrar.delete(id).await.unwrap();
        registrar.delete(id).await.unwrap();
        assert_eq!(registrar.list().await.unwrap().value.items, []);
        server.stop();
    }

    async fn the_client_reads_the_catalog_of_taxes(home: Home) {
        home.run(&["sandbox", "seed", "--fixture", "guesty-docs"]).expect(0);
        let credentials = home.app(&["--account", ACCOUNT]);
        let server = home.serve(&[]);
        let token = server.token(&credentials).await;
        let vat = json!({
            "type": "VAT", "name": "VAT", "units": "PERCENTAGE", "amount": 7.75,
            "quantifier": "PER_STAY", "appliedOnFees": ["AF", "CF"],
        });
        let (status, made) = server.post("/v1/taxes", &token, &vat).await;
        assert_eq!(status, 201, "{made}");

        let reader = client(&server, &credentials);
        let taxes = reader.taxes_of_account().await.unwrap().value.items;
        assert_eq!(taxes.len(), 1);
        assert_eq!(taxes[0].id.get().unwrap().to_string(), made["_id"].as_str().unwrap());
        assert_eq!(taxes[0].amount.get().unwrap().to_string(), "7.75");
        assert_eq!(taxes[0].applied_on_fees.len(), 2);
        // The listing has none of its own, so the account's hold for it.
        let listing = all(reader.listings(&ListingQuery::default())).await[0].id.get().unwrap();
        assert_eq!(reader.taxes_of_listing(listing).await.unwrap().value.items, []);
        assert_eq!(reader.actual_taxes_of_listing(listing).await.unwrap().value.items, taxes);
        assert_eq!(reader.fees_of_account().await.unwrap().value.items, []);
        assert_eq!(reader.fees_of_listing(listing).await.unwrap().value.items, []);
        server.stop();
    }

    async fn the_client_tells_what_the_platform_refuses(home: Home) {
        home.run(&["sandbox", "seed", "--fixture", "guesty-docs"]).expect(0);
        let credentials = home.app(&["--account", ACCOUNT]);
        let server = home.serve(&[]);

        let stranger = Credentials { secret: "wrong".to_owned(), ..credentials.clone() };
        let error = client(&server, &stranger).account().await.unwrap_err();
        assert!(matches!(error.problem, Problem::Credentials(_)), "{error}");

        let reader = client(&server, &credentials);
        let nowhere = "000000000000000000000000".parse().unwrap();
        let error = reader.reservation(nowhere).await.unwrap_err();
        assert!(matches!(error.problem, Problem::NotFound(_)), "{error}");
        server.stop();
    }
}
