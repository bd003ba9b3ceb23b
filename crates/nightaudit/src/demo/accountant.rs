//! The story's other half: the books connect to the server as to anybody's, read what happened, and
//! learn by webhook of what happens next.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use books::evidence::Verdict;
use books::mirror::{Kind, Mirror, Step};
use books::standing::{ConnectOrder, WebhookBaseOrder};
use books::sync::Part;
use books::{Books, Pace, SyncOrder};
use contract::id::ConnectionId;
use guesty::Secret;
use payments::Credentials;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::story::{METHOD, RESERVATION, Teller, newest, summary, text};
use crate::books::lights;

/// How long the books may take to learn of a payment.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);
/// What is paid before, and what with the payment that the books learn of.
const PAID_BEFORE: &str = "620.5";
const PAID_AFTER: &str = "700.75";

/// The books, and where they find the account.
pub(super) struct Accountant<'a> {
    pub(super) books: &'a Books,
    pub(super) base: &'a str,
    pub(super) credentials: &'a Credentials,
}

impl<W: Write + Send> Teller<'_, W> {
    /// Connects, reads, learns and proves.
    pub(super) async fn books(&mut self, accountant: &Accountant<'_>) -> Result<()> {
        let Accountant { books, .. } = accountant;
        let connection = self.connect(accountant).await?;
        self.sync(books, connection).await?;
        let chain = books.chain(connection).await?;
        let mirror = Mirror::of(&chain);
        let before = chain.tip().await?.length;
        let code = self.pay_once_more().await?;
        self.learn(&mirror, &code).await?;

        self.title("The evidence: who told the books, and that nothing in it was changed")?;
        for record in chain.after(before, 100).await? {
            let (number, kind, subject) = (record.number, &record.kind, excerpt(&record.subject));
            self.line(format_args!("record {number}: {kind} {subject}"))?;
        }
        match chain.verify(None, |_| ()).await? {
            Verdict::Sound { tip } => self.line(format_args!(
                "{} records, unbroken; the head to write down: {}",
                tip.length, tip.head
            )),
            Verdict::Broken { number, flaw } => bail!("record {number} {flaw}"),
            Verdict::UnknownHead { .. } => bail!("no head was given"),
        }
    }

    async fn connect(&mut self, accountant: &Accountant<'_>) -> Result<ConnectionId> {
        self.title("The books connect to this account, over HTTP like anybody")?;
        let Accountant {
            books,
            base,
            credentials,
        } = accountant;
        let order = ConnectOrder {
            portfolio: None,
            base_url: Some((*base).to_owned()),
            trust_network: false,
            client_id: credentials.client_id.clone(),
            client_secret: Secret::new(&credentials.client_secret),
            webhook_base: WebhookBaseOrder::AsItWas,
        };
        let standing = books.order_connect(order).await?.standing;
        for (name, light) in lights::named(&standing) {
            ensure!(light.is_green, "{name} is red: {}", light.message);
            let color = lights::color(light);
            self.line(format_args!("{name:8}{color}  {}", light.message))?;
        }
        Ok(standing.connection)
    }

    async fn sync(&mut self, books: &Books, connection: ConnectionId) -> Result<()> {
        self.title("They read all of it, and keep each reply as evidence")?;
        let order = SyncOrder {
            connection,
            parts: Part::ALL.to_vec(),
            span: None,
            // The demo's server has no limits.
            pace: Pace::Unlimited,
        };
        let summary = books.sync(&order, &|_| ()).await?;
        for (part, counts) in &summary.parts {
            ensure!(counts.new > 0, "there are no {part}");
            let part = part.to_string();
            self.line(format_args!("{part:<13} {:>3} new", counts.new))?;
        }
        match summary.problems.first() {
            None => Ok(()),
            Some(problem) => bail!("not all was read: {problem}"),
        }
    }

    /// Pays; the reservation's code.
    async fn pay_once_more(&mut self) -> Result<String> {
        self.title("Another payment is posted: 80.25")?;
        let posted = self
            .post_payment(&json!({
                "paymentMethod": {"method": "STRIPE", "id": METHOD},
                "amount": 80.25,
            }))
            .await?;
        let payment = newest(&posted, "SUCCEEDED")?;
        self.show(&posted, &[summary(&payment)])?;
        let path = format!("/v1/reservations/{RESERVATION}?fields=confirmationCode");
        let read = self.client.get(&path).await?;
        Ok(text(&read.expect(200)?["confirmationCode"]))
    }

    /// Waits until the books know.
    async fn learn(&mut self, mirror: &Mirror, code: &str) -> Result<()> {
        self.title("A webhook tells the books, and they read the reservation again")?;
        let given_up = Instant::now() + PATIENCE;
        let step = loop {
            let steps = mirror.history(Kind::Reservation, code).await?;
            if let Some(step) = steps.into_iter().find(tells_of_payment) {
                break step;
            }
            ensure!(
                Instant::now() < given_up,
                "the books have not learned of it"
            );
            sleep(PAUSE).await;
        };
        self.line(format_args!(
            "reservation {code}, by record {}, at {}:",
            step.record, step.at
        ))?;
        for value in step.values.iter().filter(|value| is_telling(&value.field)) {
            let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
            let (before, after) = (known(&value.before), known(&value.after));
            self.line(format_args!("{:<24} {before} → {after}", value.field))?;
        }
        Ok(())
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) -> Result<()> {
        writeln!(self.out, "    {line}").context("nobody reads the story")
    }
}

fn tells_of_payment(step: &Step) -> bool {
    step.values.iter().any(|value| {
        value.field == "money.totalPaid"
            && value.before.as_deref() == Some(PAID_BEFORE)
            && value.after.as_deref() == Some(PAID_AFTER)
    })
}

/// Of all that a payment changes, what it is about.
fn is_telling(field: &str) -> bool {
    let Some(of_money) = field.strip_prefix("money.") else {
        return false;
    };
    match of_money.split('.').collect::<Vec<_>>()[..] {
        [total] => matches!(total, "totalPaid" | "balanceDue"),
        ["payments", _, name] => matches!(name, "amount" | "status"),
        _ => false,
    }
}

/// A request's query may be as long as a line.
fn excerpt(subject: &str) -> &str {
    subject.split('?').next().unwrap_or(subject)
}
