//! What a round has found to be wrong.

/// Each in words.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What was acknowledged, moved or due to be told, and is not there.
    pub(super) lost: Vec<String>,
    /// What happened twice.
    pub(super) doubled: Vec<String>,
    /// What does not agree, or was said and never may be.
    pub(super) wrong: Vec<String>,
}

impl Findings {
    pub(super) fn lost(&mut self, what: impl Into<String>) {
        self.lost.push(what.into());
    }

    pub(super) fn doubled(&mut self, what: impl Into<String>) {
        self.doubled.push(what.into());
    }

    pub(super) fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && self.wrong.is_empty()
    }

    /// All of them, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let lists = [
            ("lost", &self.lost),
            ("doubled", &self.doubled),
            ("wrong", &self.wrong),
        ];
        let line = |(kind, list): (&str, &Vec<String>)| {
            let line = |what: &String| format!("{kind}: {what}");
            list.iter().map(line).collect::<Vec<_>>()
        };
        lists.into_iter().flat_map(line).collect()
    }
}
