//! One connection: which queries are under way, and when each began and ended.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::messages::{Messages, text};
use crate::wait::background::Seen;
use crate::wait::spans::Work;

/// More prepared statements and portals of one connection are forgotten.
const MOST_NAMES: usize = 10_000;
/// More queries under way are not told apart.
const MOST_UNDER_WAY: usize = 100_000;

/// What the messages of both sides say.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    asks: Messages,
    answers: Messages,
    known: Known,
    under_way: VecDeque<Asked>,
    /// Ended since the server was last ready.
    ended: Vec<Query>,
    last_end: u64,
    /// The number of its connection.
    number: u64,
    in_transaction: bool,
    open: bool,
}

/// What the client has prepared.
#[derive(Debug, Default)]
struct Known {
    statements: HashMap<Vec<u8>, Arc<str>>,
    portals: HashMap<Vec<u8>, Arc<str>>,
    /// The first message since the last query was sent.
    begin: Option<u64>,
    /// A statement that was prepared since then, and not executed.
    prepared: Option<Arc<str>>,
    /// Rows are copied in: the server takes no other message before the end of them.
    copying: bool,
}

/// What the server has still to answer, in order.
#[derive(Debug)]
enum Asked {
    /// One message with any number of statements, answered when the server is ready.
    Simple(Query),
    /// One execution, answered when it is complete.
    Execute(Query),
    /// A statement that is prepared only.
    Prepare(Query),
    /// The server is to say that it is ready.
    Sync,
}

#[derive(Debug)]
struct Query {
    statement: String,
    start: u64,
    end: u64,
    failed: bool,
}

impl Query {
    fn new(statement: impl Into<String>, start: u64) -> Query {
        Query { statement: statement.into(), start, end: start, failed: false }
    }
}

impl Conversation {
    /// A conversation on the connection of this number, which has not begun.
    pub(super) fn new(number: u64) -> Conversation {
        Conversation { number, ..Conversation::default() }
    }

    /// A statement or a transaction is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.in_transaction || self.known.begin.is_some() || !self.under_way.is_empty()
    }

    /// The server has said that it takes statements.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Bytes of the client.
    pub(super) fn asked(&mut self, bytes: &[u8], now: u64) {
        let Conversation { asks, known, under_way, .. } = self;
        asks.read(bytes, b"QPBEC", |kind, body| known.message(kind, body, now, under_way));
        if under_way.len() > MOST_UNDER_WAY {
            under_way.clear();
        }
    }

    /// Bytes of the server.
    pub(super) fn answered(&mut self, bytes: &[u8], now: u64, seen: &Seen) {
        let Conversation { answers, known, under_way, ended, last_end, .. } = self;
        let (number, in_transaction) = (self.number, &mut self.in_transaction);
        let open = &mut self.open;
        answers.read(bytes, b"Z", |kind, body| match kind {
            // Complete, empty, or suspended after as many rows as were wanted.
            b'C' | b'I' | b's' => {
                if let Some(Asked::Execute(_)) = under_way.front() {
                    end(under_way.pop_front(), now, false, ended, last_end);
                }
            }
            // The columns of a statement that was prepared, or that it has none: the last answer
            // to a client that asked for no more.
            b'T' | b'n' => {
                if let Some(Asked::Prepare(_)) = under_way.front() {
                    end(under_way.pop_front(), now, false, ended, last_end);
                }
            }
            // It wants the rows to copy: what was sent behind the statement is left out.
            b'G' => {
                known.copying = true;
                while under_way.get(1).is_some_and(|next| matches!(next, Asked::Sync)) {
                    under_way.remove(1);
                }
            }
            b'E' => {
                known.copying = false;
                fail(under_way, now, ended, last_end);
            }
            b'Z' => {
                *open = true;
                ready(under_way, now, ended, last_end);
                *in_transaction = matches!(body.first(), Some(b'T' | b'E'));
                let name = match body.first() {
                    Some(b'T') => "query in a transaction",
                    Some(b'E') => "query in a failed transaction",
                    _ => "query",
                };
                for query in ended.drain(..) {
                    let work = Work::Query {
                        system: "postgresql".to_owned(),
                        statement: Some(query.statement),
                        operation: None,
                        table: None,
                    };
                    seen.passed(number, name, work, [query.start, query.end], query.failed);
                }
            }
            _ => {}
        });
    }
}

