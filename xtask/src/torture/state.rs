//! All that the platform and the processor show once the faults are over, read over HTTP.

use anyhow::{Context, Result};
use serde_json::Value;

use super::line::Line;
use super::minor;
use super::world::GUEST;

pub(super) struct State {
    pub(super) reservations: Vec<Reservation>,
    /// The ids of the guest's stored methods.
    pub(super) methods: Vec<String>,
    /// The ids of all rows of the processor's report.
    pub(super) report: Vec<String>,
    /// How many of them verify a method.
    pub(super) verifications: usize,
}

pub(super) struct Reservation {
    pub(super) id: String,
    pub(super) currency: String,
    pub(super) fare: i64,
    /// What is owed in all.
    pub(super) total: i64,
    pub(super) paid: i64,
    pub(super) refunded: i64,
    pub(super) balance: i64,
    pub(super) payments: Vec<Payment>,
    /// What the processor has on record.
    pub(super) transactions: Vec<Transaction>,
}

pub(super) struct Payment {
    pub(super) id: String,
    pub(super) note: String,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) is_hold: bool,
    pub(super) is_card: bool,
    /// How many of its attempts, and of its refunds' attempts, wait for an answer.
    pub(super) open_attempts: usize,
    pub(super) refunds: Vec<Refund>,
    /// What was taken of a hold.
    pub(super) captured: Vec<i64>,
}

pub(super) struct Refund {
    pub(super) id: String,
    pub(super) note: String,
    pub(super) status: String,
    pub(super) amount: i64,
}

pub(super) struct Transaction {
    pub(super) kind: String,
    pub(super) is_processed: bool,
    pub(super) amount: i64,
    pub(super) currency: String,
}

impl State {
    /// Everything.
    pub(super) async fn read(line: &mut Line) -> Result<Self> {
        let mut state = Self {
            reservations: Self::reservations(line).await?,
            methods: Vec::new(),
            report: Vec::new(),
            verifications: 0,
        };
        for reservation in &mut state.reservations {
            let code = line
                .read(&format!(
                    "/v1/reservations/{}?fields=confirmationCode",
                    reservation.id
                ))
                .await?;
            let code = text(&code, "confirmationCode")?;
            let rows = report(line, &format!("reservationConfirmationCode={code}")).await?;
            reservation.transactions = rows.iter().map(transaction).collect::<Result<_>>()?;
        }
        let by_date = window(business_time(line).await?);
        let rows = report(line, &by_date).await?;
        for row in &rows {
            state.report.push(text(row, "transactionId")?);
        }
        let is_verification = |row: &&Value| row["transactionType"] == "Verify";
        state.verifications = rows.iter().filter(is_verification).count();
        let path = format!("/v1/guests/{GUEST}/payment-methods?reuse=false");
        let methods = line.read(&path).await?;
        for method in list(&methods)? {
            state.methods.push(text(method, "_id")?);
        }
        Ok(state)
    }

    /// The reservations with their payments alone.
    pub(super) async fn reservations(line: &mut Line) -> Result<Vec<Reservation>> {
        const PAGE: usize = 20;
        let mut reservations = Vec::new();
        for skip in (0..).step_by(PAGE) {
            let path = format!("/v1/reservations?fields=money&limit={PAGE}&skip={skip}");
            let page = line.read(&path).await?;
            let results = list(&page["results"])?;
            for one in results {
                reservations.push(reservation(one)?);
            }
            if results.len() < PAGE {
                break;
            }
        }
        Ok(reservations)
    }
}

/// The month before tomorrow, by business time: no round lasts as long.
fn window(now: chrono::DateTime<chrono::Utc>) -> String {
    let day = |days| (now + chrono::Duration::days(days)).format("%Y-%m-%d");
    format!("startDate={}&endDate={}", day(-29), day(1))
}

async fn business_time(line: &mut Line) -> Result<chrono::DateTime<chrono::Utc>> {
    let clock = line.read("/sandbox/clock").await?;
    let now = text(&clock, "now")?;
    Ok(chrono::DateTime::parse_from_rfc3339(&now)?.to_utc())
}

