//! What the estimators see: windows of requests counted beside the CPU that was used.

/// A window with this share of its processors busy is full.
const FULL: f64 = 0.95;

/// Windows of one length in which requests were counted beside the CPU that was used.
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    /// Seconds of each window. Best 20 times the response time and more.
    pub length: f64,
    /// Processors that the service's processes may use together.
    pub processors: u32,
    /// What a count counts.
    pub counted: Counted,
    /// Names of the classes of requests, in the order of [`Window::classes`].
    pub classes: Vec<String>,
    /// The windows, by time. A window whose requests are not known is left out.
    pub windows: Vec<Window>,
}

/// What a count counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Requests that came in the window.
    Arrivals,
    /// Requests that were answered in the window: what an access log knows.
    Completions,
    /// Of each request the part of its stay that lies in the window. Best where both ends are known,
    /// as the CPU of a request is used while it stays.
    Parts,
}

/// One window.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Window {
    /// Its start in seconds, from any one origin: where windows are missing, starts have a gap.
    pub start: f64,
    /// CPU seconds that the service's processes used in it; none where that is not known.
    pub cpu: Option<f64>,
    /// The observations of each class.
    pub classes: Vec<Seen>,
}

/// The observations of one class in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// Requests, as [`Windows::counted`] says.
    pub requests: f64,
    /// Mean response time of the requests that were answered in the window, in seconds; none where
    /// that is not known.
    pub response: Option<f64>,
    /// Requests of any class in flight when one of this class came, without itself: the mean over those
    /// whose response time is in `response`. None where that is not known.
    pub in_flight: Option<f64>,
}

/// One request: where its start and its end are known, see [`super::complete_information`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stay {
    /// Its class, a place in a list of names.
    pub class: usize,
    /// When it came, in seconds from any one origin.
    pub from: f64,
    /// When it was answered.
    pub to: f64,
}

impl Windows {
    /// Windows from requests of known start and end, with [`Counted::Parts`]; `cpu` has the CPU seconds
    /// of each window, from `start` on.
    ///
    /// Records that are too many to be held may add up [`Seen`] themselves in the same way.
    pub fn of_stays(
        classes: Vec<String>,
        stays: &[Stay],
        start: f64,
        length: f64,
        processors: u32,
        cpu: &[Option<f64>],
    ) -> Windows {
        let empty = Window { classes: vec![Seen::default(); classes.len()], ..Window::default() };
        let mut windows = vec![empty; cpu.len()];
        for (i, (window, &cpu)) in windows.iter_mut().zip(cpu).enumerate() {
            window.start = start + i as f64 * length;
            window.cpu = cpu;
        }
        let place = |time: f64| ((time - start) / length).floor();
        let mut sums = vec![vec![[0.0; 3]; classes.len()]; cpu.len()];
        for (stay, found) in stays.iter().zip(found_in_flight(stays)) {
            for i in place(stay.from) as i64..=place(stay.to) as i64 {
                let Some(window) = usize::try_from(i).ok().and_then(|i| windows.get_mut(i)) else {
                    continue;
                };
                let begin = window.start.max(stay.from);
                let end = (window.start + length).min(stay.to);
                let part =
                    if stay.to > stay.from { (end - begin) / (stay.to - stay.from) } else { 1.0 };
                window.classes[stay.class].requests += part.max(0.0);
            }
            let last = place(stay.to);
            if last >= 0.0
                && let Some(sums) = sums.get_mut(last as usize)
            {
                let add = [1.0, stay.to - stay.from, found as f64];
                sums[stay.class].iter_mut().zip(add).for_each(|(sum, x)| *sum += x);
            }
        }
        for (window, sums) in windows.iter_mut().zip(sums) {
            for (seen, [count, response, found]) in window.classes.iter_mut().zip(sums) {
                if count > 0.0 {
                    (seen.response, seen.in_flight) = (Some(response / count), Some(found / count));
                }
            }
        }
        Windows { length, processors, counted: Counted::Parts, classes, windows }
    }

    /// All processors were busy in `window`.
    pub(super) fn full(&self, window: &Window) -> bool {
        let all = self.length * f64::from(self.processors.max(1));
        window.cpu.is_some_and(|cpu| cpu > FULL * all)
    }

