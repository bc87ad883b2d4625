//! Waits for rows of a database server: whoever waits for a row waits for what the request waits for
//! whose transaction has locked it.

use model::place;

use super::Awaited;
use crate::engine::{Engine, NONE, Trace};

impl<T: Trace> Engine<'_, T> {
    /// `task`, and all that wait for a row that it has locked, or that one of those has.
    pub(super) fn and_behind(&self, task: u32) -> Vec<u32> {
        let mut tasks = vec![task];
        let mut at = 0;
        while at < tasks.len() {
            let mut connection = self.tasks[tasks[at]].database.connection;
            while connection != NONE {
                self.wait_for_rows_of(connection, &mut tasks);
                connection = self.database.connections[connection].outer;
            }
            at += 1;
        }
        tasks
    }

    /// Adds those that wait for a row that `connection` has locked, each once.
    fn wait_for_rows_of(&self, connection: u32, tasks: &mut Vec<u32>) {
        for row in &self.database.connections[connection].session.rows {
            for waiting in self.database.server.rows.waiting(*row) {
                if !tasks.contains(&waiting) {
                    tasks.push(waiting);
                }
            }
        }
    }

    /// All that wait for a row that `connection` has locked, or for one of theirs.
    fn behind(&self, connection: u32) -> Vec<u32> {
        let mut first = Vec::new();
        self.wait_for_rows_of(connection, &mut first);
        let mut all = Vec::new();
        for task in first.into_iter().flat_map(|task| self.and_behind(task)) {
            if !all.contains(&task) {
                all.push(task);
            }
        }
        all
    }

    /// What `task` waits for: of all that may stand still, if it waits for a row, what its holder
    /// waits for, and of which worker.
    pub(crate) fn awaits(&self, task: u32) -> Option<(u32, Awaited)> {
        let mut at = task;
        // As many steps as there can be connections: those that wait for each other's rows wait for
        // nothing else.
        for _ in 0..=self.database.connections.len() {
            let connection = self.tasks[at].database.connection;
            let row = match self.tasks[at].place == place::SERVER && connection != NONE {
                true => self.database.connections[connection].session.awaits,
                false => None,
            };
            match row {
                None => return self.awaited(at).map(|awaited| (self.worker_of(at), awaited)),
                Some(row) => at = self.database.server.rows.holder(row)?.1,
            }
        }
        None
    }

    /// `task` begins to wait for a row.
    pub(crate) fn begin_row_wait(&mut self, task: u32) {
        let Some(for_what) = self.awaits(task) else { return };
        let tasks = self.and_behind(task);
        self.count_waits(&tasks, for_what, true);
        self.look_for_standstill(for_what.0, &tasks);
    }

    /// `task` is about to wait for a row no longer.
    pub(crate) fn end_row_wait(&mut self, task: u32) {
        if let Some(for_what) = self.awaits(task) {
            let tasks = self.and_behind(task);
            self.no_longer(&tasks, for_what);
        }
    }

    /// Rows that `connection` has locked are about to be given back: whoever waits for them waits no
    /// longer for what their holder waits for.
    pub(crate) fn end_waits_behind(&mut self, connection: u32) {
        let behind = self.behind(connection);
        if let Some(for_what) = behind.first().and_then(|&first| self.awaits(first)) {
            self.no_longer(&behind, for_what);
        }
    }

    /// Gives back all rows that `task` has locked.
    pub(super) fn release_rows_of(&mut self, task: u32) {
        let mut connection = self.tasks[task].database.connection;
        while connection != NONE {
            self.release_rows(connection, None);
            connection = self.database.connections[connection].outer;
        }
    }

    /// Rows that are waited for by those that stand still with the resources that are `standing`: by
    /// those that have `begun` it, and by others.
    pub(super) fn rows_waited_for(&self, standing: &[bool], begun: &[u32]) -> Vec<u32> {
        let rows = &self.database.server.rows;
        let stands = |task: u32| {
            begun.contains(&task)
                || self.awaits(task).is_some_and(|(worker, awaited)| {
                    standing[self.resource(&self.waits[self.waits_of(worker)], worker, awaited)]
                })
        };
        let waited = rows.locked().filter(|(row, ..)| rows.waiting(*row).any(stands));
        waited.map(|(row, ..)| row.rows).collect()
    }
}
