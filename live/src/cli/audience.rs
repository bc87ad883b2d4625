//! Shows numbers during a measurement: to a person at the terminal, and to programs that collect
//! metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use clap::Args;
use model::report::Report;
use render::{Console, Failure};

use super::watch::WatchOptions;
use crate::interrupt::Interrupt;
use crate::metrics::{Collector, Endpoints, Exporter};
use crate::run::Display;
use crate::watch::{Message, Screen};

/// How to show what is measured.
#[derive(Clone, Debug, Args)]
pub struct AudienceOptions {
    #[command(flatten)]
    watch: WatchOptions,
    /// Show what is measured, second by second, to Prometheus: http://ADDRESS/metrics has it while
    /// this program runs, such as 127.0.0.1:9464. Port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// Send the same to a collector each second, by OTLP over HTTP: its address, such as
    /// http://127.0.0.1:4318, to which /v1/metrics is added
    #[arg(long, value_name = "URL")]
    otlp: Option<Collector>,
}

/// What the user asked for: the live terminal, and the ports for programs that collect metrics, which are
/// open already.
#[derive(Debug)]
pub struct Expected {
    watch: WatchOptions,
    /// Ports and collectors for metrics; none if the user wants none.
    endpoints: Option<Endpoints>,
}

/// The live terminal and the exporter of metrics, as far as they run. Both end when this is dropped.
#[derive(Debug)]
pub struct Audience {
    screen: Option<Screen>,
    exporter: Option<Exporter>,
}

impl AudienceOptions {
    /// Opens the port for metrics and asks whether the collector answers, before any time is spent. The
    /// address of the metrics is printed on the console.
    ///
    /// # Errors
    /// The address is taken, or the collector does not answer.
    pub fn prepare(&self, console: &mut Console<'_>) -> Result<Expected, Failure> {
        let (watch, listen, otlp) = (self.watch, self.metrics_listen, self.otlp.as_ref());
        if listen.is_none() && otlp.is_none() {
            return Ok(Expected { watch, endpoints: None });
        }
        let endpoints =
            Endpoints::open(listen, otlp).map_err(|failed| Failure::System(failed.to_string()))?;
        if let Some(address) = endpoints.address() {
            console.talk(&format!("metrics: http://{address}/metrics\n"));
        }
        Ok(Expected { watch, endpoints: Some(endpoints) })
    }
}

impl Expected {
    /// Takes the terminal if that is wanted and can be had, and begins to show metrics. `predictions`
    /// are those of the scenarios in the order in which they are measured, or none.
    ///
    /// # Errors
    /// The terminal cannot be taken, or there is no thread to be had.
    pub fn begin(
        &self,
        predictions: &[Report],
        interrupt: &Interrupt,
        console: &mut Console<'_>,
    ) -> Result<Audience, Failure> {
        let exporter = match &self.endpoints {
            None => None,
            Some(endpoints) => {
                let started = endpoints
                    .try_clone()
                    .and_then(|endpoints| Exporter::start(endpoints, predictions.to_vec()));
                Some(started.map_err(|error| {
                    Failure::System(format!("metrics cannot be exported: {error}"))
                })?)
            }
        };
        let screen =
            match self.watch.is_shown(console) {
                false => None,
                true => Some(Screen::open(predictions.to_vec(), interrupt.clone()).map_err(
                    |error| Failure::System(format!("cannot draw on the terminal: {error}")),
                )?),
            };
        Ok(Audience { screen, exporter })
    }
}

impl Audience {
    /// Neither of them runs.
    pub fn is_empty(&self) -> bool {
        self.display().is_none()
    }

    /// The terminal is taken.
    pub fn has_screen(&self) -> bool {
        self.screen.is_some()
    }

    /// Which of them run; none if neither does.
    pub fn display(&self) -> Option<Display> {
        match (&self.screen, &self.exporter) {
            (None, None) => None,
            (Some(_), None) => Some(Display::Terminal),
            (None, Some(_)) => Some(Display::Metrics),
            (Some(_), Some(_)) => Some(Display::Both),
        }
    }

    /// Shows what happened.
    pub fn tell(&self, message: Message) {
        if let Some(screen) = &self.screen {
            screen.tell(message.clone());
        }
        if let Some(exporter) = &self.exporter {
            exporter.tell(message);
        }
    }

    /// CPU time that each thread has used so far, in nanoseconds.
    pub(super) fn cpu(&self) -> Vec<Arc<AtomicU64>> {
        let screen = self.screen.iter().map(Screen::cpu);
        screen.chain(self.exporter.iter().map(Exporter::cpu)).collect()
    }

    /// Gives the terminal back, sends the last numbers, and tells on the console what could not be
    /// sent.
    pub fn end(self, console: &mut Console<'_>) {
        let Audience { screen, exporter } = self;
        drop(screen);
        let trouble = exporter.and_then(Exporter::end).and_then(|exports| exports.trouble());
        if let Some(trouble) = trouble {
            console.talk(&format!("note: {trouble}\n"));
        }
    }
}
