//! Keys that are changed: what is sealed is sealed anew, and opens without the former key.

use guesty::Credentials;
use store::on_both_engines;

use crate::house::{House, listing};
use crate::support::Desk;

on_both_engines! {
    async fn what_was_sealed_anew_opens_without_the_former_key(desk: Desk) {
        let house = House::open().await;
        house.with(|rooms| rooms.listings = vec![listing(1)]);
        let portfolio = desk.books.add_portfolio("Seaside").await.unwrap();
        let base = house.base().parse().unwrap();
        let credentials = Credentials::new("0oaTEST", "s3cr3t");
        let id = desk.books.connect(portfolio.id, &base, &credentials).await.unwrap().id;
        let books = desk.another(7).with_public_url(Some("https://books.example".parse().unwrap()));
        assert!(books.refresh(id).await.unwrap().are_green());
        let secret = books.webhook_secret(id).await.unwrap();

        // Two chains (one is the desk's own), a client secret, a token and a webhook's secret.
        assert_eq!(desk.books.reseal().await.unwrap(), 0);
        assert_eq!(desk.with_keys(8, &[7]).reseal().await.unwrap(), 5);
        assert_eq!(desk.with_keys(8, &[7]).reseal().await.unwrap(), 0);
        assert!(desk.another(7).way(id).await.is_err());

        let books = desk.another(8);
        assert_eq!(books.way(id).await.unwrap().credentials, credentials);
        assert_eq!(books.webhook_secret(id).await.unwrap(), secret);
        let tip = books.chain(id).await.unwrap().tip().await.unwrap();
        let verdict = books.chain(id).await.unwrap().verify(None, |_| ()).await.unwrap();
        assert_eq!(verdict, books::evidence::Verdict::Sound { tip });
        assert!(books.refresh(id).await.unwrap().are_green());
        assert_eq!(house.with(|rooms| rooms.tokens), 1);
    }

    async fn what_no_key_opens_is_said_and_nothing_of_it_is_changed(desk: Desk) {
        let refused = desk.with_keys(8, &[]).reseal().await.unwrap_err();
        assert!(refused.to_string().contains("was sealed with key"), "{refused}");
        assert!(desk.another(7).chain(desk.connection).await.is_ok());
    }
}
