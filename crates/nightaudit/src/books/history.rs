//! `nightaudit history`: what was known of an object, since when, and by which record.

use std::str::FromStr;

use books::connection::Connection;
use books::evidence::Chain;
use books::in_short;
use books::mirror::{AsOf, Change, Flag, Kind, Mirror, Step, Value};
use chrono::{Days, NaiveDate, NaiveTime};
use contract::Timestamp;
use contract::id::ConnectionId;
use serde_json::{Map, Value as Json, json};

use super::amounts::Amounts;
use crate::cli::{Format, HistoryArgs};
use crate::config::Config;
use crate::error::CommandError;
use crate::{open, output};

/// What a mirror calls its only account.
const ACCOUNT: &str = "account";

/// An instant up to which things were known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AsKnownOn(Timestamp);

/// A text that is neither a date nor an instant.
#[derive(Debug, thiserror::Error)]
#[error("give a date as 2026-03-31, or an instant as 2026-03-31T12:00:00Z")]
pub(crate) struct InvalidAsKnownOn;

impl FromStr for AsKnownOn {
    type Err = InvalidAsKnownOn;

    fn from_str(text: &str) -> Result<Self, InvalidAsKnownOn> {
        if let Ok(date) = text.parse::<NaiveDate>() {
            let next = date
                .checked_add_days(Days::new(1))
                .ok_or(InvalidAsKnownOn)?;
            let end = next.and_time(NaiveTime::MIN).and_utc().timestamp_millis() - 1;
            return Ok(Self(Timestamp::from_millis(end)));
        }
        text.parse().map(Self).map_err(|_| InvalidAsKnownOn)
    }
}

/// Tells what was known.
pub(crate) async fn run(args: HistoryArgs) -> Result<(), CommandError> {
    let key = match (&args.key, args.kind) {
        (Some(key), _) => key.as_str(),
        (None, Kind::Account) => ACCOUNT,
        (None, kind) => {
            return Err(CommandError::usage(format!(
                "say which {kind}, by its confirmation code or id; only the account needs none"
            )));
        }
    };
    let config = Config::of(args.common.place)?;
    let books = open::books_to_read(&config)?;
    let choice = args.which.into();
    let mut objects = Vec::new();
    for connection in books.choose_all(&choice).await? {
        let chain = match books.chain(connection.id).await {
            Err(books::Error::NoChain(_)) => continue,
            chain => chain?,
        };
        let mirror = Mirror::of(&chain);
        let as_of = match args.as_known_on {
            Some(AsKnownOn(at)) => AsOf::Instant(at),
            None => AsOf::Now,
        };
        let steps = match args.kind {
            Kind::Account => {
                let steps = mirror.history(args.kind, ACCOUNT).await?;
                let is_meant = key == ACCOUNT || has_id(&connection, &steps, key);
                if is_meant { steps } else { Vec::new() }
            }
            kind => mirror.history(kind, key).await?,
        };
        for steps in steps.chunk_by(|one, next| one.id == next.id) {
            let mut object = Object::read(&chain, steps).await?;
            object.flags = mirror.flags(args.kind, &object.id, as_of).await?;
            objects.push(object);
        }
    }
    if objects.is_empty() {
        return Err(unknown(args.kind, key));
    }
    if let Some(AsKnownOn(at)) = args.as_known_on {
        return tell_then(args.kind, key, args.common.format, at, &objects);
    }
    match args.common.format {
        Format::Json => {
            let objects: Vec<Json> = objects.iter().map(Object::report).collect();
            let kind = args.kind.name();
            output::json(&json!({"kind": kind, "key": key, "objects": objects}))
        }
        Format::Table => objects.iter().try_for_each(|object| object.tell(args.kind)),
    }
}

/// Whether a connection's account has this id. Other applications of it may be told another.
fn has_id(connection: &Connection, steps: &[Step], key: &str) -> bool {
    let known = connection.account.as_ref().map(ToString::to_string);
    let mut values = steps.iter().flat_map(|step| &step.values);
    known.as_deref() == Some(key)
        || values.any(|value| value.field == "_id" && value.after.as_deref() == Some(key))
}

fn unknown(kind: Kind, key: &str) -> CommandError {
    let (by, without) = match kind {
        Kind::Account => ("id", ", leave it out,"),
        _ => ("code or id", ""),
    };
    CommandError::refused(format!(
        "the books know no {kind} with the {by} \"{key}\": check how it is written{without} or read it \
         first (nightaudit sync)"
    ))
}

/// Tells what was known at an instant.
fn tell_then(
    kind: Kind,
    key: &str,
    format: Format,
    at: Timestamp,
    objects: &[Object],
) -> Result<(), CommandError> {
    let known: Vec<_> = (objects.iter())
        .filter_map(|object| Some((object, object.as_known_at(at)?)))
        .collect();
    if known.is_empty() {
        let first = objects.iter().filter_map(|object| object.steps.first());
        let first = first
            .map(|step| step.at.to_string())
            .min()
            .unwrap_or_default();
        return Err(CommandError::refused(format!(
            "{kind} \"{key}\" was not known at {at}: it became known at {first}"
        )));
    }
    match format {
        Format::Json => {
            let objects: Vec<Json> = (known.iter())
                .map(|(object, state)| object.report_state(state))
                .collect();
            let kind = kind.name();
            output::json(&json!({"kind": kind, "key": key, "as_known_at": at, "objects": objects}))
        }
        Format::Table => {
            (known.iter()).try_for_each(|(object, state)| object.tell_state(kind, at, state))
        }
    }
}

