//! The parts of the screen that one can switch between.

/// A part of what is known that fits on a screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::watch) enum View {
    /// The most important numbers, now and over time.
    #[default]
    Overview,
    /// Where requests are.
    Stations,
    /// Errors by kind.
    Errors,
    /// Good answers by endpoint.
    Endpoints,
    /// The processes of the service.
    Workers,
}

impl View {
    /// All of them, in the order of their numbers.
    pub(in crate::watch) const ALL: [View; 5] =
        [View::Overview, View::Stations, View::Errors, View::Endpoints, View::Workers];

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            View::Overview => "Overview",
            View::Stations => "Stations",
            View::Errors => "Errors",
            View::Endpoints => "Endpoints",
            View::Workers => "Workers",
        }
    }

    /// The one after it; the first after the last.
    pub(in crate::watch) fn next(self) -> View {
        View::ALL[(self as usize + 1) % View::ALL.len()]
    }

    /// The one before it; the last before the first.
    pub(in crate::watch) fn previous(self) -> View {
        View::ALL[(self as usize + View::ALL.len() - 1) % View::ALL.len()]
    }
}
