//! How the rounds went: a bar while they go on, what is wrong as it is found, a table of the faults
//! and, in the end, one line.
#![expect(clippy::print_stdout, reason = "the result is what the task is for")]

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};

use super::fault::Fault;
use super::round::{Outcome, Plan};

/// How much of what is wrong in a round is printed; all of it is kept with the round.
const LINES_MAX: usize = 12;

pub(super) struct Report {
    bar: ProgressBar,
    rows: BTreeMap<(Fault, bool), Row>,
}

/// What all rounds of a fault on an engine came to.
#[derive(Default)]
struct Row {
    rounds: usize,
    operations: usize,
    open: usize,
    lost: usize,
    doubled: usize,
    wrong: usize,
    longest: Duration,
    skipped: Option<String>,
}

impl Report {
    pub(super) fn new(plans: &[Plan]) -> Result<Self> {
        let bar = ProgressBar::new(plans.len() as u64);
        let style = "{bar:40} {pos}/{len} rounds, {elapsed}, {msg}";
        bar.set_style(ProgressStyle::with_template(style)?);
        bar.set_message("nothing wrong yet");
        bar.tick();
        Ok(Self {
            bar,
            rows: BTreeMap::new(),
        })
    }

    /// Takes note of a round.
    pub(super) fn add(&mut self, plan: Plan, outcome: Result<Outcome>) {
        let row = self.rows.entry((plan.fault, plan.on_postgres)).or_default();
        match outcome {
            Ok(outcome) => {
                if let Some(why) = outcome.skipped {
                    row.skipped = Some(why);
                } else {
                    row.rounds += 1;
                }
                row.operations += outcome.operations;
                row.open += outcome.open;
                row.lost += outcome.findings.lost.len();
                row.doubled += outcome.findings.doubled.len();
                row.wrong += outcome.findings.wrong.len();
                row.longest = row.longest.max(outcome.took);
                let kept = outcome.kept.map(|kept| kept.display().to_string());
                self.complain(plan, &outcome.findings.lines(), kept.as_deref());
            }
            Err(error) => {
                row.wrong += 1;
                self.complain(
                    plan,
                    &[format!("the round could not be made: {error:#}")],
                    None,
                );
            }
        }
        self.bar.inc(1);
    }

    fn complain(&self, plan: Plan, lines: &[String], kept: Option<&str>) {
        if lines.is_empty() {
            return;
        }
        self.bar.set_message("something is wrong");
        self.bar.suspend(|| {
            let (fault, engine, seed) = (plan.fault.name(), plan.engine(), plan.seed);
            println!(
                "{fault} on {engine}, seed {seed}, kept in {}:",
                kept.unwrap_or("nothing")
            );
            for line in lines.iter().take(LINES_MAX) {
                println!("    {line}");
            }
            if lines.len() > LINES_MAX {
                println!("    and {} more", lines.len() - LINES_MAX);
            }
        });
    }

    /// Prints the result; says whether nothing is wrong.
    pub(super) fn finish(self, took: Duration) -> Result<bool> {
        self.bar.finish_and_clear();
        let cores = std::thread::available_parallelism()?.get();
        println!("\n{}\n", self.table());
        for ((fault, on_postgres), row) in &self.rows {
            if let Some(why) = &row.skipped {
                let engine = if *on_postgres { "PostgreSQL" } else { "SQLite" };
                println!("skipped: {} on {engine}: {why}", fault.name());
            }
        }
        let sum = |of: fn(&Row) -> usize| self.rows.values().map(of).sum::<usize>();
        let (lost, doubled, wrong) = (
            sum(|row| row.lost),
            sum(|row| row.doubled),
            sum(|row| row.wrong),
        );
        println!(
            "{} s on {cores} cores; {wrong} wrong otherwise",
            took.as_secs()
        );
        println!(
            "rounds {}, operations {}, lost {lost}, doubled {doubled}",
            self.rounds(),
            sum(|row| row.operations)
        );
        Ok(lost + doubled + wrong == 0)
    }

    /// How many rounds were asked for: those of kills. The other faults come along, unless they are
    /// all that was asked for.
    fn rounds(&self) -> usize {
        let has_kills = self.rows.keys().any(|(fault, _)| fault.is_kill());
        let rows = self.rows.iter();
        let asked_for = rows.filter(|((fault, _), _)| fault.is_kill() || !has_kills);
        asked_for.map(|(_, row)| row.rounds).sum()
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN);
        table.set_header([
            "fault",
            "engine",
            "rounds",
            "operations",
            "open",
            "lost",
            "doubled",
            "wrong",
            "longest s",
        ]);
        for ((fault, on_postgres), row) in &self.rows {
            let engine = if *on_postgres { "PostgreSQL" } else { "SQLite" };
            table.add_row([
                fault.name().to_owned(),
                engine.to_owned(),
                row.rounds.to_string(),
                row.operations.to_string(),
                row.open.to_string(),
                row.lost.to_string(),
                row.doubled.to_string(),
                row.wrong.to_string(),
                row.longest.as_secs().to_string(),
            ]);
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}
