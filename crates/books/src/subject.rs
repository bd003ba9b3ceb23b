//! What a record answers, as people read it.

/// What of a query tells one request from another of the same path. The rest is the same in each, and
/// long.
const TELLING: [&str; 5] = ["skip", "limit", "startDate", "endDate", "active"];

/// The subject of a record with no more of its query than tells it from others.
pub fn in_short(subject: &str) -> String {
    let Some((path, query)) = subject.split_once('?') else {
        return subject.to_owned();
    };
    let tells = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        TELLING.contains(&name)
    };
    let telling: Vec<_> = query.split('&').filter(tells).collect();
    if telling.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{}", telling.join("&"))
}

#[cfg(test)]
mod tests {
    use super::in_short;

    #[test]
    fn what_tells_a_request_from_others_stays() {
        for (subject, short) in [
            ("connection", "connection"),
            ("GET /v1/accounts/me", "GET /v1/accounts/me"),
            (
                "GET /v1/reservations/7?fields=money%20status",
                "GET /v1/reservations/7",
            ),
            (
                "GET /v1/reservations?sort=_id&fields=money%20status&filters=%5B%5D&limit=100&skip=200",
                "GET /v1/reservations?limit=100&skip=200",
            ),
            (
                "GET /v1/listings?fields=title&active=false&limit=100&skip=0",
                "GET /v1/listings?active=false&limit=100&skip=0",
            ),
            (
                "GET /v1/payment-transactions/reports?startDate=2026-01-01&endDate=2026-01-31&skip=0&limit=500",
                "GET /v1/payment-transactions/reports?startDate=2026-01-01&endDate=2026-01-31&skip=0&limit=500",
            ),
        ] {
            assert_eq!(in_short(subject), short);
        }
    }
}
