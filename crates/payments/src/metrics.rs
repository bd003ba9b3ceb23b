//! Figures about the platform as it runs, for Prometheus. Numbers and names of routes only: nothing
//! of an account, a guest or a payment.

use std::time::Duration;

use processors::{Answer, Failure, Verdict};
use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Seconds, from a point read on SQLite to a processor that keeps silent.
const LATENCIES: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// The figures.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Family<RouteLabels, Histogram>,
    limited: Counter,
    processor_calls: Family<CallLabels, Counter>,
    processor_seconds: Histogram,
    agenda_due: Gauge,
    agenda_lag: Gauge,
    agenda_failures: Counter,
    import_failures: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    kind: &'static str,
    outcome: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let latency = || Histogram::new(LATENCIES);
        let mut metrics = Self {
            registry: Registry::with_prefix("nightaudit"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(latency),
            limited: Counter::default(),
            processor_calls: Family::default(),
            processor_seconds: latency(),
            agenda_due: Gauge::default(),
            agenda_lag: Gauge::default(),
            agenda_failures: Counter::default(),
            import_failures: Counter::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "requests",
            "Requests that were answered",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "request",
            "Time from a request's head to its reply",
            Unit::Seconds,
            self.request_seconds.clone(),
        );
        registry.register(
            "requests_limited",
            "Requests that were refused because the account made too many",
            self.limited.clone(),
        );
        registry.register(
            "processor_calls",
            "Calls of processors, by what came of them",
            self.processor_calls.clone(),
        );
        registry.register_with_unit(
            "processor_call",
            "Time that processors took to answer",
            Unit::Seconds,
            self.processor_seconds.clone(),
        );
        registry.register(
            "agenda_due",
            "Payments and refunds whose time has come, counted up to a thousand",
            self.agenda_due.clone(),
        );
        registry.register_with_unit(
            "agenda_lag",
            "For how long the first of them has been due",
            Unit::Seconds,
            self.agenda_lag.clone(),
        );
        registry.register(
            "agenda_failures",
            "Times that something due could not be done yet",
            self.agenda_failures.clone(),
        );
        registry.register(
            "import_failures",
            "Imports of a processor's books that failed and will be tried again",
            self.import_failures.clone(),
        );
    }

    /// A request was answered.
    pub(crate) fn request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let labels = RouteLabels {
            method,
            route: route.to_owned(),
        };
        self.request_seconds
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
        let labels = RequestLabels {
            method,
            route: labels.route,
            status,
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// A request was refused because the account made too many.
    pub(crate) fn limited(&self) {
        self.limited.inc();
    }

    /// A processor was asked, for one thing or for several at once.
    pub(crate) fn processor_took(&self, took: Duration) {
        self.processor_seconds.observe(took.as_secs_f64());
    }

    /// What came of a call of a processor.
    pub(crate) fn processor_answered(
        &self,
        kind: &'static str,
        answered: &Result<Answer, Failure>,
    ) {
        let outcome = match answered.as_ref().map(|answer| &answer.verdict) {
            Ok(Verdict::Approved { .. }) => "approved",
            Ok(Verdict::Declined { .. }) => "declined",
            Ok(Verdict::AuthenticationRequired { .. }) => "authentication required",
            Err(Failure::Unanswered) => "unanswered",
            Err(Failure::Refused { .. }) => "refused",
            Err(Failure::Unavailable) => "unavailable",
        };
        self.processor_calls
            .get_or_create(&CallLabels { kind, outcome })
            .inc();
    }

    /// How the agenda stands.
    pub(crate) fn agenda(&self, due: usize, lag: chrono::Duration) {
        self.agenda_due.set(i64::try_from(due).unwrap_or(i64::MAX));
        self.agenda_lag.set(lag.num_seconds());
    }

    /// Something due could not be done yet.
    pub(crate) fn agenda_failed(&self) {
        self.agenda_failures.inc();
    }

    /// An import failed.
    pub(crate) fn import_failed(&self) {
        self.import_failures.inc();
    }

    /// All figures, as Prometheus reads them.
    pub(crate) fn print(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // A String takes whatever is written to it.
            Err(std::fmt::Error) => String::new(),
        }
    }
}
