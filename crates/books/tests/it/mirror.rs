//! The mirror: what replies say, kept with what they said before.

use books::mirror::{
    AsOf, Change, Counts, FlaggedCounts, FlaggedPage, Kind, Lookup, Mirror, Reason, charges,
};
use bytes::Bytes;
use contract::Timestamp;
use guesty::Reply;
use guesty::seen::listing::Listing;
use guesty::seen::payout::PayoutRow;
use guesty::seen::reservation::Reservation;
use guesty::seen::tax::Tax;
use guesty::seen::transaction::Transaction;
use serde_json::{Value, json};
use store::on_both_engines;

use crate::house::{id, listing, payout_line, reservation, transaction};
use crate::support::{Desk, START};

fn reply(request: &str, status: u16, body: &Value, minute: i64) -> Reply {
    let start: Timestamp = START.parse().unwrap();
    Reply {
        request: request.to_owned(),
        status,
        body: Bytes::from(body.to_string()),
        received_at: Timestamp::from_millis(start.millis() + minute * 60_000),
        sent_at: None,
        request_id: None,
    }
}

fn changed(counts: Counts) -> (u64, u64, u64, u64) {
    (counts.new, counts.changed, counts.unchanged, counts.removed)
}

async fn take(mirror: &Mirror, request: &str, body: &Value, minute: i64) -> Counts {
    mirror
        .take_in(&[reply(request, 200, body, minute)])
        .await
        .unwrap()
}

const ONE: &str = "/v1/reservations/000000000000000000000007?fields=money";

