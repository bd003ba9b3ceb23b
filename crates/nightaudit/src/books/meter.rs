//! How far something is: a bar where people read that, lines of the log elsewhere.

use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use crate::error::CommandError;
use crate::output;

/// What takes so many steps or more is told of by tenths in the log.
const STEPS_MIN: u64 = 10;

/// Shows how far something is.
pub(crate) struct Meter {
    bar: Option<ProgressBar>,
    counted: ProgressStyle,
    uncounted: ProgressStyle,
    /// What was told last, and how many tenths of it.
    told: Mutex<(String, u64)>,
}

impl Meter {
    pub(crate) fn new() -> Result<Self, CommandError> {
        let style = |template| ProgressStyle::with_template(template).map_err(anyhow::Error::from);
        Ok(Self {
            bar: io::stderr().is_terminal().then(ProgressBar::no_length),
            counted: style("{elapsed_precise} {wide_bar} {human_pos}/{human_len}  {msg}")?,
            uncounted: style("{elapsed_precise} {human_pos}  {msg}")?,
            told: Mutex::default(),
        })
    }

    /// So much of something is done.
    pub(crate) fn show(&self, what: &str, done: u64, total: Option<u64>) {
        match &self.bar {
            Some(bar) => self.draw(bar, what, done, total),
            None => self.log(what, done, total),
        }
    }

    fn draw(&self, bar: &ProgressBar, what: &str, done: u64, total: Option<u64>) {
        match total {
            Some(total) => {
                bar.set_style(self.counted.clone());
                bar.set_length(total);
            }
            None => bar.set_style(self.uncounted.clone()),
        }
        bar.set_position(done);
        bar.set_message(output::readable(what).into_owned());
    }

    fn log(&self, what: &str, done: u64, total: Option<u64>) {
        let tenths = tenths(done, total);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if (told.0.as_str(), told.1) != (what, tenths) {
            *told = (what.to_owned(), tenths);
            let of = total.map(|total| format!(" of {total}"));
            tracing::info!("{what}: {done}{}", of.unwrap_or_default());
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How many tenths are done, of what has that many steps.
fn tenths(done: u64, total: Option<u64>) -> u64 {
    match total {
        Some(total) if total >= STEPS_MIN => done.saturating_mul(10) / total,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::tenths;

    #[test]
    fn whatever_has_ten_steps_or_more_is_told_of_ten_times() {
        for total in [10, 24, 999, 1_000_000] {
            let mut told: Vec<u64> = (0..=total).map(|done| tenths(done, Some(total))).collect();
            told.dedup();
            assert_eq!(told, (0..=10).collect::<Vec<_>>(), "{total}");
        }
        assert!((0..=9).all(|done| tenths(done, Some(9)) == 0));
        assert_eq!(tenths(1_000, None), 0);
    }
}
