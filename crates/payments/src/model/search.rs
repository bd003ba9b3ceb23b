//! Searches: the `filters` and `sort` of a list, read against the fields that the list can be
//! searched by. What a field is in the database, only the store knows.

use serde_json::{Map, Value};

pub(crate) use super::operand::{Kind, Operand};
use super::operand::{read_operand, shortened, shown};

/// The most conditions of a search, and the most values of `$in`.
const CONDITIONS_MAX: usize = 50;
const VALUES_MAX: usize = 100;
/// The most fields to sort by: more than any list has.
const ORDERS_MAX: usize = 50;
/// The longest text to look for inside others, in bytes.
const CONTAINED_MAX: usize = 1000;

/// The names and kinds of the fields that a list can be searched by.
pub(crate) type Vocabulary = [(&'static str, Kind)];

/// What is asked of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    /// Equal; `None`: not there.
    Is(Option<Operand>),
    /// Not equal; what is not there is not equal to anything that is.
    IsNot(Option<Operand>),
    /// Holds the text, whatever the case of ASCII letters.
    Contains(String),
    /// Does not hold the text.
    NotContains(String),
    /// Above.
    Above(Operand),
    /// At or above.
    AtLeast(Operand),
    /// Below.
    Below(Operand),
    /// At or below.
    AtMost(Operand),
    /// Equal to one of these.
    OneOf(Vec<Operand>),
}

/// Something asked of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) field: &'static str,
    pub(crate) kind: Kind,
    pub(crate) test: Test,
}

/// A field to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) field: &'static str,
    pub(crate) kind: Kind,
    pub(crate) descending: bool,
}

/// Filters or an order that cannot be read; the text says what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidSearch(String);

/// Reads the `filters` parameter: a JSON list of `{"field": …, "operator": …, "value": …}`, all of
/// which must hold; or, as guests' filters are documented, an object of fields and their values.
pub(crate) fn read_filters(
    text: &str,
    vocabulary: &Vocabulary,
) -> Result<Vec<Condition>, InvalidSearch> {
    let filters = serde_json::from_str(text)
        .map_err(|error| error.to_string())
        .and_then(as_list)
        .map_err(|reason| {
            InvalidSearch(format!(
                "filters must be a JSON list of objects such as \
                 [{{\"field\":\"status\",\"operator\":\"$eq\",\"value\":\"confirmed\"}}]: {reason}"
            ))
        })?;
    if filters.len() > CONDITIONS_MAX {
        return Err(InvalidSearch(format!(
            "filters: at most {CONDITIONS_MAX} of them"
        )));
    }
    let mut conditions = Vec::with_capacity(filters.len());
    for (place, filter) in filters.iter().enumerate() {
        read_filter(filter, vocabulary, &mut conditions)
            .map_err(|reason| InvalidSearch(format!("filters[{place}]: {reason}")))?;
    }
    Ok(conditions)
}

/// Filters in either form as a list.
fn as_list(filters: Value) -> Result<Vec<Map<String, Value>>, String> {
    match filters {
        Value::Array(filters) => filters
            .into_iter()
            .map(|filter| match filter {
                Value::Object(filter) => Ok(filter),
                other => Err(format!("{} is no object", shown(&other))),
            })
            .collect(),
        Value::Object(fields) => Ok(fields
            .into_iter()
            .map(|(field, value)| {
                Map::from_iter([
                    ("field".to_owned(), field.into()),
                    ("operator".to_owned(), "$eq".into()),
                    ("value".to_owned(), value),
                ])
            })
            .collect()),
        other => Err(format!("{} is neither", shown(&other))),
    }
}

/// Reads the `sort` parameter: fields separated by blanks or commas, those that descend with `-`.
pub(crate) fn read_order(text: &str, vocabulary: &Vocabulary) -> Result<Vec<Order>, InvalidSearch> {
    let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
    if parts.clone().count() > ORDERS_MAX {
        return Err(InvalidSearch(format!("sort: at most {ORDERS_MAX} fields")));
    }
    parts
        .map(|part| {
            let name = part.trim_start_matches('-');
            let (field, kind) = find(name, vocabulary)
                .map_err(|reason| InvalidSearch(format!("sort: {reason}")))?;
            Ok(Order {
                field,
                kind,
                descending: part.starts_with('-'),
            })
        })
        .collect()
}

fn read_filter(
    filter: &Map<String, Value>,
    vocabulary: &Vocabulary,
    conditions: &mut Vec<Condition>,
) -> Result<(), String> {
    let text_of = |name: &str| match filter.get(name) {
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(other) => Err(format!("{name} must be a text, not {}", shown(other))),
        None => Err(format!("{name} is missing")),
    };
    let (field, kind) = find(text_of("field")?, vocabulary)?;
    check_context(filter)?;
    for test in read_tests(text_of("operator")?, filter, field, kind)? {
        conditions.push(Condition { field, kind, test });
    }
    Ok(())
}

