//! Costs that a real service burns: on top of what its own stack costs, or none at all.

use super::cpu::Cost;
use super::{
    Costs, CpuCosts, PerConcurrency, PostgresClientCosts, QueryCost, ServerCosts, Servers,
};
use crate::distribution::Distribution;
use crate::units::Span;

impl Costs {
    /// What a service costs that burns these costs on top of a stack that costs `platform`
    /// by itself.
    ///
    /// CPU times add up. What is not burned is the platform's: disk, network, runtime,
    /// memory. `scale` is the factor on the burned CPU times (the server's share and the
    /// processor's speed); the stack itself is as quick as it is, so that its own costs are
    /// divided by it.
    pub fn burned_on(&self, platform: &Costs, scale: f64) -> Costs {
        let own = |span: Span| span.scale(1.0 / scale);
        let names = self.query.keys().chain(platform.query.keys());
        let query = |name: &String| {
            let (burned, by_itself) = (self.query(name), platform.query(name));
            let engine = match (burned.map(|q| &q.engine), by_itself.map(|q| &q.engine)) {
                (Some(burned), Some(by_itself)) => burned.plus(by_itself, &own),
                (Some(one), None) => one.clone(),
                (None, Some(one)) => one.scale(1.0 / scale),
                (None, None) => Distribution::default(),
            };
            // How many pages a query changes is a property of the scenario.
            let pages = burned.or(by_itself).map_or(0, |query| query.pages);
            (name.clone(), QueryCost { engine, pages })
        };
        Costs {
            name: format!("{} burned on {}", self.name, platform.name),
            about: platform.about.clone(),
            cpu: PerConcurrency::<CpuCosts>::each(|model| {
                self.cpu(model).plus(platform.cpu(model), &own)
            }),
            postgres_client: self
                .postgres_client
                .as_ref()
                .or(platform.postgres_client.as_ref())
                .map(|_| {
                    PerConcurrency::<PostgresClientCosts>::each(|model| {
                        self.postgres_client(model).plus(&platform.postgres_client(model), &own)
                    })
                }),
            server: self.server.clone(),
            query: names.map(query).collect(),
            commit: platform.commit.each(&own),
            cache: platform.cache.each(&own),
            ..platform.clone()
        }
    }

    /// These costs without the CPU times of framework, libraries and engine: what a stack has
    /// to burn that they describe already. The factor on a handler's own CPU stays.
    pub fn nothing_burned(&self) -> Costs {
        let queries = self.query.iter().map(|(name, query)| {
            (name.clone(), QueryCost { engine: Distribution::default(), pages: query.pages })
        });
        let server = |costs: &ServerCosts| ServerCosts { request: Span::ZERO, ..costs.clone() };
        let Servers { uvicorn, gunicorn, axum } = &self.server;
        Costs {
            cpu: PerConcurrency::<CpuCosts>::each(|_| CpuCosts::default()),
            postgres_client: None,
            query: queries.collect(),
            server: Servers {
                uvicorn: server(uvicorn),
                gunicorn: server(gunicorn),
                axum: server(axum),
            },
            ..self.clone()
        }
    }
}
