//! What the estimators say.

use crate::learned::{Figure, Origin};

/// CPU seconds per request of each class, as one estimator says.
#[derive(Clone, Debug)]
pub struct Demands {
    /// The estimator.
    pub method: Method,
    /// Why this one, in a sentence.
    pub why: String,
    /// Per class, in the order of the input, CPU seconds per request; none where nothing is known of it,
    /// as it had no requests.
    ///
    /// A class of a [`Group`] has the group's mean as its value; its interval begins at 0 and ends where
    /// the other classes of the group would cost nothing.
    pub classes: Vec<Option<Figure>>,
    /// Classes whose costs cannot be told apart.
    pub groups: Vec<Group>,
    /// CPU seconds per request at the mix that was seen: often known well where single classes are not.
    pub mean: Option<Figure>,
    /// Processors that are busy without any request; none where the estimator does not know.
    pub background: Option<Figure>,
    /// How the cost of a request changes with the load; none where no change was seen.
    pub trend: Option<Trend>,
    /// What a reader has to know of the data, in whole sentences.
    pub notes: Vec<String>,
}

/// Classes whose costs cannot be told apart, as they came in the same proportion.
#[derive(Clone, Debug)]
pub struct Group {
    /// Places in the list of classes, ascending.
    pub classes: Vec<usize>,
    /// The share of each of them in the requests of the group.
    pub mix: Vec<f64>,
    /// CPU seconds per request of the group, at this mix.
    pub seconds: Figure,
}

/// How the cost of a request changes with the load: demand is itself a function of the utilisation, by
/// frequencies, shared caches and simultaneous threads of a core.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// The lowest and the highest utilisation that was seen, as a share of all processors.
    pub at: [f64; 2],
    /// The cost there, relative to that at the mean load.
    pub factor: [f64; 2],
}

/// Estimators by their published names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Utilisation-based regression: CPU of windows on counts of requests.
    UtilisationRegression,
    /// The service demand law: all CPU divided by all requests.
    ServiceDemandLaw,
    /// Extended regression for processor sharing: response times on the requests found in flight.
    ExtendedRegression,
    /// Complete information: service received, from the starts and ends of all requests.
    CompleteInformation,
    /// Response time approximation: the response time where the load is lowest.
    ResponseTimeApproximation,
}

impl Demands {
    /// Nothing is known yet of `classes` classes.
    pub(super) fn none(method: Method, classes: usize) -> Demands {
        Demands {
            method,
            why: String::new(),
            classes: vec![None; classes],
            groups: Vec::new(),
            mean: None,
            background: None,
            trend: None,
            notes: Vec::new(),
        }
    }

    /// Adds classes whose cost is only known together: `seconds` per request at the mix of `counts`.
    pub(super) fn group(&mut self, classes: Vec<usize>, counts: &[f64], seconds: Figure) {
        let total: f64 = counts.iter().sum();
        let mix: Vec<f64> = counts.iter().map(|count| count / total).collect();
        if let [class] = classes[..] {
            self.classes[class] = Some(seconds);
            return;
        }
        for (&class, share) in classes.iter().zip(&mix) {
            let mut figure = seconds.clone();
            figure.low = Some(0.0);
            figure.high = seconds.high.map(|high| high / share);
            figure.how = format!("a share of a sum: {}", seconds.how);
            figure.origin = Origin::Derived;
            figure.better = "some minutes in which it is asked for without the others".to_owned();
            self.classes[class] = Some(figure);
        }
        self.groups.push(Group { classes, mix, seconds });
    }
}
