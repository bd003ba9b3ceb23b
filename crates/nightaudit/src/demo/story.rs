//! The demo's story: posting a guest payment as the Open API's guide tells it, and what follows
//! from it, each step a real request whose reply is checked.

use std::io::Write;

use anyhow::{Context, Result, ensure};
use owo_colors::{OwoColorize, Stream};
use serde_json::{Value, json};

use super::accountant::Accountant;
use super::client::{Client, Exchange};
use super::receiver::Receiver;

/// The guide's own guest, reservation and payment method (the fixture `guesty-docs`).
const GUEST: &str = "64da2084867c12ee0c2ca47f";
pub(super) const RESERVATION: &str = "64da254383ad1500284bd0c0";
pub(super) const METHOD: &str = "64da2367d8d9771c02befbb2";

/// Tells the story against a running server, step by step.
///
/// # Errors
/// The first step whose reply is not what it should be, with the reply.
pub(crate) async fn tell(
    client: &Client,
    receiver: &mut Receiver,
    accountant: &Accountant<'_>,
    out: &mut (impl Write + Send),
) -> Result<()> {
    let mut teller = Teller {
        client,
        out,
        step: 0,
    };
    let secret = teller.subscribe(receiver).await?;
    teller.methods().await?;
    teller.schedule().await?;
    teller.pay().await?;
    let captured = teller.hold_and_capture().await?;
    teller.refund(&captured).await?;
    teller.decline().await?;
    teller.balance().await?;
    teller.report().await?;
    teller.webhooks(receiver, &secret).await?;
    teller.payout().await?;
    teller.books(accountant).await
}

pub(super) struct Teller<'a, W> {
    pub(super) client: &'a Client,
    pub(super) out: &'a mut W,
    step: usize,
}

/// What the story brings about, in any order, as webhooks tell it.
const EVENTS: [(&str, &str); 4] = [
    ("payments.received", "500"),
    ("payments.received", "120.5"),
    ("payments.refunded", "20.5"),
    ("payments.failed", "80"),
];