fn find(name: &str, vocabulary: &Vocabulary) -> Result<(&'static str, Kind), String> {
    vocabulary
        .iter()
        .find(|(known, _)| *known == name)
        .copied()
        .ok_or_else(|| {
            let known: Vec<_> = vocabulary.iter().map(|(known, _)| *known).collect();
            format!(
                "the field \"{}\" is not known; known are {}",
                shortened(name),
                known.join(", ")
            )
        })
}

/// A context makes the value relative to an instant, in a unit that is nowhere documented: absolute
/// values are taken with any of the documented contexts, others are refused where they are read.
fn check_context(filter: &Map<String, Value>) -> Result<(), String> {
    const CONTEXTS: [&str; 5] = ["now", "createdAt", "confirmedAt", "canceledAt", "alteredAt"];
    match filter.get("context") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(context)) if CONTEXTS.contains(&context.as_str()) => Ok(()),
        Some(other) => Err(format!(
            "the context {} is not known; known are {}",
            shown(other),
            CONTEXTS.join(", ")
        )),
    }
}

fn read_tests(
    operator: &str,
    filter: &Map<String, Value>,
    field: &str,
    kind: Kind,
) -> Result<Vec<Test>, String> {
    let given = |name: &str| {
        filter
            .get(name)
            .ok_or_else(|| format!("{operator} needs {name}"))
    };
    let operand = |name: &str| read_operand(given(name)?, field, kind);
    let operand_or_null = || match given("value")? {
        Value::Null => Ok(None),
        value => read_operand(value, field, kind).map(Some),
    };
    let text = || match (kind, given("value")?) {
        (Kind::Text, Value::String(text)) if text.contains('\0') => {
            Err(format!("{operator}: the text contains a NUL character"))
        }
        (Kind::Text, Value::String(text)) if text.len() > CONTAINED_MAX => Err(format!(
            "{operator}: the text is longer than {CONTAINED_MAX} bytes"
        )),
        (Kind::Text, Value::String(text)) => Ok(text.clone()),
        (Kind::Text, other) => Err(format!("{operator} needs a text, not {}", shown(other))),
        _ => Err(format!("{operator} is for texts, which {field} is not")),
    };
    let ordered = || match kind {
        Kind::Flag => Err(format!(
            "{operator} cannot be asked of {field}, which is true or false"
        )),
        _ => Ok(()),
    };
    Ok(match operator {
        "$eq" => vec![Test::Is(operand_or_null()?)],
        "$not" => vec![Test::IsNot(operand_or_null()?)],
        "$contains" => vec![Test::Contains(text()?)],
        "$notcontains" => vec![Test::NotContains(text()?)],
        "$gt" => ordered().and_then(|()| Ok(vec![Test::Above(operand("value")?)]))?,
        "$gte" => ordered().and_then(|()| Ok(vec![Test::AtLeast(operand("value")?)]))?,
        "$lt" => ordered().and_then(|()| Ok(vec![Test::Below(operand("value")?)]))?,
        "$lte" => ordered().and_then(|()| Ok(vec![Test::AtMost(operand("value")?)]))?,
        "$between" => ordered().and_then(|()| {
            Ok(vec![
                Test::AtLeast(operand("from")?),
                Test::AtMost(operand("to")?),
            ])
        })?,
        "$in" => vec![Test::OneOf(read_list(given("value")?, field, kind)?)],
        other => {
            return Err(format!(
                "the operator \"{}\" is not known; known are $eq, $not, $contains, $notcontains, \
                 $gt, $gte, $lt, $lte, $in and $between (with from and to)",
                shortened(other)
            ));
        }
    })
}

