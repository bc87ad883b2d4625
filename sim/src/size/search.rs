//! The load at which an objective breaks.

use model::report::{Breaks, Level, LoadKind};
use model::statistics::Estimate;

use super::dial::Dial;
use super::level::{Levels, Tried};
use super::words;
use crate::bounds::bounds;
use crate::engine::Runaway;
use crate::plan::Plan;

/// Two loads that differ by less are the same.
const RESOLUTION: f64 = 1.003;
/// The first look ends with loads that differ by less.
const COARSE: f64 = 1.2;
/// Share of the lowest bound of the operational laws at which a search for a rate starts.
const START: f64 = 0.6;
/// Most doublings of the load.
const DOUBLINGS: u32 = 12;
/// Steps by which the ends of the interval are sought.
const STEP: f64 = 1.03;
/// Most such steps.
const STEPS: u32 = 24;
/// Loads that are tried below and above the answer, as shares of it.
const BELOW: [f64; 4] = [0.1, 0.3, 0.6, 0.85];
const ABOVE: [f64; 2] = [1.5, 3.0];

/// What a search found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) holds: Option<Estimate>,
    pub(super) unbroken: Option<f64>,
    pub(super) throughput: Option<Estimate>,
    pub(super) breaks: Option<Breaks>,
    pub(super) check: Option<Level>,
    pub(super) exceptions: Vec<Level>,
    /// Too few requests are answered, or end in an error, to tell: beyond what was tried, or where
    /// nothing is unbroken as it is.
    pub(super) untold: bool,
    /// At the answer slow requests were still in flight when the counted window ended.
    pub(super) cut_short: bool,
}

/// A search under way.
pub(super) struct Search<'a, 's> {
    pub(super) levels: &'a mut Levels<'s>,
}

/// Loads between which an objective breaks: kept at the first, broken at the second.
enum Bracket {
    Between(f64, f64),
    NeverKept(f64),
    NeverBroken(f64),
    /// Nothing is broken up to here, and of more nothing can be said.
    Untold(f64),
    /// Nothing can be said of the scenario as it is.
    NothingTold,
}

/// How many runs a load is given.
#[derive(Clone, Copy)]
enum Closeness {
    Glance,
    Look,
}

impl Search<'_, '_> {
    pub(super) fn run(mut self) -> Result<Found, Runaway> {
        let (kept, broken) = match self.bracket()? {
            Bracket::Between(kept, broken) => (kept, broken),
            Bracket::NeverKept(least) => {
                let tried = self.levels.look(least)?.clone();
                let breaks = Some(words::breaks(self.levels, &tried));
                return Ok(Found { breaks, ..Found::default() });
            }
            Bracket::NeverBroken(most) => return self.unbroken(most),
            Bracket::NothingTold => return Ok(Found { untold: true, ..Found::default() }),
            Bracket::Untold(most) => {
                return Ok(Found { untold: true, ..self.unbroken(most)? });
            }
        };
        let (kept, broken) = self.narrow(kept, broken, Closeness::Glance, kept_at)?;
        let (mut kept, mut broken) = (kept, broken);
        let mut exceptions = Vec::new();
        // The lowest load below that surely breaks an objective is the new upper end.
        for load in self.below(kept) {
            let tried = self.levels.glance(load)?;
            if load < kept && !tried.level.kept && tried.level.sure && tried.is_enough() {
                exceptions.push(self.levels.look(kept)?.level.clone());
                let lower = self.lower(load)?;
                let Some(lower) = lower else {
                    let tried = self.levels.look(load)?.clone();
                    let breaks = Some(words::breaks(self.levels, &tried));
                    return Ok(Found { breaks, exceptions, ..Found::default() });
                };
                (kept, broken) = self.narrow(lower, load, Closeness::Glance, kept_at)?;
                break;
            }
        }
        let holds = self.interval(kept, broken)?;
        let above: &[f64] = if self.levels.dial.is_load() { &ABOVE } else { &[] };
        for share in above {
            let load = self.levels.round(holds.high * share);
            let tried = self.levels.glance(load)?;
            if load > holds.high && tried.level.kept && tried.level.sure && tried.is_enough() {
                exceptions.push(tried.level.clone());
            }
        }
        let above = self.levels.look(holds.high)?.clone();
        let breaks = words::breaks(self.levels, &above);
        let at = &self.levels.look(holds.value)?.report;
        let (throughput, cut_short) = (at.throughput, at.cut_short);
        let check = self.levels.again(holds.low)?;
        Ok(Found {
            holds: Some(holds),
            unbroken: None,
            throughput: Some(throughput),
            breaks: Some(breaks),
            check: Some(check),
            exceptions,
            untold: false,
            cut_short,
        })
    }

    /// All objectives are kept at the most that was tried.
    fn unbroken(&mut self, most: f64) -> Result<Found, Runaway> {
        let at = &self.levels.look(most)?.report;
        let (throughput, cut_short) = (Some(at.throughput), at.cut_short);
        Ok(Found { unbroken: Some(most), throughput, cut_short, ..Found::default() })
    }

    /// Values below one that keeps all, which might not. What is turned up from the scenario as it is
    /// is of no interest below that.
    fn below(&self, kept: f64) -> Vec<f64> {
        let from = if self.levels.dial.is_load() || kept < 1.0 { 0.0 } else { 1.0 };
        let all = BELOW.map(|share| self.levels.round(kept * share));
        all.into_iter().filter(|load| *load > from).collect()
    }

