//! `nightaudit verify`: whether the evidence is as it was appended.

use std::fmt;

use books::Error;
use books::connection::Connection;
use books::evidence::{Chain, Flaw, Head, Tip, Verdict};
use serde_json::{Value, json};

use super::Meter;
use crate::cli::{Format, VerifyArgs};
use crate::config::Config;
use crate::error::CommandError;
use crate::{open, output};

const NO_CHAIN: &str =
    "the row of the chain is gone, and with it the key that its records are checked with";

const UNKNOWN_HEAD: &str = "no record here has this head: it is mistyped, of another connection, or \
                            the end of the chain was cut off";

/// Verifies the chains that are meant.
pub(crate) async fn run(args: VerifyArgs) -> Result<(), CommandError> {
    let config = Config::of(args.common.place)?;
    let books = open::books_to_read(&config)?;
    let connections = books.choose_all(&args.which.into()).await?;
    if args.head.is_some() && connections.len() > 1 {
        return Err(CommandError::usage(
            "--head is of one chain: say of which connection (--connection ID)",
        ));
    }
    let mut found = Vec::new();
    for connection in connections {
        let state = match books.chain(connection.id).await {
            Ok(chain) => verify(&chain, args.head).await?,
            // A connection has its chain before it has credentials.
            Err(Error::NoChain(_)) if connection.is_connected => State::NoChain,
            Err(Error::NoChain(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        found.push((connection, state));
    }
    match args.common.format {
        Format::Json => output::json(&report(&found))?,
        Format::Table => found.iter().try_for_each(tell)?,
    }
    if found
        .iter()
        .any(|(_, state)| matches!(state, State::UnknownHead(_)))
    {
        return Err(CommandError::Broken(UNKNOWN_HEAD.to_owned()));
    }
    let broken = found.iter().filter(|(_, state)| !state.is_sound()).count();
    match broken {
        0 => Ok(()),
        _ => Err(CommandError::Broken(format!(
            "the evidence of {broken} of {} connections is not as it was appended",
            found.len()
        ))),
    }
}

/// What became of a connection's evidence.
enum State {
    Sound(Tip),
    Broken(Broken),
    /// The records are sound, and none has the head that was given.
    UnknownHead(Tip),
    /// The chain's own row is gone.
    NoChain,
}

/// The first record that is not as it was appended.
struct Broken {
    number: i64,
    flaw: Flaw,
    /// What stands in its place.
    found: Option<Found>,
}

struct Found {
    kind: String,
    subject: String,
    at: String,
}

impl State {
    fn is_sound(&self) -> bool {
        matches!(self, Self::Sound(_))
    }
}

async fn verify(chain: &Chain, head: Option<Head>) -> Result<State, CommandError> {
    let length = chain.tip().await?.length;
    if head == Some(Head::EMPTY) && length > 0 {
        return Err(CommandError::usage(
            "64 zeros are the head of an empty chain, and of no record: give a head that was shown for \
             this chain (nightaudit verify shows the last)",
        ));
    }
    let total = u64::try_from(length).ok();
    let meter = Meter::new()?;
    let what = format!("records of {}", chain.connection());
    let progress = |done: i64| meter.show(&what, done.unsigned_abs(), total);
    Ok(match chain.verify(head, progress).await? {
        Verdict::Sound { tip } => State::Sound(tip),
        Verdict::UnknownHead { tip } => State::UnknownHead(tip),
        Verdict::Broken { number, flaw } => State::Broken(Broken {
            number,
            flaw,
            found: chain.record(number).await?.map(|record| Found {
                kind: record.kind,
                subject: record.subject,
                at: record.at.to_string(),
            }),
        }),
    })
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} {}", self.number, self.flaw)?;
        match &self.found {
            Some(Found { kind, subject, at }) => {
                write!(f, " (there stands: {kind} {subject}, of {at})")
            }
            None => Ok(()),
        }
    }
}

fn report(found: &[(Connection, State)]) -> Value {
    let connections: Vec<Value> = found.iter().map(report_of).collect();
    let is_sound = found.iter().all(|(_, state)| state.is_sound());
    json!({"sound": is_sound, "connections": connections})
}

fn report_of((connection, state): &(Connection, State)) -> Value {
    let mut told = json!({"connection": connection.id, "sound": state.is_sound()});
    match state {
        State::Sound(tip) => tell_tip(&mut told, tip),
        State::UnknownHead(tip) => {
            tell_tip(&mut told, tip);
            told["broken"] = json!({"flaw": UNKNOWN_HEAD});
        }
        State::Broken(broken) => {
            told["broken"] = json!({
                "record": broken.number,
                "flaw": broken.flaw.to_string(),
                "kind": broken.found.as_ref().map(|found| &found.kind),
                "subject": broken.found.as_ref().map(|found| &found.subject),
                "at": broken.found.as_ref().map(|found| &found.at),
            });
        }
        State::NoChain => told["broken"] = json!({"flaw": NO_CHAIN}),
    }
    told
}

fn tell_tip(told: &mut Value, tip: &Tip) {
    told["records"] = json!(tip.length);
    told["head"] = json!(tip.head.to_string());
    told["last_at"] = json!(tip.at);
}

fn tell((connection, state): &(Connection, State)) -> Result<(), CommandError> {
    let (id, address) = (connection.id.to_string(), connection.base_url.to_string());
    let mut rows = vec![("connection", id), ("address", address)];
    match state {
        State::Sound(tip) => rows.extend([
            ("evidence", "every record is as it was appended".to_owned()),
            ("records", tip.length.to_string()),
            ("the last", tip.at.to_string()),
            ("head", tip.head.to_string()),
        ]),
        State::UnknownHead(tip) => rows.extend([
            ("broken", UNKNOWN_HEAD.to_owned()),
            ("records", tip.length.to_string()),
            ("the last", tip.at.to_string()),
        ]),
        State::Broken(broken) => rows.push(("broken", broken.to_string())),
        State::NoChain => rows.push(("broken", NO_CHAIN.to_owned())),
    }
    let rows: Vec<_> = rows
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Ok(output::table(&rows)?)
}