impl<W: Write + Send> Teller<'_, W> {
    async fn subscribe(&mut self, receiver: &Receiver) -> Result<String> {
        self.title("Subscribe to what happens to payments")?;
        let mut events: Vec<&str> = EVENTS.iter().map(|(event, _)| *event).collect();
        events.dedup();
        let new = json!({"url": receiver.url(), "events": events});
        let made = self.client.post("/v1/webhooks", &new).await?;
        let line = format!("webhook {}", text(&made.expect(201)?["_id"]));
        self.show(&made, &[line])?;
        let path = format!("/v1/webhooks-v2/secret?url={}", receiver.url());
        let read = self.client.get(&path).await?;
        let secret = text(&read.expect(200)?["key"]);
        self.show(
            &read,
            &["the secret that its messages are signed with".to_owned()],
        )?;
        Ok(secret)
    }

    async fn webhooks(&mut self, receiver: &mut Receiver, secret: &str) -> Result<()> {
        self.title("Signed webhooks have told each of it, once")?;
        let mut expected = EVENTS.to_vec();
        while !expected.is_empty() {
            let told = receiver.next(secret).await?;
            let (event, payment) = (text(&told["event"]), &told["payment"]);
            let amount = payment.get("refundAmount").unwrap_or(&payment["amount"]);
            let amount = amount.to_string();
            let known = expected.iter().position(|one| *one == (&*event, &*amount));
            let known = known.with_context(|| format!("a webhook told {event} of {amount}"))?;
            expected.remove(known);
            let (currency, id) = (text(&payment["currency"]), text(&payment["paymentId"]));
            writeln!(
                self.out,
                "    {event:<18} {amount:>6} {currency}  payment {id}"
            )?;
        }
        Ok(())
    }

    async fn methods(&mut self) -> Result<()> {
        self.title("The guest's payment methods")?;
        let path = format!("/v1/guests/{GUEST}/payment-methods");
        let listed = self.client.get(&path).await?;
        let methods = listed
            .expect(200)?
            .as_array()
            .context("a list of methods")?;
        ensure!(!methods.is_empty(), "the guest has no payment method");
        let lines = methods.iter().map(|method| {
            let of = |name: &str| text(&method[name]);
            format!(
                "{}  {}  {} •••• {}",
                of("_id"),
                of("method"),
                of("brand"),
                of("last4")
            )
        });
        let lines: Vec<String> = lines.collect();
        self.show(&listed, &lines)
    }

    async fn schedule(&mut self) -> Result<()> {
        self.title("Schedule 1,200.00 for later")?;
        let posted = self
            .post_payment(&json!({
                "paymentMethod": {"method": "AMARYLLIS", "saveForFutureUse": true, "id": METHOD},
                "amount": 1200,
                "shouldBePaidAt": "2023-09-01T12:00:00.000Z",
                "note": "Second installment",
            }))
            .await?;
        let payment = newest(&posted, "PENDING")?;
        let when = text(&payment["shouldBePaidAt"]);
        self.show(
            &posted,
            &[summary(&payment), format!("will be charged at {when}")],
        )
    }

    async fn pay(&mut self) -> Result<()> {
        self.title("Pay 500.00 now")?;
        let posted = self
            .post_payment(&json!({
                "paymentMethod": {"method": "AMARYLLIS", "saveForFutureUse": true, "id": METHOD},
                "amount": 500,
                "note": "Deposit",
            }))
            .await?;
        let payment = newest(&posted, "SUCCEEDED")?;
        let at = text(&payment["paidAt"]);
        let id = text(&payment["confirmationCode"]);
        self.show(
            &posted,
            &[
                summary(&payment),
                format!("paid at {at}, at the processor {id}"),
            ],
        )
    }

    async fn hold_and_capture(&mut self) -> Result<Value> {
        self.title("Hold 300.00 on the card")?;
        let posted = self
            .post_payment(&json!({
                "paymentMethod": {"method": "STRIPE", "id": METHOD},
                "amount": 300,
                "isAuthorizationHold": true,
                "note": "Security deposit",
            }))
            .await?;
        let hold = newest(&posted, "AUTHORIZATION_HOLD_SUCCEEDED")?;
        self.show(&posted, &[summary(&hold)])?;

        self.title("Capture 120.50 of it; the rest is released")?;
        let path = format!("{}/{}/capture", payments_path(), text(&hold["_id"]));
        let captured = self.client.post(&path, &json!({"amount": 120.50})).await?;
        let payment = newest(&captured, "SUCCEEDED")?;
        let taken = &payment["authorizationHoldCaptures"][0]["amount"];
        ensure!(*taken == json!(120.5), "captured {taken} instead of 120.5");
        self.show(
            &captured,
            &[summary(&payment), format!("captured {taken} of it")],
        )?;
        Ok(payment)
    }

    async fn refund(&mut self, payment: &Value) -> Result<()> {
        self.title("Refund 20.50 of what was captured")?;
        let path = format!("{}/{}/refund", payments_path(), text(&payment["_id"]));
        let body = json!({"amount": 20.50, "note": "Goodwill"});
        let refunded = self.client.post(&path, &body).await?;
        let payment = newest(&refunded, "SUCCEEDED")?;
        let refund = &payment["refunds"][0];
        ensure!(
            text(&refund["status"]) == "SUCCEEDED",
            "the refund is {}",
            refund["status"]
        );
        let line = format!(
            "refund {} {} USD",
            text(&refund["status"]),
            refund["amount"]
        );
        self.show(&refunded, &[line])
    }

    async fn decline(&mut self) -> Result<()> {
        self.title("A card that will be declined")?;
        let path = format!("/v1/guests/{GUEST}/payment-methods");
        let body = json!({"stripeCardToken": "pm_card_visa_chargeDeclined"});
        let made = self.client.post(&path, &body).await?;
        let method = text(&made.expect(201)?["_id"]);
        self.show(&made, &[format!("payment method {method}")])?;

        self.title("Charging it fails, and says why")?;
        let posted = self
            .post_payment(&json!({
                "paymentMethod": {"method": "STRIPE", "id": method},
                "amount": 80,
            }))
            .await?;
        let payment = newest(&posted, "FAILED")?;
        let why = text(&payment["attempts"][0]["error"]);
        self.show(&posted, &[summary(&payment), why])
    }

    async fn balance(&mut self) -> Result<()> {
        self.title("The reservation's balance follows")?;
        let path = format!("/v1/reservations/{RESERVATION}?fields=money");
        let read = self.client.get(&path).await?;
        let money = &read.expect(200)?["money"];
        ensure!(
            money["totalPaid"] == json!(620.5),
            "totalPaid is {}",
            money["totalPaid"]
        );
        ensure!(
            money["totalRefunded"] == json!(20.5),
            "totalRefunded is {}",
            money["totalRefunded"]
        );
        let line = format!(
            "paid {}, refunded {}, balance due {} {}",
            money["totalPaid"],
            money["totalRefunded"],
            money["balanceDue"],
            text(&money["currency"]),
        );
        self.show(&read, &[line])
    }

    async fn report(&mut self) -> Result<()> {
        self.title("The payment transactions report shows what the processor did")?;
        let path =
            "/v1/payment-transactions/report?startDate=2023-08-14&endDate=2023-08-15&take=100";
        let read = self.client.get(path).await?;
        let rows = read
            .expect(200)?
            .as_array()
            .context("a list of transactions")?;
        let shown: Vec<(String, String, String)> = rows
            .iter()
            .map(|row| {
                (
                    text(&row["transactionType"]),
                    text(&row["status"]),
                    row["amount"].to_string(),
                )
            })
            .collect();
        for (kind, status, amount) in [
            ("Charge", "Processed", "500.00"),
            ("Authorization", "Processed", "300.00"),
            ("Partial Capture", "Processed", "120.50"),
            // Of a sale of the same day.
            ("Partial Void", "Processed", "20.50"),
            ("Charge", "Declined", "80.00"),
        ] {
            let is = |row: &(String, String, String)| {
                row.0 == kind && row.1 == status && row.2 == amount
            };
            ensure!(
                shown.iter().any(is),
                "the report lacks {kind} {status} {amount}"
            );
        }
        let lines: Vec<String> = rows
            .iter()
            .map(|row| {
                let of = |name: &str| text(&row[name]);
                format!(
                    "{}  {:<16} {:<9} {:>8} {}  {}  {}",
                    of("merchantDate"),
                    of("transactionType"),
                    of("status"),
                    row["amount"],
                    of("currency"),
                    of("transactionId"),
                    of("authorizationOrErrorCode"),
                )
            })
            .collect();
        self.show(&read, &lines)
    }

    pub(super) async fn post_payment(&self, body: &Value) -> Result<Exchange> {
        self.client.post(&payments_path(), body).await
    }

    pub(super) fn title(&mut self, title: &str) -> Result<()> {
        self.step += 1;
        let number = format!("{:>2}.", self.step);
        let title = title.if_supports_color(Stream::Stdout, |text| text.bold());
        writeln!(self.out, "\n{number} {title}")?;
        Ok(())
    }

    /// The request, and what its reply says.
    pub(super) fn show(&mut self, exchange: &Exchange, lines: &[String]) -> Result<()> {
        let request = exchange.request();
        writeln!(
            self.out,
            "    {}",
            request.if_supports_color(Stream::Stdout, |t| t.cyan())
        )?;
        if let Some(body) = &exchange.sent {
            writeln!(
                self.out,
                "    {}",
                body.if_supports_color(Stream::Stdout, |t| t.dimmed())
            )?;
        }
        let mark = exchange.status.to_string();
        let mark = mark.if_supports_color(Stream::Stdout, |t| t.green());
        for (number, line) in lines.iter().enumerate() {
            if number == 0 {
                writeln!(self.out, "    → {mark}  {line}")?;
            } else {
                writeln!(self.out, "           {line}")?;
            }
        }
        Ok(())
    }
}

fn payments_path() -> String {
    format!("/v1/reservations/{RESERVATION}/payments")
}

/// The payment that was posted last, which must be in this state.
pub(super) fn newest(exchange: &Exchange, status: &str) -> Result<Value> {
    let reply = exchange.expect(if exchange.status == 200 { 200 } else { 201 })?;
    let payments = reply["money"]["payments"]
        .as_array()
        .context("a list of payments")?;
    let payment = payments.last().context("no payment in the reply")?;
    ensure!(
        payment["status"] == status,
        "the payment is {}, not {status}",
        payment["status"]
    );
    Ok(payment.clone())
}

pub(super) fn summary(payment: &Value) -> String {
    let of = |name: &str| text(&payment[name]);
    format!(
        "{}  {} {}  payment {}",
        of("status"),
        payment["amount"],
        of("currency"),
        of("_id")
    )
}

/// A text without its quotes; anything else as JSON.
pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
