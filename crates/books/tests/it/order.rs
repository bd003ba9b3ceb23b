//! Orders: what they are as text, and that they are carried out.

use std::sync::Arc;

use books::sync::{Part, Settings, Span, Summary, Sync};
use books::{Heard, Pace, SyncOrder};
use guesty::Credentials;
use serde_json::json;
use store::{Clock, ManualClock, new_id, on_both_engines};

use crate::house::{House, listing};
use crate::support::Desk;

fn order() -> SyncOrder {
    let day = |text: &str| text.parse().unwrap();
    SyncOrder {
        connection: new_id(),
        parts: vec![Part::Properties, Part::Payments],
        span: Some(Span::new(day("2026-01-01"), day("2026-02-03")).unwrap()),
        pace: Pace::Unlimited,
    }
}

#[test]
fn an_order_passes_through_text_unchanged() {
    let order = order();
    let text = serde_json::to_string(&order).unwrap();
    assert_eq!(serde_json::from_str::<SyncOrder>(&text).unwrap(), order);
}

#[test]
fn dates_in_the_wrong_order_do_not_pass() {
    let mut text = serde_json::to_value(order()).unwrap();
    text["span"] = json!({"from": "2026-02-03", "to": "2026-01-01"});
    let refused = serde_json::from_value::<SyncOrder>(text).unwrap_err();
    assert!(
        refused.to_string().contains("give the earlier one first"),
        "{refused}"
    );
}

on_both_engines! {
    async fn an_order_to_sync_is_carried_out_over_the_kept_credentials(desk: Desk) {
        let house = House::open().await;
        house.with(|rooms| rooms.listings = vec![listing(1)]);
        let portfolio = desk.books.add_portfolio("Main").await.unwrap();
        let base = house.base().parse().unwrap();
        let credentials = Credentials::new("0oaTEST", "secret");
        let connection = desk.books.connect(portfolio.id, &base, &credentials).await.unwrap();
        let order = SyncOrder {
            connection: connection.id,
            parts: vec![Part::Properties],
            span: None,
            pace: Pace::Full,
        };
        let summary = desk.books.sync(&order, &|_| ()).await.unwrap();
        assert_eq!(summary.problems, []);
        assert_eq!(summary.of(Part::Properties).new, 1);
        let done: Heard<(), Summary> = Heard::end(Ok(summary.clone()));
        assert_eq!(done, Heard::Done(summary));

        // A run that was killed is waited for.
        let chain = desk.books.chain(connection.id).await.unwrap();
        let (asked, _) = house.hold_back("listings");
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&desk.clock);
        let dead = Sync::new(&chain, house.reader(), clock, Settings::default());
        let dead = tokio::spawn(async move { dead.run(&[Part::Properties], None, &|_| ()).await });
        asked.notified().await;
        let waiting = desk.books.sync(&order, &|_| ());
        let waited = async {
            desk.clock.advance(chrono::Duration::seconds(61));
            waiting.await
        };
        assert_eq!(waited.await.unwrap().problems, []);
        dead.abort();

        desk.books.disconnect(connection.id).await.unwrap();
        let refused = desk.books.sync(&order, &|_| ()).await;
        assert!(matches!(Heard::<(), _>::end(refused), Heard::Refused(_)));
    }
}
