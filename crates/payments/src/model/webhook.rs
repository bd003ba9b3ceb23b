//! Webhooks: what can be subscribed to and where, what follows from an event, and when a message is
//! sent again.

use std::net::{IpAddr, SocketAddr};

use chrono::Duration;
use contract::Timestamp;
use url::{Host, Url};

use super::Rejection;
use crate::settings::PrivateWebhooks;

/// The events that happen here.
pub(crate) const FIRED: [&str; 18] = [
    "listing.new",
    "listing.updated",
    "listing.removed",
    "reservation.new",
    "reservation.updated",
    "reservation.created.v2",
    "reservation.updated.v2",
    "guest.created",
    "guest.updated",
    "payments.received",
    "payments.failed",
    "payments.refunded",
    "payments.disputes",
    "payments.method.received",
    "payments.authorizationHoldFailed",
    "payments.authenticationRequired",
    "guest-folio.created",
    FOLIO_UPDATED,
];

/// The documented events that nothing here brings about: clients subscribe to them all the same.
pub(crate) const INERT: [&str; 16] = [
    "guest.deleted",
    "listing.calendar.updated",
    "calendar.updated.v2",
    "reservation.messageReceived",
    "reservation.messageSent",
    "reservation_update_shortlist",
    "task.created",
    "task.updated",
    "task.deleted",
    "payments.overdue",
    "payments.overcharged",
    "payments.overcharge.expected",
    "payments.authenticationFailed",
    "payments.invalidPaymentMethod",
    "payments.invalidBcomCard",
    "payments.invalidSecondBcomCard",
];

/// The one event whose occurrences are told together.
pub(crate) const FOLIO_UPDATED: &str = "guest-folio.updated";
/// For how long they are gathered.
pub(crate) const GATHERED_FOR: Duration = Duration::seconds(30);

/// What a reservation's change is called that touches its payments alone.
pub(crate) const PAYMENTS: &str = "payments";

/// How many names may be given.
const EVENTS_MAX: usize = 100;
/// The longest url, in bytes.
const URL_BYTES_MAX: usize = 2000;

/// The names to subscribe to, each once.
pub(crate) fn check_events(names: &[String]) -> Result<Vec<String>, Rejection> {
    if names.len() > EVENTS_MAX {
        let reason = format!("name at most {EVENTS_MAX} events");
        return Err(Rejection::invalid("events", reason));
    }
    let mut known: Vec<String> = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    for name in names {
        let is_known = FIRED.iter().chain(&INERT).any(|known| known == name);
        let list = if is_known { &mut known } else { &mut unknown };
        if !list.contains(name) {
            list.push(name.clone());
        }
    }
    if !unknown.is_empty() {
        let unknown: Vec<String> = unknown.iter().map(|name| excerpt(name)).collect();
        let reason = format!(
            "there is no event {}; there are {} and {}",
            unknown.join(", "),
            FIRED.join(", "),
            INERT.join(", "),
        );
        return Err(Rejection::invalid("events", reason));
    }
    if known.is_empty() {
        let reason = "name at least one event, such as \"payments.received\"";
        return Err(Rejection::invalid("events", reason));
    }
    Ok(known)
}

