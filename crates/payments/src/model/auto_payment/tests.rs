//! Policies: what is refused, what an instalment comes to, and when it is due.

use chrono_tz::America::New_York;
use contract::auto_payment::Policy;
use proptest::prelude::*;

use super::*;

fn usd() -> Currency {
    "USD".parse().unwrap()
}

fn instalment(share: Share, value: Option<&str>) -> Instalment {
    Instalment {
        share,
        value: value.map(|text| text.parse().unwrap()),
        when: When::Confirmation,
        days: None,
        time: None,
    }
}

/// A policy of shares such as `30%`, `150` and `rest`.
fn policy(shares: &str) -> Policy {
    Policy {
        policy: instalments(shares),
        currency: usd(),
    }
}

fn instalments(shares: &str) -> Vec<Instalment> {
    shares
        .split_whitespace()
        .map(|share| match share.strip_suffix('%') {
            Some(percentage) => instalment(Share::Percentage, Some(percentage)),
            None if share == "rest" => instalment(Share::Rest, None),
            None => instalment(Share::Fixed, Some(share)),
        })
        .collect()
}

fn checked(policy: Vec<Instalment>) -> Result<Policy, String> {
    let written = PolicyFields {
        policy,
        currency: None,
    };
    check(&written, usd()).map_err(|refused| refused.to_string())
}

fn spread_minor(shares: &str, total: i64, due: i64, open: &[usize]) -> Vec<i64> {
    let money = |minor| Money::from_minor(minor, usd());
    let amounts = spread(&policy(shares), money(total), money(due), open);
    amounts.into_iter().map(Money::minor).collect()
}

#[test]
fn instalments_make_up_the_whole() {
    for good in [
        "",
        "100%",
        "30% 70%",
        "33.3333% 66.6667%",
        "rest",
        "150 rest",
        "20% 99.99 rest",
    ] {
        checked(instalments(good)).unwrap();
    }
    for (bad, why) in [
        ("30% 60%", "the percentages must sum to 100"),
        ("60% 60%", "the percentages must sum to 100"),
        (
            "150",
            "with a FIXED amount, the last instalment must be the REST",
        ),
        ("50% 50% rest", "the percentages leave nothing for the REST"),
        ("rest 30%", "policy[0].type: REST can only be the last"),
        ("0% 100%", "policy[0].value: give a percentage above 0"),
        ("101%", "policy[0].value: give a percentage above 0"),
        (
            "33.33333% rest",
            "policy[0].value: give a percentage above 0",
        ),
        ("10% 0 rest", "policy[1].value: give an amount above 0"),
        ("1.005 rest", "policy[0].value"),
        (
            "1% 1% 1% 1% 1% 1% 1% 1% 1% 1% 1% 1% rest",
            "at most 12 instalments, not 13",
        ),
    ] {
        let refused = checked(instalments(bad)).unwrap_err();
        assert!(refused.contains(why), "{bad}: {refused}");
    }
}

#[test]
fn an_instalment_says_no_more_and_no_less_than_its_kind_needs() {
    let valued = instalment(Share::Rest, Some("5"));
    let refused = checked(vec![valued]).unwrap_err();
    assert!(
        refused.contains("policy[0].value: REST is what the others leave"),
        "{refused}"
    );

    let without = instalment(Share::Percentage, None);
    let refused = checked(vec![without]).unwrap_err();
    assert!(
        refused.contains("policy[0].value: it is required"),
        "{refused}"
    );

    let dated = Instalment {
        days: Some(3),
        ..instalment(Share::Rest, None)
    };
    let refused = checked(vec![dated]).unwrap_err();
    assert!(refused.contains("neither days nor time"), "{refused}");

    let far = Instalment {
        when: When::BeforeCheckIn,
        days: Some(731),
        ..instalment(Share::Rest, None)
    };
    let refused = checked(vec![far]).unwrap_err();
    assert!(
        refused.contains("policy[0].days: give at most 730"),
        "{refused}"
    );
}

#[test]
fn a_date_without_a_time_is_at_noon() {
    let on_arrival = Instalment {
        when: When::BeforeCheckIn,
        ..instalment(Share::Rest, None)
    };
    let kept = checked(vec![on_arrival]).unwrap();
    assert_eq!(kept.policy[0].days, Some(0));
    assert_eq!(kept.policy[0].time, Some("12:00".parse().unwrap()));
}

