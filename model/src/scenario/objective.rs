//! What the service is to keep.

section! {
    /// What the service is to keep. `sim scenario`, `live run` and `sim size` hold their answer
    /// against it; a run is the same with or without it.
    #[section("objective")]
    pub(crate) struct ObjectiveKeys {
        /// A number of the answer and its limit: `"p99 < 800ms"` (any quantile, `mean`, `max`),
        /// `"errors < 0.1%"`, `"throughput > 100/s"`, each also of one endpoint as in
        /// `"endpoint:checkout.p99 < 800ms"`; `"utilisation:cpu < 80%"` of a station by its name in
        /// the report, `"in_flight < 50"`, `"in_flight.peak < 90"`, `"memory < 512MiB"`. k6's
        /// `"p(99)<800"` (milliseconds) and `"rate<0.01"` (share of errors) are read too.
        #[key(hint("write `keep = \"p99 < 800ms\"`"))]
        pub(crate) keep: String,
    }
}
