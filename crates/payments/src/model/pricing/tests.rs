use contract::fee::FeeFields;
use contract::tax::TaxFields;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{fee, tax};

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn id(place: usize) -> ObjectId {
    ObjectId::from_bytes([
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        u8::try_from(place).unwrap(),
    ])
}

/// A catalog of taxes and fees as clients write them.
fn catalog(taxes: &[Value], fees: &[Value]) -> Catalog {
    let tax = |(place, written): (usize, &Value)| {
        let written: TaxFields = serde_json::from_str(&written.to_string()).unwrap();
        Tax {
            id: id(place).into(),
            unit_type_id: None,
            account_id: id(255).into(),
            terms: tax::terms(&written, None, usd()).unwrap(),
            is_deleted: false,
        }
    };
    let fee = |(place, written): (usize, &Value)| {
        let written: FeeFields = serde_json::from_str(&written.to_string()).unwrap();
        AdditionalFee {
            id: id(100 + place).into(),
            account_id: id(255).into(),
            listing_id: None,
            terms: fee::terms(&written, None, usd()).unwrap(),
        }
    };
    Catalog {
        taxes: taxes.iter().enumerate().map(tax).collect(),
        fees: fees.iter().enumerate().map(fee).collect(),
    }
}

fn percentage_of(kind: &str, percent: &str, more: &Value) -> Value {
    let mut tax = json!({"type": kind, "units": "PERCENTAGE", "quantifier": "PER_STAY"});
    tax["amount"] = serde_json::from_str(percent).unwrap();
    tax.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    tax
}

fn fixed_of(kind: &str, amount: &Value, quantifier: &str) -> Value {
    json!({"type": kind, "units": "FIXED", "amount": amount, "quantifier": quantifier})
}

fn automatic(kind: &str, more: &Value) -> Value {
    let mut fee = json!({
        "name": kind, "type": kind, "isAutomated": true, "automationPlatforms": ["manual"]
    });
    fee.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    fee
}

fn item(normal_type: &str, second_identifier: Option<&str>, minor: i64) -> Item {
    Item {
        id: id(0).into(),
        title: "A".to_owned(),
        description: None,
        amount: Money::from_minor(minor, usd()),
        normal_type: normal_type.to_owned(),
        second_identifier: second_identifier.map(str::to_owned),
        is_locked: false,
        origin: None,
    }
}

/// Three guests for four nights, from the 30th of December.
fn booking() -> Booking {
    Booking {
        check_in: "2026-12-30".parse().unwrap(),
        nights: 4,
        guests: 3,
        channel: Channel::Manual,
        source: "Manual".to_owned(),
        currency: usd(),
    }
}

fn priced(items: &[Item], catalog: &Catalog, booking: &Booking) -> Vec<String> {
    let lines = price(items, catalog, booking).unwrap();
    let line = |line: &Line| format!("{} {}", line.normal_type, line.amount.shortest());
    lines.iter().map(line).collect()
}

#[test]
fn a_percentage_is_of_the_fees_that_it_names() {
    let items = [
        item("AF", None, 60_000),
        item("AFD", None, -5_000),
        item("CF", None, 7_050),
        item("AFE", Some("PET"), 2_500),
        item("GST", None, 999),
    ];
    for (more, expected) in [
        // Of the fare after the discount: 10 % of 550.
        (json!({}), "VAT 55"),
        (json!({"appliedOnFees": ["AF"]}), "VAT 55"),
        // 10 % of 550 + 70.50.
        (json!({"appliedOnFees": ["AF", "CF"]}), "VAT 62.05"),
        // 10 % of 25.
        (json!({"appliedOnFees": ["PET"]}), "VAT 2.5"),
        (json!({"appliedOnFees": ["AFE"]}), "VAT 2.5"),
        // Of everything but the other tax: 10 % of 550 + 70.50 + 25.
        (json!({"appliedToAllFees": true}), "VAT 64.55"),
    ] {
        let catalog = catalog(&[percentage_of("VAT", "10", &more)], &[]);
        assert_eq!(priced(&items, &catalog, &booking()), [expected], "{more}");
    }
    let none = catalog(
        &[percentage_of(
            "VAT",
            "10",
            &json!({"appliedOnFees": ["PCM"]}),
        )],
        &[],
    );
    assert_eq!(
        priced(&items, &none, &booking()),
        [""; 0],
        "nothing is no line"
    );
}

