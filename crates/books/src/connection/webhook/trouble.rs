//! Why there is no subscription, and what to do.

use guesty::{Problem, Refusal};

use crate::connection::look::is_about_token;

/// Words of a refusal for want of room: what a plan allows is worded by nobody's document.
const CAP: [&str; 10] = [
    "limit", "maximum", "max ", "exceed", "too many", "no room", "quota", "plan", "upgrade",
    "reached",
];

/// Why a url was not subscribed.
pub(super) fn of(problem: &Problem, url: &str) -> String {
    match problem {
        problem if is_about_token(problem) => format!("see OAuth: {problem}"),
        Problem::Refused(refusal) | Problem::Forbidden(refusal) if is_full(problem) => format!(
            "the account has all the webhooks that its plan allows: remove an unused one at the \
             source, then refresh (the source answered {refusal})"
        ),
        Problem::Refused(refusal) if is_about_url(refusal) => format!(
            "the source does not send messages to {url}: give an address that it can reach, \
             beginning with https:// and not of a private network, then refresh (the source \
             answered {refusal})"
        ),
        Problem::Refused(refusal) => {
            format!("the source refuses the webhook to {url}, and answered {refusal}")
        }
        Problem::Forbidden(refusal) => format!(
            "the application may not subscribe to webhooks: give it the permission, and the sight \
             of all listings, then refresh (the source answered {refusal})"
        ),
        Problem::NotFound(refusal) => format!(
            "the source has no webhooks, or no longer has ours: refresh; if that does not help, \
             check whether the address is that of an Open API (it answered {refusal})"
        ),
        problem => format!("{problem}; nothing is lost, changes are found at the next sync"),
    }
}

/// Why the secret of a subscription did not come.
pub(super) fn without_secret(problem: &Problem, url: &str) -> String {
    match problem {
        Problem::NotFound(_) => format!(
            "the webhook to {url} is registered, but the secret that its messages are signed with \
             is not there yet: refresh in a minute"
        ),
        problem => format!(
            "the webhook is registered, but its secret did not come: {}",
            of(problem, url)
        ),
    }
}

fn said(refusal: &Refusal) -> String {
    let parts = [&refusal.message].into_iter().chain(&refusal.details);
    let said: Vec<String> = parts.map(|part| part.to_lowercase()).collect();
    said.join(" ")
}

/// Whether there is no room for another webhook, as far as the words tell.
pub(super) fn is_full(problem: &Problem) -> bool {
    let (Problem::Refused(refusal) | Problem::Forbidden(refusal)) = problem else {
        return false;
    };
    let said = said(refusal);
    CAP.iter().any(|word| said.contains(word))
}

fn is_about_url(refusal: &Refusal) -> bool {
    let said = said(refusal);
    ["url", "address", "https", "endpoint"]
        .iter()
        .any(|word| said.contains(word))
}