#[test]
fn amounts_are_exact() {
    for (shares, total, due, open, amounts) in [
        (
            "30% 70%",
            250_000,
            250_000,
            &[0, 1][..],
            &[75_000, 175_000][..],
        ),
        // 33.3333, 33.3333 and 33.3334 cents: the one left over goes to the last, which lost most.
        (
            "33.3333% 33.3333% rest",
            100,
            100,
            &[0, 1, 2],
            &[33, 33, 34],
        ),
        // 33.666633, 33.666633 and 33.666734 cents: two are left over, and the first comes first.
        (
            "33.3333% 33.3333% 33.3334%",
            101,
            101,
            &[0, 1, 2],
            &[34, 33, 34],
        ),
        ("150 rest", 40_000, 40_000, &[0, 1], &[15_000, 25_000]),
        // Less than the fixed amount: it takes what there is.
        ("150 rest", 10_000, 10_000, &[0, 1], &[10_000, 0]),
        // The percentage is of the whole, not of what the fixed amount leaves.
        (
            "50% 150 rest",
            100_000,
            100_000,
            &[0, 1, 2],
            &[50_000, 15_000, 35_000],
        ),
        // 300 of 1,000 is paid, and the whole is now 1,200: the two others bear 900, as 3 to 4.
        ("30% 30% 40%", 120_000, 90_000, &[1, 2], &[38_571, 51_429]),
        ("50% 150 rest", 120_000, 70_000, &[1, 2], &[15_000, 55_000]),
        // All that is open is a fixed amount, and more is due.
        ("150 rest", 50_000, 20_000, &[0], &[20_000]),
        ("30% 70%", 250_000, 0, &[0, 1], &[0, 0]),
        ("30% 70%", 250_000, -500, &[1], &[0]),
    ] {
        let spread = spread_minor(shares, total, due, open);
        assert_eq!(
            spread, amounts,
            "{shares} of {total}, {due} due in {open:?}"
        );
    }
}

#[test]
fn dates_are_the_propertys() {
    let dates = Dates {
        confirmed: "2026-02-01T10:11:12Z".parse().unwrap(),
        check_in: "2026-03-15".parse().unwrap(),
        check_out: "2026-03-20".parse().unwrap(),
        timezone: New_York,
    };
    for (when, days, time, due) in [
        (When::Confirmation, None, None, "2026-02-01T10:11:12.000Z"),
        // Before and after the clocks of New York are set forward, on 8 March.
        (
            When::BeforeCheckIn,
            Some(14),
            Some("09:00"),
            "2026-03-01T14:00:00.000Z",
        ),
        (
            When::BeforeCheckIn,
            Some(1),
            Some("09:00"),
            "2026-03-14T13:00:00.000Z",
        ),
        (
            When::AfterCheckIn,
            Some(0),
            Some("23:30"),
            "2026-03-16T03:30:00.000Z",
        ),
        (
            When::BeforeCheckOut,
            Some(2),
            Some("12:00"),
            "2026-03-18T16:00:00.000Z",
        ),
        (
            When::AfterCheckOut,
            Some(30),
            Some("12:00"),
            "2026-04-19T16:00:00.000Z",
        ),
    ] {
        let one = Instalment {
            when,
            days,
            time: time.map(|time| time.parse().unwrap()),
            ..instalment(Share::Rest, None)
        };
        assert_eq!(due_at(&one, &dates).to_string(), due, "{one:?}");
    }
}

#[test]
fn fixed_amounts_are_of_one_currency_and_percentages_of_any() {
    let eur: Currency = "EUR".parse().unwrap();
    assert!(fits(&policy("150 rest"), usd(), "Manual"));
    assert!(!fits(&policy("150 rest"), eur, "Manual"));
    assert!(fits(&policy("30% rest"), eur, "Manual"));
    assert!(
        !fits(&policy(""), usd(), "Manual"),
        "no instalments are no policy"
    );
}

#[test]
fn what_a_channel_has_collected_is_not_collected_again() {
    assert!(fits(&policy("rest"), usd(), "website"));
    assert!(!fits(&policy("rest"), usd(), "Airbnb"));
}

fn any_policy() -> impl Strategy<Value = String> {
    let share = prop_oneof![
        (1_u32..30).prop_map(|percentage| format!("{percentage}%")),
        (1_u32..100_000).prop_map(|cents| format!("{}.{:02}", cents / 100, cents % 100)),
    ];
    prop::collection::vec(share, 0..4).prop_map(|shares| {
        let mut shares = shares;
        shares.push("rest".to_owned());
        shares.join(" ")
    })
}

proptest! {
    #[test]
    fn what_is_due_is_spread_to_the_cent(
        shares in any_policy(),
        total in 0_i64..1_000_000_000,
        due in 0_i64..1_000_000_000,
        closed in prop::collection::vec(any::<bool>(), 5),
    ) {
        prop_assume!(checked(instalments(&shares)).is_ok());
        let count = shares.split_whitespace().count();
        let mut open: Vec<usize> = (0..count).filter(|place| !closed[*place]).collect();
        if open.is_empty() {
            open.push(count - 1);
        }
        let amounts = spread_minor(&shares, total, due, &open);
        prop_assert_eq!(amounts.iter().sum::<i64>(), due);
        prop_assert!(amounts.iter().all(|amount| *amount >= 0));
    }

    #[test]
    fn at_first_each_instalment_is_what_the_policy_says(
        percentage in 1_i64..100,
        total in 0_i64..1_000_000_000,
    ) {
        let amounts = spread_minor(&format!("{percentage}% rest"), total, total, &[0, 1]);
        let exact = total * percentage;
        prop_assert!((amounts[0] * 100 - exact).abs() < 100, "{} of {}", amounts[0], total);
    }
}