#[test]
fn a_half_is_rounded_up() {
    for (percent, minor, expected) in [
        // 7.125 % of 1.00 = 0.07125; of 2.00 = 0.1425; of 20.00 = 1.425.
        ("7.125", 100, "VAT 0.07"),
        ("7.125", 200, "VAT 0.14"),
        ("7.125", 2_000, "VAT 1.43"),
        // 0.000001 % of 500,000.00 = 0.005.
        ("0.000001", 50_000_000, "VAT 0.01"),
    ] {
        let catalog = catalog(&[percentage_of("VAT", percent, &json!({}))], &[]);
        let items = [item("AF", None, minor)];
        assert_eq!(
            priced(&items, &catalog, &booking()),
            [expected],
            "{percent} {minor}"
        );
    }
}

#[test]
fn a_fixed_amount_is_multiplied_by_its_quantifier() {
    for (quantifier, expected) in [
        ("PER_STAY", "CT 2.35"),
        // 4 nights; 3 guests; both.
        ("PER_NIGHT", "CT 9.4"),
        ("PER_GUEST", "CT 7.05"),
        ("PER_GUEST_PER_NIGHT", "CT 28.2"),
    ] {
        let catalog = catalog(&[fixed_of("CITY_TAX", &json!(2.35), quantifier)], &[]);
        assert_eq!(priced(&[], &catalog, &booking()), [expected]);
    }
}

#[test]
fn a_tax_in_the_fare_leaves_the_total_as_it_is() {
    let included = json!({"isInclusive": true, "appliedOnFees": ["AF", "CF"]});
    let items = [item("AF", None, 110_000), item("CF", None, 5_500)];
    let one = catalog(&[percentage_of("VAT", "10", &included)], &[]);
    // 1,100 = 1,000 + 10 %; 55 = 50 + 10 %.
    assert_eq!(priced(&items, &one, &booking()), ["AFA -105", "VAT 105"]);

    let items = [item("AF", None, 115_000)];
    let two = catalog(
        &[
            percentage_of("VAT", "10", &json!({"isInclusive": true})),
            percentage_of("STATE_TAX", "5", &json!({"isInclusive": true})),
            percentage_of("CITY_TAX", "2", &json!({})),
        ],
        &[],
    );
    // 1,150 = 1,000 + 10 % + 5 %; the city's 2 % come on top of the net.
    assert_eq!(
        priced(&items, &two, &booking()),
        ["AFA -100", "VAT 100", "AFA -50", "ST 50", "CT 20"]
    );
    let lines = price(&items, &two, &booking()).unwrap();
    assert_eq!(lines[0].title, "VAT, included in the fare");
}

#[test]
fn channels_differ() {
    let by_default = json!({
        "isAppliedByDefault": true, "appliedByDefaultOnChannels": ["airbnb2"], "name": "City",
        "channelOverrides": [
            {"channel": "expedia", "isActive": false},
            {"channel": "bookingCom", "isInclusive": true, "name": "Their city"},
        ],
    });
    let catalog = catalog(&[percentage_of("CITY_TAX", "25", &by_default)], &[]);
    let items = [item("AF", None, 10_000)];
    for (channel, expected) in [
        (Channel::Manual, vec!["City 25"]),
        // 100 = 80 + 25 %.
        (
            Channel::Airbnb2,
            vec!["City, included in the fare -20", "City 20"],
        ),
        (
            Channel::BookingCom,
            vec!["Their city, included in the fare -20", "Their city 20"],
        ),
        (Channel::Expedia, vec![]),
    ] {
        let booking = Booking {
            channel,
            ..booking()
        };
        let lines = price(&items, &catalog, &booking).unwrap();
        let shown: Vec<String> = lines
            .iter()
            .map(|line| format!("{} {}", line.title, line.amount.shortest()))
            .collect();
        assert_eq!(shown, expected, "{channel:?}");
    }
}