/// A name as an error repeats it: it may be as long as a request.
fn excerpt(name: &str) -> String {
    let mut shown: String = name.chars().take(60).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// Where a subscription is to be sent to, if that may be. What a name stands for shows only when
/// something is sent.
pub(crate) fn check_url(text: &str, policy: &PrivateWebhooks) -> Result<Url, Rejection> {
    let refused = |reason: &str| Err(Rejection::invalid("url", reason));
    if text.len() > URL_BYTES_MAX {
        return refused("it is longer than 2000 bytes");
    }
    // The parser would leave them out, and the url no longer be the one that was given.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refused("it must not have blanks or control characters in it");
    }
    let Ok(url) = Url::parse(text) else {
        return refused("give a whole url, such as https://example.com/webhooks");
    };
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    if has_credentials || url.fragment().is_some() {
        return refused("it must have neither credentials nor a fragment: messages are signed");
    }
    if url.port() == Some(0) {
        return refused(
            "nothing can be sent to port 0: leave the port out, or give the receiver's",
        );
    }
    let literal = literal_address(&url);
    let is_excepted = literal.is_some_and(|address| policy.excepts(address));
    let allows_http = *policy == PrivateWebhooks::Allowed || is_excepted;
    match url.scheme() {
        "https" => {}
        "http" if allows_http => {}
        "http" => {
            return refused(
                "it must begin with https:// (a server started with --allow-private-webhooks takes \
                 http:// too)",
            );
        }
        _ => return refused("it must begin with https://"),
    }
    let is_private = match (literal, url.host()) {
        (Some(address), _) => !policy.admits(address),
        (None, Some(Host::Domain(name))) => {
            *policy != PrivateWebhooks::Allowed && is_name_of_this_machine(name)
        }
        _ => return refused("it names no host"),
    };
    if is_private {
        return refused(
            "it leads to a private address, where nothing is sent to (unless the server is started \
             with --allow-private-webhooks)",
        );
    }
    Ok(url)
}

/// The address that a url names by its digits.
pub(crate) fn literal_address(url: &Url) -> Option<SocketAddr> {
    let ip = match url.host()? {
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip),
        Host::Domain(_) => return None,
    };
    Some(SocketAddr::new(ip, url.port_or_known_default()?))
}

fn is_name_of_this_machine(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    name == "localhost" || name.ends_with(".localhost")
}

/// The names under which a domain event is told. A change of a reservation says what it changed;
/// where it does not, it may be anything.
pub(crate) fn names_of(kind: &str, changes: &[String]) -> Vec<&'static str> {
    let Some(own) = FIRED.iter().find(|name| **name == kind).copied() else {
        return Vec::new();
    };
    match own {
        "reservation.new" => vec![own, "reservation.created.v2", "guest-folio.created"],
        "reservation.updated" => {
            let mut names = vec![own];
            if changes.is_empty() || changes.iter().any(|change| change != PAYMENTS) {
                names.push("reservation.updated.v2");
            }
            names.push(FOLIO_UPDATED);
            names
        }
        // A dispute takes nothing from what the guest has paid.
        "payments.method.received" | "payments.disputes" => vec![own],
        // They are among what a reservation's `money` says.
        _ if own.starts_with("payments.") => vec![own, "reservation.updated", FOLIO_UPDATED],
        _ => vec![own],
    }
}

/// When a message is sent that has not arrived yet: at once, and so long after each time.
const SCHEDULE: [Duration; 8] = [
    Duration::zero(),
    Duration::seconds(5),
    Duration::minutes(5),
    Duration::minutes(30),
    Duration::hours(2),
    Duration::hours(5),
    Duration::hours(10),
    Duration::hours(10),
];

/// How long to wait after so many tries in vain; none: it is given up. `jitter` makes it up to a
/// tenth more, so that what failed together does not come back together.
pub(crate) fn wait_after(tries: i64, jitter: u8) -> Option<Duration> {
    let wait = *SCHEDULE.get(usize::try_from(tries).ok()?)?;
    let more = wait.num_milliseconds() / 10 * i64::from(jitter) / i64::from(u8::MAX);
    Some(wait + Duration::milliseconds(more))
}