/// An object and all that became known of it.
struct Object {
    connection: ConnectionId,
    id: String,
    steps: Vec<Told>,
    /// What in it the books do not understand, as it is or as it is asked for.
    flags: Vec<Flag>,
}

/// Something that became known.
struct Told {
    at: Timestamp,
    record: i64,
    /// What the record answers.
    subject: String,
    change: &'static str,
    is_removal: bool,
    values: Vec<Value>,
}

/// An object as it was known at some time.
struct State {
    is_removed: bool,
    values: Vec<Held>,
}

/// A value, and since when it was so.
struct Held {
    field: String,
    value: String,
    at: Timestamp,
    record: i64,
}

impl Object {
    async fn read(chain: &Chain, steps: &[Step]) -> Result<Self, CommandError> {
        let mut object = Self {
            connection: chain.connection(),
            id: steps
                .first()
                .map(|step| step.id.clone())
                .unwrap_or_default(),
            steps: Vec::new(),
            flags: Vec::new(),
        };
        let mut amounts = Amounts::default();
        for step in steps {
            let record = chain.record(step.record).await?;
            object.steps.push(Told {
                at: step.at,
                record: step.record,
                subject: record.map(|record| record.subject).unwrap_or_default(),
                change: name(step.change),
                is_removal: step.change == Change::Removed,
                values: amounts.go_on(&step.values),
            });
        }
        Ok(object)
    }

    fn as_known_at(&self, at: Timestamp) -> Option<State> {
        let steps = self.steps.iter().take_while(|step| step.at <= at);
        let mut state = None;
        for step in steps {
            let state = state.get_or_insert(State {
                is_removed: false,
                values: Vec::new(),
            });
            state.is_removed = step.is_removal;
            step.values
                .iter()
                .for_each(|value| state.learn(step, value));
        }
        state
    }

    fn tell_state(&self, kind: Kind, at: Timestamp, state: &State) -> Result<(), CommandError> {
        let removed = if state.is_removed {
            ", removed at the source"
        } else {
            ""
        };
        output::line(format_args!(
            "{kind} {} of connection {}, as known at {at}{removed}",
            self.id, self.connection
        ))?;
        let rows = state.values.iter().map(|held| {
            let (since, record) = (held.at.to_string(), held.record.to_string());
            vec![held.field.clone(), held.value.clone(), since, record]
        });
        let rows: Vec<_> = rows.collect();
        output::grid(&["", "value", "since", "record"], &rows)?;
        self.tell_flags()
    }

    fn tell_flags(&self) -> Result<(), CommandError> {
        for flag in &self.flags {
            output::line(format_args!("not understood: {flag}"))?;
        }
        Ok(())
    }

    fn tell(&self, kind: Kind) -> Result<(), CommandError> {
        output::line(format_args!(
            "{kind} {} of connection {}",
            self.id, self.connection
        ))?;
        for step in &self.steps {
            output::line("")?;
            output::line(format_args!(
                "{}  {}, by record {}: {}",
                step.at,
                step.change,
                step.record,
                in_short(&step.subject)
            ))?;
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            let values = step.values.iter();
            if step.values.iter().all(|value| value.before.is_none()) {
                let rows = values.map(|value| vec![value.field.clone(), text(&value.after)]);
                output::grid(&["", "value"], &rows.collect::<Vec<_>>())?;
            } else {
                let rows = values.map(|value| {
                    vec![value.field.clone(), text(&value.before), text(&value.after)]
                });
                output::grid(&["", "before", "after"], &rows.collect::<Vec<_>>())?;
            }
        }
        self.tell_flags()
    }

    fn report(&self) -> Json {
        let steps = self.steps.iter().map(|step| {
            let values = step.values.iter().map(
                |value| json!({"field": value.field, "before": value.before, "after": value.after}),
            );
            json!({
                "at": step.at,
                "record": step.record,
                "subject": step.subject,
                "change": step.change,
                "values": values.collect::<Vec<_>>(),
            })
        });
        json!({
            "connection": self.connection,
            "id": self.id,
            "steps": steps.collect::<Vec<_>>(),
            "flags": self.flags,
        })
    }

    fn report_state(&self, state: &State) -> Json {
        let values = state.values.iter().map(|held| {
            let known = json!({"value": held.value, "since": held.at, "record": held.record});
            (held.field.clone(), known)
        });
        json!({
            "connection": self.connection,
            "id": self.id,
            "removed": state.is_removed,
            "values": values.collect::<Map<_, _>>(),
            "flags": self.flags,
        })
    }
}

impl State {
    fn learn(&mut self, step: &Told, value: &Value) {
        let place = self
            .values
            .iter()
            .position(|held| held.field == value.field);
        let Some(after) = &value.after else {
            self.values.retain(|held| held.field != value.field);
            return;
        };
        let held = Held {
            field: value.field.clone(),
            value: after.clone(),
            at: step.at,
            record: step.record,
        };
        match place {
            Some(place) => self.values[place] = held,
            None => self.values.push(held),
        }
    }
}

fn name(change: Change) -> &'static str {
    match change {
        Change::Appeared => "appeared",
        Change::Changed => "changed",
        Change::Removed => "removed",
        Change::Returned => "returned",
    }
}