#[test]
fn conditions_give_nights_other_amounts() {
    let with = |mut tax: Value, conditions: Value| {
        tax["conditionalOverrides"] = conditions;
        catalog(&[tax], &[])
    };
    let nights = json!({"viewType": "NIGHTS", "rules": [
        {"nightRanges": [{"from": 2, "to": 3, "amount": 1}, {"from": 4, "amount": 0}]}]});
    let dates = json!({"viewType": "DATES", "rules": [
        {"dateRange": {"from": "12-31", "to": "01-01"}, "nightRanges": [{"from": 1, "amount": 5}]}]});
    let both = json!({"viewType": "NIGHTS_IN_DATES", "rules": [
        {"dateRange": {"from": "12-31", "to": "02-01"},
         "nightRanges": [{"from": 1, "to": 3, "amount": 7}]}]});
    let per_night = || fixed_of("CITY_TAX", &json!(2), "PER_NIGHT");
    let items = [item("AF", None, 40_000)];
    for (tax, conditions, expected) in [
        // 2 + 1 + 1 + 0.
        (per_night(), &nights, "CT 4"),
        // The nights of the 30th and the 2nd at 2, those of the 31st and the 1st at 5.
        (per_night(), &dates, "CT 14"),
        // The 2nd and 3rd night, of the 31st and the 1st; the 4th is the 2nd of January.
        (per_night(), &both, "CT 18"),
        // For each of three guests.
        (
            fixed_of("CITY_TAX", &json!(2), "PER_GUEST_PER_NIGHT"),
            &nights,
            "CT 12",
        ),
        // Once for each guest, by the first night.
        (fixed_of("CITY_TAX", &json!(2), "PER_GUEST"), &dates, "CT 6"),
        // 100 a night: 10 % + 1 % + 1 % + 0 %.
        (
            percentage_of("CITY_TAX", "10", &json!({})),
            &nights,
            "CT 12",
        ),
    ] {
        let catalog = with(tax, conditions.clone());
        assert_eq!(
            priced(&items, &catalog, &booking()),
            [expected],
            "{conditions}"
        );
    }
}

#[test]
fn long_stays_are_free_of_a_tax() {
    let conditions = json!({"viewType": "LOS", "maxNightCountToApplyOn": 30});
    let mut tax = fixed_of("OCCUPANCY_TAX", &json!(3), "PER_STAY");
    tax["conditionalOverrides"] = conditions;
    let catalog = catalog(&[tax], &[]);
    let of = |nights| {
        priced(
            &[],
            &catalog,
            &Booking {
                nights,
                ..booking()
            },
        )
    };
    assert_eq!(of(29), ["OCT 3"]);
    assert_eq!(
        of(30),
        [""; 0],
        "fewer than 30 nights are taxed, as documented"
    );
}

#[test]
fn fees_come_by_themselves_and_are_taxed() {
    let items = [item("AF", None, 40_000), item("CF", None, 10_000)];
    let tax = percentage_of("VAT", "10", &json!({"appliedOnFees": ["LINENS", "AF"]}));
    for (fee, expected) in [
        // 5 for 3 guests; 10 % of 400 + 15.
        (
            json!({"value": 5, "isPercentage": false, "multiplier": "PER_GUEST"}),
            vec!["AFE 15", "VAT 41.5"],
        ),
        // 2 % of 400, of 100, of both.
        (
            json!({"value": 2, "isPercentage": true, "targetFee": "ACCOMMODATION_FARE"}),
            vec!["AFE 8", "VAT 40.8"],
        ),
        (
            json!({"value": 2, "isPercentage": true, "targetFee": "CLEANING_FEE"}),
            vec!["AFE 2", "VAT 40.2"],
        ),
        (
            json!({"value": 2, "isPercentage": true, "targetFee": "PAYOUT"}),
            vec!["AFE 10", "VAT 41"],
        ),
        // Out of the fare: 10 % of 380 + 20.
        (
            json!({"value": 20, "isPercentage": false, "multiplier": "PER_STAY",
                   "isDeducted": true, "isBundled": true}),
            vec!["AFA -20", "AFE 20", "VAT 40"],
        ),
    ] {
        let catalog = catalog(std::slice::from_ref(&tax), &[automatic("LINENS", &fee)]);
        assert_eq!(priced(&items, &catalog, &booking()), expected, "{fee}");
    }
}