/// All pages of the processor's report.
async fn report(line: &mut Line, terms: &str) -> Result<Vec<Value>> {
    const PAGE: usize = 100;
    let mut rows = Vec::new();
    for skip in (0..).step_by(PAGE) {
        let path = format!("/v1/payment-transactions/report?{terms}&take={PAGE}&skip={skip}");
        let page = line.read(&path).await?;
        let page = list(&page)?;
        rows.extend(page.iter().cloned());
        if page.len() < PAGE {
            break;
        }
    }
    Ok(rows)
}

fn reservation(value: &Value) -> Result<Reservation> {
    let money = &value["money"];
    let payments = list(&money["payments"])?;
    Ok(Reservation {
        id: text(value, "_id")?,
        currency: text(money, "currency")?,
        fare: minor::read(&money["fareAccommodation"])?,
        total: minor::read(&money["hostPayout"])?,
        paid: minor::read(&money["totalPaid"])?,
        refunded: minor::read(&money["totalRefunded"])?,
        balance: minor::read(&money["balanceDue"])?,
        payments: payments.iter().map(payment).collect::<Result<_>>()?,
        transactions: Vec::new(),
    })
}

fn payment(value: &Value) -> Result<Payment> {
    let refunds = list(&value["refunds"])?;
    let mut captured = Vec::new();
    for capture in list(&value["authorizationHoldCaptures"])? {
        if capture["status"] == "SUCCEEDED" {
            captured.push(minor::read(&capture["amount"])?);
        }
    }
    let of_refunds = refunds.iter().map(|refund| &refund["attempts"]);
    let attempts = std::iter::once(&value["attempts"]).chain(of_refunds);
    let open = attempts
        .filter_map(Value::as_array)
        .flatten()
        .filter(|attempt| attempt["status"] == "PENDING");
    Ok(Payment {
        id: text(value, "_id")?,
        note: value["note"].as_str().unwrap_or_default().to_owned(),
        status: text(value, "status")?,
        amount: minor::read(&value["amount"])?,
        currency: text(value, "currency")?,
        is_hold: value["isAuthorizationHold"] == true,
        is_card: value["paymentMethodId"].is_string(),
        open_attempts: open.count(),
        refunds: refunds.iter().map(refund).collect::<Result<_>>()?,
        captured,
    })
}

fn refund(value: &Value) -> Result<Refund> {
    Ok(Refund {
        id: text(value, "_id")?,
        note: value["note"].as_str().unwrap_or_default().to_owned(),
        status: text(value, "status")?,
        amount: minor::read(&value["amount"])?,
    })
}

fn transaction(value: &Value) -> Result<Transaction> {
    Ok(Transaction {
        kind: text(value, "transactionType")?,
        is_processed: value["status"] == "Processed",
        amount: minor::read(&value["amount"])?,
        currency: text(value, "currency")?,
    })
}

impl Payment {
    /// What came in.
    pub(super) fn collected(&self) -> i64 {
        match self.status.as_str() {
            "SUCCEEDED" if self.is_hold => self.captured.iter().sum(),
            "SUCCEEDED" => self.amount,
            _ => 0,
        }
    }

    /// What went back.
    pub(super) fn returned(&self) -> i64 {
        let done = self
            .refunds
            .iter()
            .filter(|refund| refund.status == "SUCCEEDED");
        done.map(|refund| refund.amount).sum()
    }

    /// Whether something is still to come of it.
    pub(super) fn is_open(&self) -> bool {
        let is_open = |status: &str| matches!(status, "PENDING" | "PROCESSING");
        is_open(&self.status)
            || self.open_attempts > 0
            || self.refunds.iter().any(|refund| is_open(&refund.status))
    }
}

fn list(value: &Value) -> Result<&Vec<Value>> {
    value
        .as_array()
        .with_context(|| format!("{value} is no list"))
}

fn text(value: &Value, name: &str) -> Result<String> {
    let text = value[name].as_str();
    Ok(text
        .with_context(|| format!("no {name}: {value}"))?
        .to_owned())
}