impl Known {
    fn message(&mut self, kind: u8, body: &[u8], now: u64, under_way: &mut VecDeque<Asked>) {
        match kind {
            b'Q' => under_way.push_back(Asked::Simple(Query::new(string(text(body).0), now))),
            b'P' => {
                let (name, rest) = text(body);
                let statement = Arc::<str>::from(string(text(rest).0));
                self.prepared = Some(statement.clone());
                keep(&mut self.statements, name, statement);
                self.begin.get_or_insert(now);
            }
            b'B' => {
                let (portal, rest) = text(body);
                let statement = self.statements.get(text(rest).0).cloned();
                keep(&mut self.portals, portal, statement.unwrap_or_default());
                self.begin.get_or_insert(now);
            }
            b'D' => drop(self.begin.get_or_insert(now)),
            b'E' => {
                let statement = self.portals.get(text(body).0).cloned().unwrap_or_default();
                let begin = self.begin.take().unwrap_or(now);
                self.prepared = None;
                under_way.push_back(Asked::Execute(Query::new(&*statement, begin)));
            }
            b'C' => match body.split_first() {
                Some((b'S', name)) => drop(self.statements.remove(text(name).0)),
                Some((b'P', name)) => drop(self.portals.remove(text(name).0)),
                _ => {}
            },
            // All rows were sent, or no more will be.
            b'c' | b'f' => self.copying = false,
            // The client wants the answers so far: of a statement that is prepared only.
            b'H' => self.prepare(now, under_way),
            b'S' if self.copying => {}
            b'S' => {
                self.prepare(now, under_way);
                self.begin = None;
                under_way.push_back(Asked::Sync);
            }
            _ => {}
        }
    }

    /// A statement that was prepared and not executed is asked for by itself.
    fn prepare(&mut self, now: u64, under_way: &mut VecDeque<Asked>) {
        if let Some(statement) = self.prepared.take() {
            let begin = self.begin.take().unwrap_or(now);
            let statement = format!("prepare {statement}");
            under_way.push_back(Asked::Prepare(Query::new(statement, begin)));
        }
    }
}