#[test]
fn fees_come_with_the_reservations_that_they_name() {
    let value = json!({"value": 5, "isPercentage": false, "multiplier": "PER_STAY"});
    for (automation, comes) in [
        (
            json!({"isAutomated": false, "automationPlatforms": []}),
            false,
        ),
        (json!({"automationPlatforms": ["airbnb2"]}), false),
        (
            json!({"automationPlatforms": [], "allPlatforms": true}),
            true,
        ),
        (json!({"automationPlatforms": [], "allSources": true}), true),
        (
            json!({"automationPlatforms": [], "automationSources": ["website"]}),
            false,
        ),
        (
            json!({"automationPlatforms": [], "automationSources": ["manual"]}),
            true,
        ),
    ] {
        let mut fee = automatic("LINENS", &value);
        fee.as_object_mut()
            .unwrap()
            .extend(automation.as_object().unwrap().clone());
        let catalog = catalog(&[], &[fee]);
        let lines = priced(&[], &catalog, &booking());
        assert_eq!(!lines.is_empty(), comes, "{automation}");
    }
}

#[test]
fn a_listings_fee_takes_the_place_of_the_accounts_of_its_type() {
    let value = json!({"value": 5, "isPercentage": false, "multiplier": "PER_STAY"});
    let fees = |kinds: &[&str]| {
        let fees: Vec<Value> = kinds.iter().map(|kind| automatic(kind, &value)).collect();
        catalog(&[], &fees).fees
    };
    let merged = Catalog::new(Vec::new(), fees(&["PET", "POOL"]), fees(&["POOL", "SPA"]));
    let kinds: Vec<&str> = merged
        .fees
        .iter()
        .map(|fee| fee.terms.kind.as_str())
        .collect();
    assert_eq!(kinds, ["PET", "POOL", "SPA"]);
}

#[test]
fn a_fixed_amount_that_the_currency_cannot_say_is_refused() {
    let catalog = catalog(&[fixed_of("CITY_TAX", &json!(2.5), "PER_STAY")], &[]);
    let yen = Booking {
        currency: "JPY".parse().unwrap(),
        ..booking()
    };
    let error = price(&[], &catalog, &yen).unwrap_err().to_string();
    assert!(
        error.starts_with("money.currency: City tax is 2.5"),
        "{error}"
    );
}

#[test]
fn a_catalog_that_comes_to_too_much_is_refused() {
    let most = json!(10_000_000_000_u64);
    let catalog = catalog(&[fixed_of("CITY_TAX", &most, "PER_GUEST_PER_NIGHT")], &[]);
    let error = price(&[], &catalog, &booking()).unwrap_err().to_string();
    assert!(error.contains("too much"), "{error}");
}

/// A catalog's tax of an amount of its own and for one range of nights, in millionths of a percent
/// or in cents.
#[derive(Debug, Clone)]
struct Naive {
    own: i64,
    other: i64,
    from: u32,
    to: u32,
}

impl Naive {
    fn amount_on(&self, night: u32) -> i64 {
        if (self.from..=self.to).contains(&night) {
            self.other
        } else {
            self.own
        }
    }