on_both_engines! {
    async fn a_reservation_is_kept_with_its_charges_and_what_is_odd_is_flagged(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        let mut stay = reservation(7, "2026-12-01", "1000.10");
        stay["status"] = json!("teleported");
        stay["listingId"] = json!(null);
        stay["money"]["currency"] = json!("XQQ");
        stay["money"]["balanceDue"] = json!("n/a");
        stay["money"]["hostPayout"] = serde_json::from_str("563000000000000.29").unwrap();
        stay["money"]["invoiceItems"] = json!([
            {"title": "Fare", "amount": 300, "normalType": "AF", "nightsBreakdown": [
                {"date": "2026-12-01", "amount": 100}, {"date": "2026-12-02", "amount": 200}]},
            {"title": "Pets", "amount": "12.50", "normalType": "AFE"},
            {"title": "VAT", "amount": 23.1, "normalType": "VAT", "isTax": true},
        ]);
        stay["atTimeOfConfirmation"] = json!({"taxes": [{"type": "VAT", "amount": 7.7, "appliedOnFees": ["AF"]}]});
        let counts = take(&mirror, ONE, &stay, 0).await;
        assert_eq!((changed(counts), counts.flagged), ((1, 0, 0, 0), 1));

        let found = mirror.find::<Reservation>(Lookup::Code("GY-7".to_owned()), AsOf::Now).await;
        let known = &found.unwrap()[0];
        let money = &known.value.money;
        assert_eq!(money.host_payout.get().unwrap().to_string(), "563000000000000.29");
        assert_eq!(money.balance_due.odd(), Some("n/a"));
        assert_eq!(money.currency.odd(), Some("XQQ"));
        assert_eq!(known.value.status.text(), "teleported");
        let flags: Vec<_> = known.flags.iter().map(|flag| flag.field.as_str()).collect();
        assert_eq!(flags, ["status", "money.currency", "money.balanceDue", "listingId"]);
        assert_eq!(known.flags[3].reason, Reason::Missing);

        let lines: Vec<_> = charges(&known.value).collect();
        let taxable: Vec<_> = lines.iter().map(|charge| charge.is_taxable).collect();
        assert_eq!(taxable, [Some(true), Some(false), Some(false)]);
        assert_eq!(lines[0].item.nights_breakdown[1].amount.get().unwrap().to_string(), "200");
        assert_eq!(lines[1].item.amount.get().unwrap().to_string(), "12.5");
        assert_eq!(mirror.count_flagged().await.unwrap(), FlaggedCounts::from([("reservation".to_owned(), 1)]));
    }

    async fn what_is_flagged_is_listed_page_by_page_as_long_as_the_source_has_it(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        let all = async |kinds: &[Kind], at_most| {
            let (mut ids, mut after) = (Vec::new(), None);
            loop {
                let FlaggedPage { objects, is_more } = mirror.flagged(kinds, after, at_most).await.unwrap();
                assert!(objects.len() <= at_most && (!is_more || objects.len() == at_most), "{objects:?}");
                ids.extend(objects.iter().map(|one| format!("{} {}", one.kind, one.id)));
                let Some(last) = objects.last().filter(|_| is_more) else { return ids };
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == last.kind).unwrap();
                after = Some((kind, last.id.clone()));
            }
        };
        assert_eq!(all(&Kind::ALL, 5).await, Vec::<String>::new());

        let stays = (1..=6).map(|number| {
            let mut stay = reservation(number, "2026-12-01", "0");
            if number != 4 {
                stay["status"] = json!("teleported");
            }
            stay
        });
        let list = json!({"results": stays.collect::<Vec<_>>(), "count": 6});
        assert_eq!(take(&mirror, "/v1/reservations?skip=0", &list, 0).await.flagged, 5);
        let gone = format!("/v1/reservations/{}", id(2));
        mirror.take_in(&[reply(&gone, 404, &json!("Reservation Not Found"), 1)]).await.unwrap();
        let mut odd = listing(9);
        odd["bedrooms"] = json!("many");
        let list = json!({"results": [listing(8), odd], "count": 2});
        take(&mirror, "/v1/listings?skip=0", &list, 2).await;

        let flagged = [("property", 9), ("reservation", 1), ("reservation", 3), ("reservation", 5), ("reservation", 6)];
        let flagged = flagged.map(|(kind, number)| format!("{kind} {}", id(number)));
        for at_most in [1, 5] {
            assert_eq!(all(&Kind::ALL, at_most).await, flagged, "{at_most} at a time");
        }
        assert_eq!(mirror.flagged(&[Kind::Property], None, 9).await.unwrap().objects.len(), 1);
        let past = Some((Kind::Reservation, id(3)));
        let rest = mirror.flagged(&Kind::ALL, past, 9).await.unwrap();
        assert_eq!(rest.objects.iter().map(|one| one.code.as_deref()).collect::<Vec<_>>(), [Some("GY-5"), Some("GY-6")]);
        let counts = [("property".to_owned(), 1), ("reservation".to_owned(), 4)];
        assert_eq!(mirror.count_flagged().await.unwrap(), FlaggedCounts::from(counts));
    }

    async fn an_equal_reply_appends_nothing_and_a_changed_one_keeps_what_was(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        take(&mirror, ONE, &reservation(7, "2026-12-01", "0"), 0).await;
        let same = take(&mirror, ONE, &reservation(7, "2026-12-01", "0.00"), 1).await;
        assert_eq!(changed(same), (0, 0, 1, 0));
        assert_eq!(desk.chain.tip().await.unwrap().length, 1);
        let list = json!({"results": [reservation(7, "2026-12-03", "500")], "count": 1});
        let counts = take(&mirror, "/v1/reservations?skip=0", &list, 2).await;
        assert_eq!(changed(counts), (0, 1, 0, 0));

        let paid_at = async |as_of| {
            let known = mirror.get::<Reservation>(&id(7), as_of).await.unwrap();
            known.map(|known| known.value.money.total_paid.get().unwrap().to_string())
        };
        let minute = |minute| reply("", 200, &json!(0), minute).received_at;
        assert_eq!(paid_at(AsOf::Now).await.unwrap(), "500");
        assert_eq!(paid_at(AsOf::Instant(minute(1))).await.unwrap(), "0");
        assert_eq!(paid_at(AsOf::Instant(minute(2))).await.unwrap(), "500");
        assert_eq!(paid_at(AsOf::Record(1)).await.unwrap(), "0");
        assert_eq!(paid_at(AsOf::Instant(minute(-1))).await, None);

        let steps = mirror.history(Kind::Reservation, "GY-7").await.unwrap();
        assert_eq!(steps.len(), 2);
        assert_eq!((steps[0].change, steps[0].record), (Change::Appeared, 1));
        assert_eq!((steps[1].change, steps[1].record, steps[1].at), (Change::Changed, 2, minute(2)));
        let values: Vec<_> = steps[1].values.iter()
            .map(|value| (value.field.as_str(), value.before.as_deref(), value.after.as_deref()))
            .collect();
        assert_eq!(values, [
            ("checkInDateLocalized", Some("2026-12-01"), Some("2026-12-03")),
            ("money.totalPaid", Some("0"), Some("500")),
        ]);
        assert_eq!(mirror.history(Kind::Reservation, &id(7)).await.unwrap(), steps);
        assert_eq!(mirror.history(Kind::Property, &id(7)).await.unwrap(), []);
    }

    async fn what_the_source_has_no_more_is_removed_and_may_return(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        take(&mirror, ONE, &reservation(7, "2026-12-01", "0"), 0).await;
        let gone = mirror.take_in(&[reply(ONE, 404, &json!("Reservation Not Found"), 1)]).await;
        assert_eq!(changed(gone.unwrap()), (0, 0, 0, 1));
        let again = mirror.take_in(&[reply(ONE, 404, &json!("Reservation Not Found"), 2)]).await;
        assert_eq!(changed(again.unwrap()), (0, 0, 0, 0));
        let known = mirror.get::<Reservation>(&id(7), AsOf::Now).await.unwrap().unwrap();
        assert!(known.is_removed);
        assert_eq!(known.value.confirmation_code.text(), "GY-7");
        assert_eq!(mirror.count(Kind::Reservation).await.unwrap(), 0);
        assert_eq!(desk.chain.record(2).await.unwrap().unwrap().status, 404);

        take(&mirror, ONE, &reservation(7, "2026-12-01", "0"), 3).await;
        let steps = mirror.history(Kind::Reservation, "GY-7").await.unwrap();
        let changes: Vec<_> = steps.iter().map(|step| step.change).collect();
        assert_eq!(changes, [Change::Appeared, Change::Removed, Change::Returned]);
        assert_eq!(steps[2].values, []);
    }

    async fn a_catalog_is_taken_in_whole(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        let tax = |number, amount: &str| json!({"_id": id(number), "type": "VAT", "units": "PERCENTAGE", "amount": amount});
        let own = "/v1/taxes/unit-type/000000000000000000000001";
        take(&mirror, "/v1/taxes/account", &json!([tax(1, "7.7"), tax(2, "3")]), 0).await;
        take(&mirror, own, &json!([tax(3, "1")]), 1).await;
        let counts = take(&mirror, "/v1/taxes/account", &json!([tax(1, "8.1")]), 2).await;
        assert_eq!(changed(counts), (0, 1, 0, 1));
        let of = async |level: &str| {
            let found = mirror.find::<Tax>(Lookup::Parent(level.to_owned()), AsOf::Now).await;
            found.unwrap().iter().map(|tax| (tax.id.clone(), tax.is_removed)).collect::<Vec<_>>()
        };
        assert_eq!(of("account").await, [(id(1), false), (id(2), true)]);
        assert_eq!(of(&id(1)).await, [(id(3), false)]);
    }

    async fn a_months_report_is_taken_in_whole_and_late_changes_are_kept(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        let page = |rows: Value, minute| {
            let request = "/v1/payment-transactions/reports?startDate=2026-11-01&endDate=2026-11-30&take=100&skip=0";
            reply(request, 200, &rows, minute)
        };
        let on = "2026-11-03T10:00:00";
        let first = [
            page(json!([transaction(1, on, None), transaction(2, on, None)]), 0),
            // The same id again is another row.
            page(json!([transaction(2, on, None)]), 0),
            page(json!([]), 0),
        ];
        assert_eq!(changed(mirror.take_in(&first).await.unwrap()), (3, 0, 0, 0));
        assert_eq!(changed(mirror.take_in(&first).await.unwrap()), (0, 0, 3, 0));
        assert_eq!(desk.chain.tip().await.unwrap().length, 3);

        let settled = [page(json!([transaction(2, on, Some("2026-11-05")), transaction(2, on, None)]), 1)];
        assert_eq!(changed(mirror.take_in(&settled).await.unwrap()), (0, 1, 1, 1));
        let found = mirror.find::<Transaction>(Lookup::Code("GY-1".to_owned()), AsOf::Now).await.unwrap();
        let removed: Vec<_> = found.iter().map(|row| row.is_removed).collect();
        assert_eq!(removed, [true, false, false]);
        let then = mirror.find::<Transaction>(Lookup::Code("GY-1".to_owned()), AsOf::Record(3)).await.unwrap();
        assert!(then.iter().all(|row| !row.is_removed && row.value.settlement_date.is_absent()));
    }

    async fn the_lines_of_a_payout_are_told_apart_and_its_rejection_is_a_new_version(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        let request = "/v1/payment-transactions/reports/payouts-reconciliation?startDate=2026-11-01&endDate=2026-11-30";
        let lines = |status| json!([
            payout_line(5, "Percentage Fee", status, "2026-11-10T12:00:00"),
            payout_line(5, "Fixed Fee", status, "2026-11-10T12:00:00"),
        ]);
        take(&mirror, request, &lines("Processed"), 0).await;
        let counts = take(&mirror, request, &lines("Rejected by Processor"), 1).await;
        assert_eq!(changed(counts), (0, 2, 0, 0));
        let of_five = Lookup::Parent("5".to_owned());
        let now = mirror.find::<PayoutRow>(of_five.clone(), AsOf::Now).await.unwrap();
        let then = mirror.find::<PayoutRow>(of_five, AsOf::Record(1)).await.unwrap();
        assert_eq!((now.len(), then.len()), (2, 2));
        assert_eq!(now[0].value.payout_status.text(), "Rejected by Processor");
        assert_eq!(then[0].value.payout_status.text(), "Processed");
    }

    async fn pages_of_the_past_pass_over_what_came_later(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        let stays = |numbers: &[usize]| {
            let stays: Vec<Value> = numbers.iter().map(|stay| reservation(*stay, "2026-12-01", "0")).collect();
            json!({"results": stays})
        };
        take(&mirror, "/v1/reservations?skip=0", &stays(&[1, 8]), 0).await;
        take(&mirror, "/v1/reservations?skip=0", &stays(&[2, 3, 4, 5, 6, 9]), 1).await;
        let (mut after, mut met) = (String::new(), Vec::new());
        loop {
            let page = mirror.page::<Reservation>(&after, 2, AsOf::Record(1)).await.unwrap();
            let Some(last) = page.last() else { break };
            after.clone_from(&last.id);
            met.extend(page.into_iter().map(|known| known.id));
        }
        assert_eq!(met, [id(1), id(8)]);
    }

    async fn what_cannot_be_told_apart_is_said_and_the_rest_is_kept(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        let list = json!({"results": [listing(1), "what is this", {"title": "No id"}], "count": 3});
        assert_eq!(changed(take(&mirror, "/v1/listings?skip=0", &list, 0).await), (1, 0, 0, 0));
        let known = mirror.get::<Listing>(&id(1), AsOf::Now).await.unwrap().unwrap();
        assert_eq!(known.value.prices.cleaning_fee.get().unwrap().to_string(), "20.5");
        assert_eq!(known.value.picture.thumbnail.text(), "https://example.com/t.jpg");
    }

    async fn a_mirror_that_is_folded_anew_is_equal_byte_for_byte(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        assert_eq!(mirror.fingerprint().await.unwrap(), None);
        // More records than are folded together.
        for round in 0..90 {
            let paid = (round / 2).to_string();
            let list: Vec<Value> = (0..5).map(|stay| reservation(stay + round % 7, "2026-12-01", &paid)).collect();
            take(&mirror, "/v1/reservations?skip=0", &json!({"results": list}), 0).await;
            let gone = format!("/v1/reservations/{}", id(round % 5));
            mirror.take_in(&[reply(&gone, 404, &json!("gone"), 0)]).await.unwrap();
            let rows: Vec<Value> = (0..round % 4).map(|row| transaction(row % 2, "2026-11-03T10:00:00", None)).collect();
            let request = "/v1/payment-transactions/reports?startDate=2026-11-01&endDate=2026-11-30";
            let pages = [reply(request, 200, &json!(rows), 0), reply(request, 200, &json!([]), 0)];
            mirror.take_in(&pages).await.unwrap();
        }
        let before = mirror.fingerprint().await.unwrap().unwrap();
        let records = desk.chain.tip().await.unwrap().length;
        assert!(records > 200, "{records}");
        let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
        assert_eq!((rebuilt.records, rebuilt.before.as_ref()), (records, Some(&before)));
        assert_eq!(rebuilt.after, before);
        assert_eq!(mirror.fingerprint().await.unwrap(), Some(before.clone()));

        // A mirror that somebody changed is found out, and put right.
        desk.sql("UPDATE object SET state = '{}' WHERE kind = 'transaction'").await;
        let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
        assert_ne!(rebuilt.before, Some(before.clone()));
        assert_eq!(rebuilt.after, before);
        let counts = take(&mirror, ONE, &reservation(7, "2027-01-01", "1"), 0).await;
        assert_eq!(counts.new + counts.changed, 1);
    }

    async fn what_is_taken_in_while_a_mirror_is_folded_anew_is_in_both(desk: Desk) {
        let mirror = Mirror::of(&desk.chain);
        let pay = |mirror: &Mirror, paid: i64| {
            let list = json!({"results": [reservation(7, "2026-12-01", &paid.to_string())]});
            let page = reply("/v1/reservations?skip=0", 200, &list, 0);
            let mirror = mirror.clone();
            async move { mirror.take_in(&[page]).await.unwrap() }
        };
        for paid in 0..60 {
            pay(&mirror, paid).await;
        }
        let going_on = mirror.clone();
        let goes_on = tokio::spawn(async move {
            for paid in 60..90 {
                pay(&going_on, paid).await;
            }
        });
        let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
        assert_eq!(rebuilt.before, Some(rebuilt.after));
        goes_on.await.unwrap();
        let known = mirror.get::<Reservation>(&id(7), AsOf::Now).await.unwrap().unwrap();
        assert_eq!(known.value.money.total_paid.get().unwrap().to_string(), "89");
        assert_eq!(known.record, 90);
        let rebuilt = mirror.rebuild(|_| ()).await.unwrap();
        assert_eq!((rebuilt.records, rebuilt.before), (90, Some(rebuilt.after)));
    }
}
