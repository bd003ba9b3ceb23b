//! Figures about the books for Prometheus, as the database has them. Numbers and names of kinds only:
//! nothing of an account.

use chrono::TimeDelta;
use contract::Timestamp;
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::standing::Standing;
use crate::sync::RunRecord;
use crate::{Books, Error};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: String,
}

impl Books {
    /// All figures, as Prometheus reads them.
    pub(crate) async fn figures(&self) -> Result<String, Error> {
        let standings = self.standings().await?;
        let registry = registry(&standings, self.clock().now());
        let mut text = String::new();
        match encode(&mut text, &registry) {
            Ok(()) => Ok(text),
            // A String takes whatever is written to it.
            Err(std::fmt::Error) => Ok(String::new()),
        }
    }
}

fn registry(all: &[Standing], now: Timestamp) -> Registry {
    // What is disconnected is meant to be: it is neither red nor late.
    let connected: Vec<&Standing> = all.iter().filter(|one| one.connected).collect();
    let runs = connected.iter().filter_map(|one| one.last_sync.as_ref());
    let runs: Vec<&RunRecord> = runs.collect();
    let lights = connected.iter().map(|one| &one.lights);
    let lights = lights.flat_map(|lights| [&lights.admin, &lights.oauth, &lights.webhook]);
    let is_incomplete = |run: &&&RunRecord| run.ended_at.is_some() && !run.is_complete();
    let last_heard = runs.iter().map(|run| run.ended_at.unwrap_or(run.began_at));

    let mut registry = Registry::with_prefix("nightaudit_books");
    for (name, help, number) in [
        (
            "connections",
            "Connections that have credentials",
            connected.len(),
        ),
        (
            "lights_red",
            "Lights of these that were red when somebody last looked",
            lights.filter(|light| !light.is_green).count(),
        ),
        (
            "runs_under_way",
            "Runs of reading that are under way",
            runs.iter().filter(|run| run.ended_at.is_none()).count(),
        ),
        (
            "runs_incomplete",
            "Connections whose last run was interrupted, or could not read all",
            runs.iter().filter(is_incomplete).count(),
        ),
        (
            "inbox_unreadable",
            "Objects that webhooks told of and that the source does not give",
            all.iter().map(|one| one.inbox.unreadable.len()).sum(),
        ),
    ] {
        registry.register(name, help, gauge(i64::try_from(number).unwrap_or(i64::MAX)));
    }
    registry.register(
        "inbox_waiting",
        "Objects that webhooks told of and that are to be read",
        gauge(all.iter().map(|one| one.inbox.waiting).sum()),
    );
    let waiting_since = all.iter().filter_map(|one| one.inbox.waiting_since).min();
    for (name, help, since) in [
        (
            "inbox_lag",
            "For how long the first of them has waited",
            waiting_since,
        ),
        (
            "sync_age",
            "How long ago the last run ended, or began that is under way, where that is longest",
            last_heard.min(),
        ),
    ] {
        let age = since.map_or(TimeDelta::zero(), |since| now - since);
        registry.register_with_unit(name, help, Unit::Seconds, gauge(age.num_seconds().max(0)));
    }
    registry.register(
        "flagged",
        "Objects in which there is something that the books do not understand",
        flagged(all),
    );
    registry
}

fn gauge(number: i64) -> Gauge {
    let gauge: Gauge = Gauge::default();
    gauge.set(number);
    gauge
}

fn flagged(all: &[Standing]) -> Family<KindLabel, Gauge> {
    let family = Family::<KindLabel, Gauge>::default();
    for (kind, count) in all.iter().flat_map(|one| &one.flagged) {
        let kind = kind.clone();
        family.get_or_create(&KindLabel { kind }).inc_by(*count);
    }
    family
}