    fn written(&self, units: &str, quantifier: &str, places: u32) -> Value {
        let unit = 10_i64.pow(places);
        let number = |amount: i64| -> Value {
            let text = format!(
                "{}.{:0width$}",
                amount / unit,
                amount % unit,
                width = places as usize
            );
            serde_json::from_str(&text).unwrap()
        };
        let range = json!({"from": self.from, "to": self.to, "amount": number(self.other)});
        json!({
            "type": "CITY_TAX", "units": units, "quantifier": quantifier,
            "amount": number(self.own),
            "conditionalOverrides": {"viewType": "NIGHTS", "rules": [{"nightRanges": [range]}]},
        })
    }
}

fn naive(most: i64) -> impl Strategy<Value = Naive> {
    (1..=most, 0..=most, 1_u32..20, 0_u32..20).prop_map(|(own, other, from, length)| Naive {
        own,
        other,
        from,
        to: from + length,
    })
}

fn total(lines: &[Line]) -> i64 {
    lines.iter().map(|line| line.amount.minor()).sum()
}

proptest! {
    #[test]
    fn a_percentage_agrees_with_whole_numbers(
        tax in naive(100_000_000), fare in 0_i64..1_000_000_000, nights in 1_u32..40,
    ) {
        let catalog = catalog(&[tax.written("PERCENTAGE", "PER_STAY", 6)], &[]);
        let lines = price(&[item("AF", None, fare)], &catalog, &Booking { nights, ..booking() });
        // Each night has its even part of the fare: the sum of fare × percentage over the nights,
        // by 100 million (millionths of a percent) for each of them.
        let sum: i128 = (1..=nights)
            .map(|night| i128::from(fare) * i128::from(tax.amount_on(night)))
            .sum();
        let whole = 100_000_000 * i128::from(nights);
        let expected = (2 * sum + whole) / (2 * whole);
        prop_assert_eq!(i128::from(total(&lines.unwrap())), expected);
    }

    #[test]
    fn a_fixed_amount_agrees_with_counting_heads_and_nights(
        tax in naive(10_000), nights in 1_u32..40, guests in 1_i64..20,
    ) {
        for (quantifier, heads) in [("PER_NIGHT", 1), ("PER_GUEST_PER_NIGHT", guests)] {
            let catalog = catalog(&[tax.written("FIXED", quantifier, 2)], &[]);
            let booking = Booking { nights, guests, ..booking() };
            let mut expected = 0;
            for night in 1..=nights {
                for _ in 0..heads {
                    expected += tax.amount_on(night);
                }
            }
            prop_assert_eq!(total(&price(&[], &catalog, &booking).unwrap()), expected);
        }
    }

    #[test]
    fn what_is_in_the_fare_changes_no_total_and_is_the_rate_of_the_net(
        fare in 1_i64..1_000_000_000, cleaning in 0_i64..1_000_000,
        percents in prop::collection::vec(1_i64..=100, 1..4),
    ) {
        let kinds = ["VAT", "CITY_TAX", "STATE_TAX"];
        let taxes: Vec<Value> = kinds
            .iter()
            .zip(&percents)
            .map(|(kind, percent)| {
                percentage_of(kind, &percent.to_string(), &json!({"isInclusive": true}))
            })
            .collect();
        let items = [item("AF", None, fare), item("CF", None, cleaning)];
        let lines = price(&items, &catalog(&taxes, &[]), &booking()).unwrap();
        prop_assert_eq!(total(&lines), 0);
        let whole: i64 = 100 + percents.iter().sum::<i64>();
        for (kind, percent) in kinds.iter().zip(&percents) {
            let normal_type = match *kind { "VAT" => "VAT", "CITY_TAX" => "CT", _ => "ST" };
            let taken: i64 = lines
                .iter()
                .filter(|line| line.normal_type == normal_type)
                .map(|line| line.amount.minor())
                .sum();
            // fare × percent / whole, to the nearest.
            let off = i128::from(taken) * i128::from(whole) - i128::from(fare) * i128::from(*percent);
            prop_assert!(2 * off.abs() <= i128::from(whole), "{} {}", taken, off);
        }
    }
}