    /// Stretches of windows whose CPU is that of their own requests: a window alone, or full windows
    /// with the first after them that is not full, in which what they left over is done. A stretch
    /// that does not end, or in which a window is not known, is left out.
    ///
    /// Full windows are not just left out: those that are not full are those whose requests were
    /// cheap. Where a stretch ends depends on what has come until then alone, so that its requests
    /// are no cheaper and no dearer than others.
    pub(super) fn stretches(&self) -> Vec<&[Window]> {
        let (mut found, mut from) = (Vec::new(), Some(0));
        for (at, window) in self.windows.iter().enumerate() {
            let before = at.checked_sub(1).map(|before| &self.windows[before]);
            let gap = before.is_some_and(|before| window.start - before.start > 1.5 * self.length);
            let within = from.is_some_and(|from| from < at);
            if within && (gap || window.cpu.is_none()) {
                from = None;
            }
            if self.full(window) {
                continue;
            }
            if let Some(from) = from.filter(|_| window.cpu.is_some()) {
                found.push(&self.windows[from..=at]);
            }
            // This window had processors to spare, so no work goes on into the next one. Of a window
            // whose CPU is not known that cannot be said.
            if window.cpu.is_some() || from == Some(at) {
                from = Some(at + 1);
            }
        }
        found
    }

    /// Each `factor` windows that follow one another as one; what is left over or has a gap is left out.
    pub(super) fn joined(&self, factor: usize) -> Windows {
        let whole = self.windows.chunk_by(|a, b| b.start - a.start < 1.5 * self.length);
        let parts = whole.flat_map(|run| run.chunks_exact(factor));
        let windows = parts.map(|part| self.join(part)).collect();
        let classes = self.classes.clone();
        Windows { length: self.length * factor as f64, classes, windows, ..*self }
    }

    /// The windows of `part` as one.
    pub(super) fn join(&self, part: &[Window]) -> Window {
        let cpu = part.iter().map(|window| window.cpu).sum();
        let class = |class: usize| {
            let seen = || part.iter().map(|window| window.classes[class]);
            let requests = seen().map(|seen| seen.requests).sum();
            let mean = |of: fn(&Seen) -> Option<f64>| {
                let known = seen().filter_map(|seen| Some((seen.requests, of(&seen)?)));
                let [weight, sum] =
                    known.fold([0.0; 2], |[w, s], (n, value)| [w + n, s + n * value]);
                (weight > 0.0).then(|| sum / weight)
            };
            Seen {
                requests,
                response: mean(|seen| seen.response),
                in_flight: mean(|seen| seen.in_flight),
            }
        };
        let classes = (0..self.classes.len()).map(class).collect();
        Window { start: part[0].start, cpu, classes }
    }
}

/// How many others each request found in flight when it came.
fn found_in_flight(stays: &[Stay]) -> Vec<usize> {
    let mut ends: Vec<f64> = stays.iter().map(|stay| stay.to).collect();
    ends.sort_by(f64::total_cmp);
    let mut by_start: Vec<usize> = (0..stays.len()).collect();
    by_start.sort_by(|&a, &b| stays[a].from.total_cmp(&stays[b].from));
    let mut found = vec![0; stays.len()];
    let mut gone = 0;
    for (came, &i) in by_start.iter().enumerate() {
        while gone < came && ends[gone] <= stays[i].from {
            gone += 1;
        }
        found[i] = came - gone;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_end_with_processors_to_spare_and_hold_no_gap() {
        // Starts and busy shares of one processor; a negative one is not known.
        let stretches = |each: &[(f64, f64)]| -> Vec<Vec<f64>> {
            let window = |&(start, cpu): &(f64, f64)| {
                let cpu = (cpu >= 0.0).then_some(cpu);
                Window { start, cpu, classes: Vec::new() }
            };
            let windows = Windows {
                length: 1.0,
                processors: 1,
                counted: Counted::Parts,
                classes: Vec::new(),
                windows: each.iter().map(window).collect(),
            };
            let starts = |part: &[Window]| part.iter().map(|window| window.start).collect();
            windows.stretches().into_iter().map(starts).collect()
        };
        let found = stretches(&[(0.0, 0.5), (1.0, 1.0), (2.0, 1.0), (3.0, 0.4), (4.0, 0.2)]);
        assert_eq!(found, [vec![0.0], vec![1.0, 2.0, 3.0], vec![4.0]]);
        // A window that is not known, or missing, ends no stretch. The next stretch begins after a
        // window with processors to spare.
        let found = stretches(&[(0.0, 1.0), (1.0, -1.0), (2.0, -1.0), (3.0, 0.4), (4.0, 0.2)]);
        assert_eq!(found, [vec![4.0]]);
        let found = stretches(&[(0.0, 1.0), (5.0, 0.4), (6.0, 0.2), (7.0, -1.0), (8.0, 0.2)]);
        assert_eq!(found, [vec![6.0], vec![8.0]]);
        assert!(stretches(&[(0.0, 1.0), (1.0, 1.0)]).is_empty());
    }
}
