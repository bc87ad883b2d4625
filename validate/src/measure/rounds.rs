//! How many rounds are measured: a fixed number of each scenario, or as many as decide it within a
//! budget of time.

use std::time::Duration;

use live::Interrupt;
use live::clock;
use live::watch::Came;
use model::report::Report;
use model::statistics::t_quantile;
use render::number;

use super::predict::MOST_ROUNDS;
use crate::judge::comparison::{Comparison, Row};
use crate::judge::standing::{Standing, undecided};

/// Compares the scenario of this number, measured in so many rounds, with its prediction; none if that
/// fails.
pub(crate) type Judge<'a> = Box<dyn FnMut(usize, &Report) -> Option<Comparison> + Send + 'a>;

/// Decides after each round which scenario is measured next.
pub(crate) struct Decider<'a> {
    budget: Duration,
    interrupt: &'a Interrupt,
    judge: Judge<'a>,
    /// When it began, on the kernel's clock, in nanoseconds.
    began: u64,
    /// When the last answer was given.
    since: Option<u64>,
    scenarios: Vec<Looked>,
}

/// What is known of a scenario.
#[derive(Clone, Debug, Default)]
struct Looked {
    rounds: usize,
    /// The comparison of all rounds, and the one without the last of them.
    now: Option<Comparison>,
    before: Option<Comparison>,
    /// The longest of its rounds.
    round: Duration,
}

impl<'a> Decider<'a> {
    /// For so many scenarios. The time begins now.
    pub(crate) fn new(
        scenarios: usize,
        budget: Duration,
        interrupt: &'a Interrupt,
        judge: Judge<'a>,
    ) -> Decider<'a> {
        let scenarios = vec![Looked::default(); scenarios];
        Decider { budget, interrupt, judge, began: clock::now(), since: None, scenarios }
    }

    /// Takes in what has come, and says what is measured next; none if all is decided or the time does
    /// not allow another round.
    pub(crate) fn next(&mut self, came: Vec<Came>) -> Option<usize> {
        let now = clock::now();
        let rounds: u32 = came.iter().map(|one| one.report.run.replications.max(1)).sum();
        // Of the first rounds the mean is known; of later ones, each.
        let length = match self.since {
            Some(since) => Duration::from_nanos(now.saturating_sub(since)),
            None => self.passed(now) / rounds.max(1),
        };
        for Came { scenario, report } in came {
            let compared = (self.judge)(scenario, &report);
            if let Some(looked) = self.scenarios.get_mut(scenario) {
                looked.take(compared, report.run.replications as usize, length);
            }
        }
        let now = clock::now();
        let next = self.undecided(self.passed(now));
        self.since = Some(now);
        next.filter(|_| !self.interrupt.is_set())
    }

    fn passed(&self, now: u64) -> Duration {
        Duration::from_nanos(now.saturating_sub(self.began))
    }

    /// What is measured next when so much time has passed: what is open before what is unsound, and
    /// what has the fewest rounds first.
    fn undecided(&self, passed: Duration) -> Option<usize> {
        let fits = |looked: &Looked| passed + looked.round <= self.budget;
        let may = |looked: &Looked| looked.rounds < MOST_ROUNDS as usize && fits(looked);
        let all = self.scenarios.iter().enumerate();
        let open = all.filter(|(_, looked)| looked.standing() != Standing::Decided && may(looked));
        open.min_by_key(|(_, looked)| (looked.standing(), looked.rounds)).map(|(index, _)| index)
    }

    /// What is to be said of each scenario that is not decided.
    pub(crate) fn sentences(&self) -> Vec<Option<String>> {
        self.scenarios.iter().map(|looked| looked.sentence(self.budget)).collect()
    }
}

impl Looked {
    fn take(&mut self, compared: Option<Comparison>, rounds: usize, length: Duration) {
        let before = std::mem::replace(&mut self.now, compared);
        self.before = before;
        self.rounds = rounds;
        self.round = self.round.max(length);
    }

    fn standing(&self) -> Standing {
        let Some(now) = &self.now else { return Standing::Decided };
        Standing::of(now, self.before.as_ref())
    }

    fn sentence(&self, budget: Duration) -> Option<String> {
        let now = self.now.as_ref().filter(|_| self.standing() == Standing::Open)?;
        let ended = match self.rounds >= MOST_ROUNDS as usize {
            true => format!("the most rounds there can be, {MOST_ROUNDS}, were measured"),
            false => format!(
                "the budget of {} is used up after {} rounds",
                number::time(budget.as_secs_f64()),
                self.rounds
            ),
        };
        let rows: Vec<&Row> = undecided(now, self.before.as_ref()).collect();
        let needed = rows.iter().filter_map(|row| needed(row, self.rounds)).max();
        let more = match needed {
            Some(rounds) if rounds <= MOST_ROUNDS as usize => {
                format!("; about {rounds} rounds of this length would decide it")
            }
            Some(_) => "; lengthen --duration, which makes each round sharper".to_string(),
            None => String::new(),
        };
        Some(format!("{ended}, and not every number is decided{more}"))
    }
}