/// Whether nothing has arrived for so long that a subscription is given up.
pub(crate) fn is_hopeless(failing_since: Timestamp, now: Timestamp) -> bool {
    now - failing_since >= Duration::days(5)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(url: &str, policy: &PrivateWebhooks) -> Option<String> {
        check_url(url, policy).err().map(|error| error.to_string())
    }

    #[test]
    fn urls_that_lead_inside_are_refused_however_they_are_written() {
        for url in [
            "https://127.0.0.1/x",
            "https://127.1/x",
            "https://0x7f000001/x",
            "https://2130706433/x",
            "https://017700000001/x",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://[::ffff:a9fe:a9fe]/latest/meta-data",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.5:8443/",
            "https://localhost/x",
            "https://LOCALHOST./x",
            "https://a.localhost/x",
        ] {
            let refused = refusal(url, &PrivateWebhooks::Refused).unwrap();
            assert!(refused.contains("private address"), "{url}: {refused}");
            assert_eq!(refusal(url, &PrivateWebhooks::Allowed), None, "{url}");
        }
    }

    #[test]
    fn urls_that_are_none_are_refused_with_what_is_wrong() {
        for (url, says) in [
            ("", "whole url"),
            ("example.com/x", "whole url"),
            ("http://example.com/x", "https://"),
            ("ftp://example.com/x", "https://"),
            ("file:///etc/passwd", "https://"),
            ("https://user:word@example.com/", "credentials"),
            ("https://example.com/#part", "fragment"),
            ("https://example.com:0/x", "port 0"),
            ("https://127.0.0.1:0/x", "port 0"),
            ("https://exa mple.com/", "blanks"),
            ("https://example.com/\n", "blanks"),
        ] {
            let refused = refusal(url, &PrivateWebhooks::Refused).unwrap();
            assert!(refused.contains(says), "{url}: {refused}");
        }
        let long = format!("https://example.com/{}", "x".repeat(2000));
        assert!(
            refusal(&long, &PrivateWebhooks::Allowed)
                .unwrap()
                .contains("longer")
        );
        assert_eq!(
            refusal("https://example.com:8443/a?b=c", &PrivateWebhooks::Refused),
            None
        );
    }

    #[test]
    fn an_excepted_address_takes_plain_http_and_no_other_does() {
        let policy = PrivateWebhooks::Only(vec!["127.0.0.1:9000".parse().unwrap()]);
        assert_eq!(refusal("http://127.0.0.1:9000/in", &policy), None);
        for url in [
            "http://127.0.0.1:9001/in",
            "http://example.com/in",
            "https://10.0.0.1/",
            "https://localhost:9000/",
        ] {
            assert!(refusal(url, &policy).is_some(), "{url}");
        }
    }

    #[test]
    fn unknown_events_are_named_and_known_ones_taken_once() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let known = names(&["payments.received", "task.created", "payments.received"]);
        assert_eq!(check_events(&known).unwrap(), known[..2]);
        let wrong = names(&["payments.recieved", "guest.created", "x"]);
        let refused = check_events(&wrong).unwrap_err().to_string();
        assert!(
            refused.contains("no event \"payments.recieved\", \"x\";"),
            "{refused}"
        );
        assert!(check_events(&[]).is_err());
        assert!(check_events(&vec!["guest.created".to_owned(); 101]).is_err());
    }

    #[test]
    fn a_payment_is_told_as_a_change_of_its_reservation_too() {
        assert_eq!(
            names_of("payments.received", &[]),
            [
                "payments.received",
                "reservation.updated",
                "guest-folio.updated"
            ]
        );
        let payments = [PAYMENTS.to_owned()];
        assert_eq!(
            names_of("reservation.updated", &payments),
            ["reservation.updated", "guest-folio.updated"]
        );
        assert_eq!(names_of("reservation.updated", &[]).len(), 3);
        assert_eq!(names_of("payments.disputes", &[]), ["payments.disputes"]);
        assert_eq!(names_of("something.else", &[]), [""; 0]);
    }

    proptest! {
        #[test]
        fn waits_are_those_of_the_schedule_and_at_most_a_tenth_more(tries in 0_i64..12, jitter: u8) {
            let Some(wait) = wait_after(tries, jitter) else {
                prop_assert!(tries >= 8);
                return Ok(());
            };
            let least = SCHEDULE[usize::try_from(tries).unwrap()];
            prop_assert!(wait >= least);
            prop_assert!(wait <= least + least / 10);
        }

        #[test]
        fn any_text_is_taken_or_refused(text in "\\PC{0,80}") {
            let _ = check_url(&text, &PrivateWebhooks::Refused);
            let _ = check_events(&[text]);
        }
    }
}