fn read_list(value: &Value, field: &str, kind: Kind) -> Result<Vec<Operand>, String> {
    let Value::Array(values) = value else {
        return Err(format!("$in needs a list, not {}", shown(value)));
    };
    if values.len() > VALUES_MAX {
        return Err(format!("$in takes at most {VALUES_MAX} values"));
    }
    values
        .iter()
        .map(|value| read_operand(value, field, kind))
        .collect()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    const VOCABULARY: &Vocabulary = &[
        ("_id", Kind::Id),
        ("source", Kind::Text),
        ("checkIn", Kind::Instant),
        ("checkInDateLocalized", Kind::Date),
        ("guestsCount", Kind::Count),
        ("money.balanceDue", Kind::Amount),
        ("money.isFullyPaid", Kind::Flag),
    ];

    fn read(text: &str) -> Result<Vec<Test>, String> {
        read_filters(text, VOCABULARY)
            .map(|conditions| conditions.into_iter().map(|c| c.test).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let tests = read(
            r#"[
                {"field":"_id","operator":"$eq","value":"64DA223EB3DE7A002A462FCC"},
                {"field":"source","operator":"$not","value":null},
                {"field":"source","operator":"$contains","value":"air"},
                {"field":"checkIn","operator":"$between",
                 "from":"1970-01-01T01:00:00+01:00","to":"1970-01-02"},
                {"field":"checkInDateLocalized","operator":"$lte","value":"2026-02-28"},
                {"field":"guestsCount","operator":"$in","value":[1,2],"context":"now"},
                {"field":"money.balanceDue","operator":"$gt","value":-100.5},
                {"field":"money.isFullyPaid","operator":"$eq","value":true}
            ]"#,
        );
        assert_eq!(
            tests.unwrap(),
            [
                Test::Is(Some(Operand::Text("64da223eb3de7a002a462fcc".to_owned()))),
                Test::IsNot(None),
                Test::Contains("air".to_owned()),
                Test::AtLeast(Operand::Number(0)),
                Test::AtMost(Operand::Number(86_400_000)),
                Test::AtMost(Operand::Date(NaiveDate::from_ymd_opt(2026, 2, 28).unwrap())),
                Test::OneOf(vec![Operand::Number(1), Operand::Number(2)]),
                Test::Above(Operand::Number(-1_005_000)),
                Test::Is(Some(Operand::Flag(true))),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (filters, named) in [
            ("{", "filters must be a JSON list"),
            ("7", "filters must be a JSON list"),
            ("[1]", "filters must be a JSON list"),
            (
                r#"[{"operator":"$eq","value":1}]"#,
                "filters[0]: field is missing",
            ),
            (
                r#"[{"field":"colour","operator":"$eq","value":1}]"#,
                "\"colour\" is not known",
            ),
            (
                r#"[{"field":"source","operator":"$regex","value":"x"}]"#,
                "\"$regex\" is not known",
            ),
            (
                r#"[{"field":"source","operator":"$eq"}]"#,
                "$eq needs value",
            ),
            (
                r#"[{"field":"checkIn","operator":"$between","from":"2026-01-01"}]"#,
                "needs to",
            ),
            (
                r#"[{"field":"checkIn","operator":"$lt","value":0,"context":"now"}]"#,
                "relative",
            ),
            (
                r#"[{"field":"checkIn","operator":"$lt","value":"0001-01-01"}]"#,
                "not a date",
            ),
            (
                r#"[{"field":"source","operator":"$eq","value":"x","context":"then"}]"#,
                "\"then\"",
            ),
            (
                r#"[{"field":"guestsCount","operator":"$eq","value":1.5}]"#,
                "whole number",
            ),
            (
                r#"[{"field":"guestsCount","operator":"$in","value":1}]"#,
                "$in needs a list",
            ),
            (
                r#"[{"field":"guestsCount","operator":"$contains","value":"1"}]"#,
                "is for texts",
            ),
            (
                r#"[{"field":"money.balanceDue","operator":"$gt","value":"1"}]"#,
                "without quotes",
            ),
            (
                r#"[{"field":"money.balanceDue","operator":"$gt","value":1e3}]"#,
                "exponent",
            ),
            (
                r#"[{"field":"money.balanceDue","operator":"$gt","value":0.00001}]"#,
                "decimal places",
            ),
            (
                r#"[{"field":"money.isFullyPaid","operator":"$gt","value":true}]"#,
                "true or false",
            ),
            (
                r#"[{"field":"_id","operator":"$eq","value":"zebra"}]"#,
                "24 hexadecimal",
            ),
            (
                r#"[{"field":"source","operator":"$eq","value":"a\u0000"}]"#,
                "NUL",
            ),
        ] {
            let error = read(filters).unwrap_err();
            assert!(error.contains(named), "{filters}: {error}");
        }
    }

    #[test]
    fn an_object_asks_for_equal_values() {
        assert_eq!(
            read(r#"{"source":"Manual","guestsCount":2}"#).unwrap(),
            [
                Test::Is(Some(Operand::Text("Manual".to_owned()))),
                Test::Is(Some(Operand::Number(2))),
            ]
        );
    }

    #[test]
    fn orders_are_read() {
        let order = read_order("-checkIn _id", VOCABULARY).unwrap();
        assert_eq!((order[0].field, order[0].descending), ("checkIn", true));
        assert_eq!((order[1].field, order[1].descending), ("_id", false));
        let error = read_order("colour", VOCABULARY).unwrap_err();
        assert!(error.to_string().contains("\"colour\" is not known"));
    }
}
