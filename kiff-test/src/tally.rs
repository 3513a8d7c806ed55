//! What came of the runs of each action, over all histories.

use std::collections::BTreeMap;

use kiff::Failure;

/// How often executors answered, and how often they failed, by the names of their actions.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<String, Runs>);

#[derive(Debug, Default)]
struct Runs {
    answered: usize,
    failed: usize,
    /// What the last one said that failed.
    last: String,
}

impl Tally {
    pub(crate) fn answered(&mut self, action: &str) {
        self.0.entry(action.to_owned()).or_default().answered += 1;
    }

    pub(crate) fn failed(&mut self, action: &str, failure: &Failure) {
        let runs = self.0.entry(action.to_owned()).or_default();
        runs.failed += 1;
        runs.last = format!("{}: {}", failure.code(), failure.message());
    }

    /// Adds what came of the runs of one more history.
    pub(crate) fn add(&mut self, other: Self) {
        for (action, more) in other.0 {
            let runs = self.0.entry(action).or_default();
            runs.answered += more.answered;
            runs.failed += more.failed;
            if more.failed > 0 {
                runs.last = more.last;
            }
        }
    }

    /// The actions that were started often and that no executor ever answered, each in a sentence, without those that may fail each
    /// time.
    pub(crate) fn unanswered(&self, failing: &[String]) -> Vec<String> {
        /// Fewer runs may all fail by chance, where services fail now and then.
        const OFTEN: usize = 8;
        let is_untested = |runs: &Runs| runs.answered == 0 && runs.failed >= OFTEN;
        let unanswered = self.0.iter().filter(|(action, runs)| is_untested(runs) && !failing.contains(action));
        let sentence = |(action, runs): (&String, &Runs)| {
            let (count, last) = (runs.failed, &runs.last);
            format!("`{action}` was started {count} times and always failed; last: {last}")
        };
        unanswered.map(sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use kiff::Failure;

    use super::Tally;

    #[test]
    fn an_action_is_unanswered_only_where_it_failed_often() {
        let failed = |times: usize| {
            let mut tally = Tally::default();
            (0..times).for_each(|_| tally.failed("MARK_PAID", &Failure::refused("declined")));
            tally
        };
        assert!(failed(1).unanswered(&[]).is_empty() && failed(7).unanswered(&[]).is_empty());
        let told = "`MARK_PAID` was started 8 times and always failed; last: error: declined";
        assert_eq!(failed(8).unanswered(&[]), [told]);
        assert!(failed(8).unanswered(&["MARK_PAID".to_owned()]).is_empty());
        let mut answered = failed(8);
        answered.answered("MARK_PAID");
        assert!(answered.unanswered(&[]).is_empty());
    }
}
