//! Where a number of a scenario comes from, and how sure it is.

section! {
    /// Where one number of the scenario or of its costs comes from.
    #[section("learned number")]
    pub struct Learned {
        /// The key whose value it is, as `--set` writes it: `endpoint.quote.steps[0].cpu`.
        pub key: String,
        /// Lower end of the 95 % interval, in the unit of the key: `"4.1ms"`. Absent where no
        /// interval is known.
        #[key(hint("write a text in the unit of the key, as in `low = \"4.1ms\"` or `low = \"2\"`"))]
        pub low: Option<String>,
        /// Upper end of the 95 % interval.
        #[key(with("low"), hint("write a text in the unit of the key, as in `high = \"4.6ms\"`"))]
        pub high: Option<String>,
        /// How it is known.
        pub origin: Origin,
        /// How it was found, in words.
        pub how: String,
        /// What would make it certain, in words.
        pub better: Option<String>,
    }
}

words! {
    /// How a number is known.
    pub enum Origin {
        /// it was seen, as often as its interval says
        Measured = "measured",
        /// it follows from measured numbers
        Derived = "derived",
        /// it is a usual value: nothing was seen that says otherwise
        Assumed = "assumed",
    }
}
