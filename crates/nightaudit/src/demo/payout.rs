//! The story's end: time passes, the money is settled and paid out, and both reports prove it.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use money::{Currency, Decimal, Money};
use serde_json::{Value, json};

use super::story::{Teller, text};

const TRANSACTIONS: &str =
    "/v1/payment-transactions/report?startDate=2023-08-14&endDate=2023-08-15&take=100";
const PAYOUTS: &str = "/v1/payment-transactions/reports/payouts-reconciliation\
                       ?startDate=2023-08-14&endDate=2023-08-23&take=100";

/// What a payout is made of, in the order of its equation, and what it comes to in the story.
///
/// Of 500.00 and 120.50 taken, 20.50 was let go before it settled. 2.9 % of the 600.00 that are left is
/// 17.40; the charge, the hold and the declined charge cost 0.30 each; a tenth of the 600.00 is kept in
/// reserve for 90 days.
const EQUATION: [(&str, &str); 8] = [
    ("captures", "620.50"),
    ("− refunds", "-20.50"),
    ("− chargebacks", "0.00"),
    ("+ reversals", "0.00"),
    ("− fees", "-18.30"),
    ("− reserve held", "-60.00"),
    ("+ reserve released", "0.00"),
    ("± adjustments", "0.00"),
];

impl<W: Write + Send> Teller<'_, W> {
    /// Lets the week pass after which the day's money is paid out, and shows what became of it.
    pub(super) async fn payout(&mut self) -> Result<()> {
        self.let_time_pass().await?;
        self.settled().await?;
        self.paid_out().await
    }

    async fn let_time_pass(&mut self) -> Result<()> {
        self.title("Eight days pass: the day is settled, and a week later paid out")?;
        let advanced = self
            .client
            .post("/sandbox/advance", &json!({"by": "8d"}))
            .await?;
        let happened = advanced.expect(200)?["happened"]
            .as_array()
            .context("a list of what happened")?;
        ensure!(
            happened.iter().any(|one| one["kind"] == "payout"),
            "no payout was sent"
        );
        let lines: Vec<String> = happened
            .iter()
            .map(|one| {
                let about = match &one["amount"] {
                    Value::Null => format!("{} settled", one["settled"]),
                    amount => text(amount),
                };
                let of = |name: &str| text(&one[name]);
                format!("{}  {:<10}  {about}", of("at"), of("kind"))
            })
            .collect();
        self.show(&advanced, &lines)
    }

    async fn settled(&mut self) -> Result<()> {
        self.title("The transactions report has their settlement dates now")?;
        let read = self.client.get(TRANSACTIONS).await?;
        let rows = rows(read.expect(200)?)?;
        let settled = rows.iter().filter(|row| !row["settlementDate"].is_null());
        let lines: Vec<String> = settled
            .map(|row| {
                let of = |name: &str| text(&row[name]);
                let (kind, settled) = (of("transactionType"), of("settlementDate"));
                format!(
                    "{kind:<16} {:>8} {}  {settled}",
                    row["amount"],
                    of("currency")
                )
            })
            .collect();
        for (kind, amount) in [
            ("Charge", "500.00"),
            ("Partial Capture", "120.50"),
            ("Partial Void", "20.50"),
        ] {
            let is = |line: &String| line.starts_with(kind) && line.contains(amount);
            ensure!(lines.iter().any(is), "{kind} {amount} is not settled");
        }
        self.show(&read, &lines)
    }

    async fn paid_out(&mut self) -> Result<()> {
        self.title("The payouts reconciliation report, and the payout's equation")?;
        let read = self.client.get(PAYOUTS).await?;
        let rows = rows(read.expect(200)?)?;
        let first = rows.first().context("no payout in the report")?;
        let currency: Currency = text(&first["currency"]).parse()?;
        let of_payout = rows
            .iter()
            .filter(|row| row["payoutId"] == first["payoutId"]);
        let mut terms = EQUATION.map(|(name, _)| (name, Money::zero(currency)));
        let mut lines = Vec::new();
        for row in of_payout {
            let amount = amount(&row["activityAmount"], currency)?;
            let term = &mut terms[term(row)?].1;
            *term = term.checked_add(amount)?;
            lines.push(format!("{:>10}  {}", amount.fixed(), describe(row)));
        }
        lines.push(format!(
            "payout {}, {}:",
            text(&first["payoutId"]),
            text(&first["payoutStatus"])
        ));
        let mut sum = Money::zero(currency);
        for ((name, found), (_, expected)) in terms.iter().zip(EQUATION) {
            ensure!(
                found.fixed() == expected,
                "{name} are {} instead of {expected}",
                found.fixed()
            );
            sum = sum.checked_add(*found)?;
            lines.push(format!("{:>10}  {name}", found.fixed()));
        }
        let paid = amount(&first["payoutAmount"], currency)?;
        ensure!(sum == paid, "{} is not {}", sum.fixed(), paid.fixed());
        lines.push(format!("{:>10}  = payoutAmount", paid.fixed()));
        let rest = sum.checked_sub(paid)?;
        lines.push(format!("{:>10}  is left unexplained", rest.fixed()));
        self.show(&read, &lines)
    }
}

fn rows(reply: &Value) -> Result<&Vec<Value>> {
    reply.as_array().context("a list of rows")
}

fn amount(value: &Value, currency: Currency) -> Result<Money> {
    let decimal: Decimal = text(value).parse()?;
    Ok(Money::from_decimal(&decimal, currency)?)
}

/// The place in the equation of an activity.
fn term(row: &Value) -> Result<usize> {
    let (activity, kind) = (text(&row["activityType"]), text(&row["transactionType"]));
    Ok(match (activity.as_str(), kind.as_str()) {
        ("Transaction", "Charge" | "Capture" | "Partial Capture") => 0,
        ("Transaction", "Chargeback") => 2,
        ("Transaction", "Reversal Chargeback") => 3,
        ("Transaction", "Void" | "Partial Void" | "Refund" | "Partial Refund" | "Credit") => 1,
        ("Fee", _) => 4,
        ("Reserve Held", _) => 5,
        ("Reserve Released", _) => 6,
        ("Adjustment", _) => 7,
        _ => anyhow::bail!("an activity that is not known: {activity} {kind}"),
    })
}

/// What a row is about.
fn describe(row: &Value) -> String {
    let of = |name: &str| text(&row[name]);
    match of("activityType").as_str() {
        "Transaction" => format!("{} {}", of("transactionType"), of("transactionId")),
        "Fee" => format!(
            "{} of {} {}",
            of("feeName"),
            of("feeSource"),
            of("processorTransactionId")
        ),
        other => format!("{other} {}", of("processorTransactionId")),
    }
}