/// How many rounds make the noise of a number as small as its tolerance, if it is `rounds` that know
/// it as they do: half a t interval shrinks with the root of the rounds. None if its noise is not what
/// is in the way.
fn needed(row: &Row, rounds: usize) -> Option<usize> {
    let margin = row.margin.filter(|margin| *margin > row.tolerance && rounds > 1)?;
    let half = |n: usize| t_quantile((n - 1) as f64, 0.95) / (n as f64).sqrt();
    let wanted = half(rounds) * row.tolerance / margin;
    (rounds + 1..=MOST_ROUNDS as usize + 1).find(|&n| half(n) <= wanted || n > MOST_ROUNDS as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::comparison::Scope;
    use crate::judge::judgement::Judgement;
    use crate::judge::metric::{Metric, Unit};

    fn row(margin: f64) -> Row {
        Row {
            scope: Scope::Overall,
            metric: Metric::P99,
            error_kind: None,
            headline: true,
            predicted: None,
            measured: None,
            unit: Unit::Relative,
            error: Some(0.0),
            noise: None,
            margin: Some(margin),
            paired: true,
            tolerance: 0.1,
            verdict: Judgement::WithinNoise,
            why: None,
        }
    }

    /// A report of so many rounds, and what a comparison with it says of its one headline number.
    fn reported(rounds: u32) -> Report {
        let text = r#"
            load = { users = 5, warmup = "1s", duration = "1s" }
            service.concurrency = "async"
            endpoint = [{ name = "hello", weight = 1 }]
            costs.cpu.request = "2ms"
        "#;
        let resolved = model::read::load_text("shop", text, &[]).expect("a valid scenario");
        let mut report = super::super::predict::predict(&resolved, None, 2).expect("it ends");
        report.run.replications = rounds;
        report
    }

    fn compared(report: &Report, verdict: Judgement, doubts: Vec<String>) -> Comparison {
        let measured = Report { kind: model::report::Kind::Measured, ..report.clone() };
        let compared = crate::compare(report, &measured, &crate::Tolerances::default());
        let mut compared = compared.expect("one scenario");
        compared.rows.retain(|row| row.headline && row.metric == Metric::P99);
        compared.rows.iter_mut().for_each(|row| row.verdict = verdict);
        compared.doubts = doubts;
        compared
    }

    /// What is measured next after these rounds of each scenario have come, at once.
    fn next(came: &[(u32, Judgement, bool)], budget: Duration) -> Option<usize> {
        let interrupt = Interrupt::listen().expect("signals");
        let one = reported(2);
        let judge = |index: usize, report: &Report| {
            let (_, verdict, unsound) = came[index];
            Some(compared(
                report,
                verdict,
                unsound.then(|| "busy".to_string()).into_iter().collect(),
            ))
        };
        let mut decider = Decider::new(came.len(), budget, &interrupt, Box::new(judge));
        let all = came.iter().enumerate().map(|(scenario, (rounds, ..))| {
            let mut report = one.clone();
            report.run.replications = *rounds;
            Came { scenario, report }
        });
        decider.next(all.collect())
    }

    #[test]
    fn what_is_open_has_its_turn_before_what_is_unsound_and_few_rounds_before_many() {
        use Judgement::{Agree, WithinNoise};
        let hour = Duration::from_secs(3600);
        let open = (5, WithinNoise, false);
        let most = (MOST_ROUNDS, WithinNoise, false);
        let unsound = (2, Agree, true);
        let decided = (2, Agree, false);
        assert_eq!(next(&[decided, unsound, open, (4, WithinNoise, false)], hour), Some(3));
        assert_eq!(next(&[decided, unsound, open], hour), Some(2));
        assert_eq!(next(&[decided, unsound, most], hour), Some(1));
        assert_eq!(next(&[decided, decided], hour), None);
        assert_eq!(next(&[open, open], hour), Some(0));
        assert_eq!(next(&[open, open], Duration::ZERO), None, "there is no time for it");
    }

    #[test]
    fn how_many_rounds_it_takes_follows_from_the_noise() {
        // 3 rounds know it to 2.48 standard deviations, 5 to 1.24: half of that.
        assert_eq!(needed(&row(0.2), 3), Some(5));
        assert_eq!(needed(&row(0.12), 3), Some(4));
        assert_eq!(needed(&row(5.0), 3), Some(MOST_ROUNDS as usize + 1));
        assert_eq!(needed(&row(0.05), 3), None);
    }
}
