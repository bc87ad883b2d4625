//! Which rows of the table statements touch.

use model::costs::Costs;
use model::scenario::{RowLock, Rows, Scenario, Step};

/// Rows that statements touch which lock none by name, unless a query changes more pages at a time.
const ROWS: u32 = 1_000;

/// The table of a scenario: rows that any statement touches, and after them those that statements
/// lock by name. Rows are counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Table {
    /// Rows that statements touch which lock none by name.
    pub(crate) free: u32,
    named: Vec<Named>,
}

/// Rows that statements lock by one name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    /// Name and number.
    pub(crate) rows: Rows,
    /// The first of them.
    first: u32,
    /// Rows of the table that each takes: as many as the largest write that locks it changes. They
    /// are changed in their order, so that the first is the lock.
    pages: u32,
}

impl Table {
    /// The table of `scenario`.
    pub(crate) fn of(scenario: &Scenario) -> Table {
        let costs = &scenario.costs;
        // Enough for the largest write of the profile.
        let free = costs.query.values().map(|query| query.pages).fold(ROWS, u32::max);
        let mut first = free + 1;
        let named = scenario.rows().iter().map(|rows| {
            let pages = most_pages(scenario, costs, &rows.name);
            let named = Named { rows: rows.clone(), first, pages };
            first = first.saturating_add(named.size());
            named
        });
        Table { free, named: named.collect() }
    }

    /// All rows.
    pub(crate) fn rows(&self) -> u32 {
        self.named.iter().map(Named::size).fold(self.free, u32::saturating_add)
    }

    /// The rows of which `lock` is one, and their number in the scenario. A checked scenario has
    /// them.
    pub(crate) fn named(&self, lock: &RowLock) -> Option<(usize, &Named)> {
        self.named.iter().enumerate().find(|(_, named)| named.rows.name == lock.rows)
    }

    /// All rows that are locked by name.
    pub(crate) fn all_named(&self) -> &[Named] {
        &self.named
    }
}

impl Named {
    /// Rows of the table that they take together.
    pub(crate) fn size(&self) -> u32 {
        self.rows.count.saturating_mul(self.pages)
    }

    /// Where the row with this number, from 0, begins.
    pub(crate) fn at(&self, row: u32) -> u32 {
        self.first + row * self.pages
    }
}

/// Pages that the largest statement changes which locks a row of this `name`.
fn most_pages(scenario: &Scenario, costs: &Costs, name: &str) -> u32 {
    fn pages(step: &Step, costs: &Costs, name: &str) -> u32 {
        let own = step.statements().iter().filter_map(|statement| {
            let locks = statement.locks.as_ref().is_some_and(|lock| lock.rows == name);
            let query = costs.query(&statement.query).filter(|_| locks && statement.writes)?;
            Some(query.pages)
        });
        own.chain(step.inside().iter().map(|step| pages(step, costs, name))).fold(1, u32::max)
    }
    let steps = scenario.endpoints.iter().flat_map(|endpoint| endpoint.all_steps());
    steps.map(|step| pages(step, costs, name)).fold(1, u32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_rows_of_its_own_as_wide_as_its_largest_write() {
        let text = r#"
            load = { users = 1, duration = "1s" }
            service.concurrency = "async"
            costs.query.default.engine = "50us"
            costs.query.wide = { engine = "50us", pages = 3 }
            database = { engine = "postgres", row = { account = { count = 4 }, hot = {} } }
            endpoint = [{ name = "shop", weight = 1, steps = [
                { read = "wide", locks = "hot" },
                { session = [{ write = "wide", locks = "account", nth = 2 }] },
            ] }]
        "#;
        let scenario = model::read::load_text("shop", text, &[]).expect("a scenario").scenario;
        let table = Table::of(&scenario);
        let (account, hot) = (&table.named[0], &table.named[1]);
        assert_eq!(
            (account.rows.name.as_str(), account.at(0), account.pages),
            ("account", 1001, 3)
        );
        assert_eq!(account.at(3), 1010);
        assert_eq!((hot.at(0), hot.pages), (1013, 1));
        assert_eq!((table.free, table.rows()), (1000, 1013));
        let (number, named) = table.named(&RowLock { rows: "hot".into(), nth: 1 }).expect("it is");
        assert_eq!((number, named), (1, hot));
    }
}