    /// A load to start from: what the file says, or for a rate what the operational laws allow.
    fn start(&self) -> f64 {
        let scenario = self.levels.scenario;
        let Dial::Load(kind) = self.levels.dial else { return 1.0 };
        let written = scenario.load.source.profile().map_or(1.0, |profile| profile.start);
        let plan = Plan::new(scenario, scenario.seed);
        let least = bounds(scenario, &plan).iter().map(|bound| bound.throughput).reduce(f64::min);
        match (kind, least) {
            (LoadKind::Rate, Some(least)) if least > 0.0 && least.is_finite() => START * least,
            _ if written > 0.0 => written,
            _ => 1.0,
        }
    }

    fn bracket(&mut self) -> Result<Bracket, Runaway> {
        let mut load = self.levels.round(self.start());
        let (_, most) = self.levels.dial.ends(self.levels.scenario);
        // Requests that take longer than a run leave nothing to judge; a higher load never does that.
        let tells = |dial: Dial, tried: &Tried| dial.is_load() || tried.is_enough();
        let first = self.levels.glance(load)?.clone();
        if !tells(self.levels.dial, &first) {
            return Ok(Bracket::NothingTold);
        }
        if kept_at(&first) {
            for _ in 0..DOUBLINGS {
                let more = self.levels.round(2.0 * load);
                if more > most {
                    break;
                }
                let dial = self.levels.dial;
                let tried = self.levels.glance(more)?;
                if !tells(dial, tried) {
                    return Ok(Bracket::Untold(load));
                }
                if !kept_at(tried) {
                    return Ok(Bracket::Between(load, more));
                }
                load = more;
            }
            return Ok(Bracket::NeverBroken(load));
        }
        Ok(match self.lower(load)? {
            Some(kept) => {
                let broken = self.lowest_broken_above(kept, load);
                Bracket::Between(kept, broken)
            }
            None => Bracket::NeverKept(self.least(load)),
        })
    }

    /// The highest load of halves of `load` that keeps all.
    fn lower(&mut self, load: f64) -> Result<Option<f64>, Runaway> {
        let mut load = load;
        let (least, _) = self.levels.dial.ends(self.levels.scenario);
        loop {
            let less = self.levels.round(load / 2.0);
            if less >= load || less < least {
                return Ok(None);
            }
            let tried = self.levels.glance(less)?;
            // Of too few answers nothing can be said.
            if !tried.is_enough() && !tried.level.kept {
                return Ok(None);
            }
            if kept_at(tried) {
                return Ok(Some(less));
            }
            load = less;
        }
    }

    fn lowest_broken_above(&self, kept: f64, otherwise: f64) -> f64 {
        let broken = self.levels.tried().into_iter().filter(|one| one.load > kept && !one.kept);
        broken.map(|one| one.load).next().unwrap_or(otherwise)
    }

    /// The lowest load that was tried, and told enough.
    fn least(&self, otherwise: f64) -> f64 {
        let tried = self.levels.tried();
        let told = |one: &&Level| one.objectives.iter().any(|judged| judged.value.is_some());
        tried.iter().find(told).map_or(otherwise, |one| one.load)
    }

    /// Loads between `low`, for which `holds` is true, and `high`, for which it is not, as near to
    /// each other as they are told apart.
    fn narrow(
        &mut self,
        mut low: f64,
        mut high: f64,
        closeness: Closeness,
        holds: fn(&Tried) -> bool,
    ) -> Result<(f64, f64), Runaway> {
        let ratio = match closeness {
            Closeness::Glance => COARSE,
            Closeness::Look => RESOLUTION,
        };
        while high / low > ratio {
            let middle = self.levels.round(libm::sqrt(low * high));
            if middle <= low || middle >= high {
                // Whole users between which the root rounds to one of them.
                let next = low + 1.0;
                if !self.levels.dial.is_users() || next >= high {
                    break;
                }
                match holds(self.at(closeness, next)?) {
                    true => low = next,
                    false => high = next,
                }
                continue;
            }
            match holds(self.at(closeness, middle)?) {
                true => low = middle,
                false => high = middle,
            }
        }
        Ok((low, high))
    }

    fn at(&mut self, closeness: Closeness, load: f64) -> Result<&Tried, Runaway> {
        match closeness {
            Closeness::Glance => self.levels.glance(load),
            Closeness::Look => self.levels.look(load),
        }
    }

    /// The answer between two loads, and the loads at which it is sure.
    fn interval(&mut self, kept: f64, broken: f64) -> Result<Estimate, Runaway> {
        let step = |levels: &Levels<'_>, load: f64, up: bool| {
            let next = levels.round(if up { load * STEP } else { load / STEP });
            match (levels.dial.is_users(), up) {
                (true, true) => next.max(load + 1.0),
                (true, false) => next.min(load - 1.0).max(1.0),
                (false, _) => next,
            }
        };
        let (mut low, mut high) = (kept, broken);
        for _ in 0..STEPS {
            if surely_kept(self.levels.look(low)?) || low == step(self.levels, low, false) {
                break;
            }
            low = step(self.levels, low, false);
        }
        for _ in 0..STEPS {
            if surely_broken(self.levels.look(high)?) {
                break;
            }
            high = step(self.levels, high, true);
        }
        let (value, _) = self.narrow(low, high, Closeness::Look, kept_at)?;
        let (low, _) = self.narrow(low, high, Closeness::Look, surely_kept)?;
        let (_, high) = self.narrow(value, high, Closeness::Look, may_be_kept)?;
        Ok(Estimate { value, low: low.min(value), high })
    }
}

fn kept_at(tried: &Tried) -> bool {
    tried.level.kept
}

fn surely_kept(tried: &Tried) -> bool {
    tried.level.kept && tried.level.sure
}

fn surely_broken(tried: &Tried) -> bool {
    !tried.level.kept && tried.level.sure
}

fn may_be_kept(tried: &Tried) -> bool {
    !surely_broken(tried)
}