fn keep(names: &mut HashMap<Vec<u8>, Arc<str>>, name: &[u8], statement: Arc<str>) {
    if names.len() < MOST_NAMES || names.contains_key(name) {
        names.insert(name.to_vec(), statement);
    }
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The server works on one after the other: a query that was sent early begins when the one
/// before it has ended.
fn end(asked: Option<Asked>, now: u64, failed: bool, ended: &mut Vec<Query>, last_end: &mut u64) {
    if let Some(Asked::Simple(query) | Asked::Execute(query) | Asked::Prepare(query)) = asked {
        let start = query.start.max(*last_end).min(now);
        *last_end = now;
        ended.push(Query { start, end: now, failed: failed || query.failed, ..query });
    }
}

/// After an error the server skips everything as far as the next sync.
fn fail(under_way: &mut VecDeque<Asked>, now: u64, ended: &mut Vec<Query>, last_end: &mut u64) {
    if let Some(Asked::Simple(query)) = under_way.front_mut() {
        query.failed = true;
        return;
    }
    let mut first = true;
    while under_way.front().is_some_and(|asked| !matches!(asked, Asked::Sync)) {
        let asked = under_way.pop_front();
        if first {
            end(asked, now, true, ended, last_end);
        }
        first = false;
    }
}

/// The server is ready: the simple query, or all before the sync, has ended. The client has waited
/// for this message, so that the last of them ends with it.
fn ready(under_way: &mut VecDeque<Asked>, now: u64, ended: &mut Vec<Query>, last_end: &mut u64) {
    while let Some(asked) = under_way.pop_front() {
        let is_last = matches!(asked, Asked::Simple(_) | Asked::Sync);
        end(Some(asked), now, false, ended, last_end);
        if is_last {
            break;
        }
    }
    if let Some(query) = ended.last_mut() {
        query.end = now;
        *last_end = now;
    }
}

#[cfg(test)]
mod tests {
    use super::Conversation;
    use crate::wait::background::Seen;
    use crate::wait::spans::{Span, Work};

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u32 + 4).to_be_bytes();
        [&[kind], length.as_slice(), body].concat()
    }

    fn told(spans: &[Span]) -> Vec<String> {
        let line = |span: &Span| {
            let Work::Query { statement: Some(text), .. } = &span.work else { panic!("{span:?}") };
            let failed = if span.failed { " failed" } else { "" };
            format!("{text}: {} to {}, {}{failed}", span.start, span.end, span.name)
        };
        spans.iter().map(line).collect()
    }

    fn parse(name: &str, statement: &str) -> Vec<u8> {
        message(b'P', format!("{name}\0{statement}\0\0\0").as_bytes())
    }

    fn run(name: &str) -> Vec<u8> {
        let bind = message(b'B', format!("\0{name}\0\0\0\0\0\0\0").as_bytes());
        [bind, message(b'E', b"\0\0\0\0\0")].concat()
    }

    #[test]
    fn a_simple_query_with_two_statements_ends_when_the_server_is_ready() {
        let (mut talk, seen) = (Conversation::default(), Seen::default());
        talk.answered(&message(b'Z', b"I"), 1, &seen);
        talk.asked(&message(b'Q', b"begin; select 1\0"), 10);
        talk.answered(&message(b'C', b"BEGIN\0"), 12, &seen);
        let rest = [message(b'C', b"SELECT 1\0"), message(b'Z', b"T")].concat();
        // It does not matter how the bytes are cut.
        for byte in &rest {
            talk.answered(&[*byte], 15, &seen);
        }
        assert_eq!(told(&seen.take()), ["begin; select 1: 10 to 15, query in a transaction"]);
    }

    #[test]
    fn a_prepared_statement_is_known_by_its_text() {
        let (mut talk, seen) = (Conversation::default(), Seen::default());
        let sync = message(b'S', b"");
        let ready = [message(b'C', b"x\0"), message(b'Z', b"I")].concat();
        talk.asked(&[parse("a", "select a"), message(b'D', b"Sa\0"), sync.clone()].concat(), 1);
        talk.answered(&message(b'Z', b"I"), 2, &seen);
        talk.asked(&[run("a"), sync.clone()].concat(), 5);
        talk.answered(&ready, 7, &seen);
        talk.asked(&[message(b'C', b"Sa\0"), run("a"), sync].concat(), 8);
        talk.answered(&ready, 9, &seen);
        let wanted =
            ["prepare select a: 1 to 2, query", "select a: 5 to 7, query", ": 8 to 9, query"];
        assert_eq!(told(&seen.take()), wanted);
    }

    #[test]
    fn queries_in_a_pipeline_follow_each_other() {
        let (mut talk, seen) = (Conversation::default(), Seen::default());
        let three = [parse("", "one"), run(""), parse("", "two"), run(""), run("")].concat();
        talk.asked(&[three, message(b'S', b"")].concat(), 10);
        talk.answered(&message(b'C', b"x\0"), 14, &seen);
        talk.answered(&[message(b'D', &[0; 99]), message(b's', b"")].concat(), 20, &seen);
        talk.answered(&message(b'C', b"x\0"), 21, &seen);
        talk.answered(&message(b'Z', b"I"), 22, &seen);
        let wanted = ["one: 10 to 14, query", "two: 14 to 20, query", "two: 20 to 22, query"];
        assert_eq!(told(&seen.take()), wanted);
    }

    #[test]
    fn a_client_that_prepares_and_thinks_is_not_timed_while_it_thinks() {
        let (mut talk, seen) = (Conversation::default(), Seen::default());
        let prepare = [parse("a", "select a"), message(b'D', b"Sa\0"), message(b'H', b"")].concat();
        talk.asked(&prepare, 1);
        assert!(talk.is_busy());
        let columns = [message(b'1', b""), message(b't', b"\0\0"), message(b'T', b"\0\0")].concat();
        talk.answered(&columns, 3, &seen);
        assert!(!talk.is_busy());
        talk.asked(&[run("a"), message(b'S', b"")].concat(), 50);
        talk.answered(&[message(b'C', b"x\0"), message(b'Z', b"I")].concat(), 54, &seen);
        let wanted = ["prepare select a: 1 to 3, query", "select a: 50 to 54, query"];
        assert_eq!(told(&seen.take()), wanted);
    }

    #[test]
    fn rows_that_are_copied_in_put_nothing_out_of_step() {
        let (mut talk, seen) = (Conversation::default(), Seen::default());
        let sync = message(b'S', b"");
        talk.asked(&[parse("", "copy a from stdin"), run(""), sync.clone()].concat(), 1);
        talk.answered(&message(b'G', b"\0\0\0"), 2, &seen);
        talk.asked(&[message(b'd', b"row"), sync.clone(), message(b'c', b""), sync].concat(), 3);
        talk.answered(&[message(b'C', b"COPY 1\0"), message(b'Z', b"I")].concat(), 9, &seen);
        assert!(!talk.is_busy());
        talk.asked(&message(b'Q', b"select 1\0"), 20);
        talk.answered(&[message(b'C', b"x\0"), message(b'Z', b"I")].concat(), 21, &seen);
        let wanted = ["copy a from stdin: 1 to 9, query", "select 1: 20 to 21, query"];
        assert_eq!(told(&seen.take()), wanted);
    }

    #[test]
    fn an_error_skips_what_follows_it() {
        let (mut talk, seen) = (Conversation::default(), Seen::default());
        let two = [parse("", "bad"), run(""), run(""), message(b'S', b"")].concat();
        talk.asked(&[two, message(b'Q', b"next\0")].concat(), 10);
        talk.answered(&message(b'E', b"x"), 12, &seen);
        talk.answered(&message(b'Z', b"E"), 13, &seen);
        talk.answered(&[message(b'E', b"x"), message(b'Z', b"E")].concat(), 15, &seen);
        let failed = "query in a failed transaction failed";
        let wanted = [format!("bad: 10 to 13, {failed}"), format!("next: 13 to 15, {failed}")];
        assert_eq!(told(&seen.take()), wanted);
    }

    #[test]
    fn what_is_no_conversation_is_not_looked_at() {
        let (mut talk, seen) = (Conversation::default(), Seen::default());
        talk.asked(&[b'Q', 0, 0, 0, 3, 1, 2, 3], 1);
        talk.asked(&message(b'Q', b"select 1\0"), 2);
        talk.answered(&message(b'Z', b"I"), 3, &seen);
        talk.answered(&[0xff; 64], 3, &seen);
        assert_eq!(seen.count(), 0);
    }
}
