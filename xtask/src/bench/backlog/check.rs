//! Whether each payment of the backlog was charged once, and in its turn: read from the transactions
//! report, as any client reads it.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::client::Client;

/// The days on which anything happened, in business time.
const WINDOW: &str = "startDate=2023-08-14&endDate=2023-08-16";
const PAGE: usize = 100;

/// Checks that each code was charged once; says how many places at most one was charged before or
/// after its turn.
pub(super) async fn each_once(client: &mut Client, codes: &[String]) -> Result<usize> {
    let turns: HashMap<&str, usize> = codes
        .iter()
        .enumerate()
        .map(|(turn, code)| (code.as_str(), turn))
        .collect();
    let mut charged = HashSet::new();
    let (mut displaced, mut seen) = (0, 0);
    loop {
        let path = format!("/v1/payment-transactions/report?{WINDOW}&skip={seen}&take={PAGE}");
        let (status, reply) = client.get(&path).await?;
        ensure!(
            status == 200,
            "{status} {}",
            String::from_utf8_lossy(&reply)
        );
        let rows: Vec<Value> = serde_json::from_slice(&reply)?;
        for row in rows.iter().filter(|row| row["transactionType"] == "Charge") {
            let code = row["reservationConfirmationCode"].as_str();
            let code = code.context("a row of the report has no confirmation code")?;
            // Clients paid meanwhile for other reservations.
            if let Some(turn) = turns.get(code) {
                displaced = displaced.max(turn.abs_diff(charged.len()));
                ensure!(charged.insert(*turn), "{code} was charged twice");
            }
        }
        seen += rows.len();
        if rows.len() < PAGE {
            break;
        }
    }
    let missing = codes.len() - charged.len();
    ensure!(missing == 0, "{missing} payments were not charged");
    Ok(displaced)
}
