//! Query strings: the parameters that lists have in common. Unknown ones are ignored.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use contract::id::InvalidId;

use super::error::ApiError;

/// How many results a list gives unless asked, and at most.
pub(super) const LIMIT_DEFAULT: i64 = 25;
pub(super) const LIMIT_MAX: i64 = 100;
/// The deepest page: beyond this a mistake, and far beyond what an `i64` offset holds.
pub(super) const SKIP_MAX: i64 = 1_000_000_000;

/// The parameters of a query string, decoded, in their order.
pub(crate) struct Query(Vec<(String, String)>);

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) skip: i64,
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::read(parts.uri.query().unwrap_or_default())
    }
}

impl Query {
    pub(super) fn read(text: &str) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> = serde_html_form::from_str(text)
            .map_err(|_| ApiError::bad_request("The query string cannot be read"))?;
        if pairs.iter().any(|(_, value)| value.contains('\0')) {
            return Err(ApiError::bad_request(
                "The query string contains a NUL character",
            ));
        }
        Ok(Self(pairs))
    }

    /// A parameter's value; empty counts as absent, and of several the last counts.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rfind(|(key, _)| key == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(ApiError::BadRequest(format!(
                "{name} must be true or false"
            ))),
        }
    }

    /// An id.
    pub(crate) fn id<T: FromStr<Err = InvalidId>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, ApiError> {
        self.text(name).map(|text| read_id(name, text)).transpose()
    }

    /// A list of ids, however the client writes lists: `name=a,b`, `name=a&name=b`,
    /// `name[]=a&name[]=b` or `name[0]=a&name[1]=b`. `None` when there is no such parameter.
    pub(crate) fn ids<T: FromStr<Err = InvalidId>>(
        &self,
        name: &str,
    ) -> Result<Option<Vec<T>>, ApiError> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| is_item_of(key, name))
            .map(|(_, value)| value)
            .peekable();
        if values.peek().is_none() {
            return Ok(None);
        }
        values
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|text| read_id(name, text))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// `limit` and `skip`.
    pub(crate) fn page(&self) -> Result<Page, ApiError> {
        Ok(Page {
            limit: self.number("limit", LIMIT_DEFAULT, 1, LIMIT_MAX)?,
            skip: self.number("skip", 0, 0, SKIP_MAX)?,
        })
    }

    fn number(&self, name: &str, default: i64, min: i64, max: i64) -> Result<i64, ApiError> {
        let Some(text) = self.text(name) else {
            return Ok(default);
        };
        text.parse()
            .ok()
            .filter(|number| (min..=max).contains(number))
            .ok_or_else(|| {
                ApiError::BadRequest(format!("{name} must be a whole number from {min} to {max}"))
            })
    }
}

fn read_id<T: FromStr<Err = InvalidId>>(name: &str, text: &str) -> Result<T, ApiError> {
    text.parse()
        .map_err(|error: InvalidId| ApiError::BadRequest(format!("{name}: {error}")))
}

/// Whether a key is `name`, `name[]` or `name[0]`.
fn is_item_of(key: &str, name: &str) -> bool {
    let Some(rest) = key.strip_prefix(name) else {
        return false;
    };
    rest.is_empty()
        || rest
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use contract::id::ListingId;

    use super::*;

    const A: &str = "64da223eb3de7a002a462fcc";
    const B: &str = "64da254383ad1500284bd0c0";

    fn query(text: &str) -> Query {
        Query::read(text).unwrap()
    }

    #[test]
    fn lists_of_ids_are_read_however_they_are_written() {
        for text in [
            format!("ids={A},{B}"),
            format!("ids={A}&other=1&ids={B}"),
            format!("ids[]={A}&ids[]={B}"),
            format!("ids%5B%5D={A}&ids%5B%5D={B}"),
            format!("ids[0]={A}&ids[1]={B}"),
            format!("ids={A}%2C%20{B},"),
        ] {
            let ids: Vec<ListingId> = query(&text).ids("ids").unwrap().unwrap();
            assert_eq!(ids, [A.parse().unwrap(), B.parse().unwrap()], "{text}");
        }
        assert!(
            query("idst=1&ids[x]=2")
                .ids::<ListingId>("ids")
                .unwrap()
                .is_none()
        );
        assert!(query("ids=zebra").ids::<ListingId>("ids").is_err());
    }

    #[test]
    fn pages_have_bounds() {
        let page = |text: &str| query(text).page().ok().map(|page| (page.limit, page.skip));
        assert_eq!(page(""), Some((25, 0)));
        assert_eq!(page("limit=100&skip=7"), Some((100, 7)));
        for text in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=ten",
            "limit=1.5",
            "skip=-1",
            "skip=x",
            "skip=99999999999999999999",
        ] {
            assert_eq!(page(text), None, "{text}");
        }
    }

    #[test]
    fn nul_characters_are_refused() {
        assert!(Query::read("q=a%00b").is_err());
    }
}
