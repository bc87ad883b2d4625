//! What a statement of SQL does, without a grammar: its first word, its table, and its text
//! without values.

/// Longer statements are cut, so that a list of a million values takes no memory.
const LONGEST: usize = 4096;

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// Its first word: `select`.
    pub operation: String,
    /// The table that it is about, without schema.
    pub table: Option<String>,
    /// Its text without values: two calls with other values are the same.
    pub text: String,
    /// What commits it, if it writes.
    pub commit: Commit,
    /// The endpoints that ask it, where it takes another time for others.
    pub of: Option<String>,
}

/// What commits a statement that writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Commit {
    /// No commit was seen: it is a transaction by itself, or the commit cannot be seen.
    #[default]
    Unseen,
    /// The commit follows: it is the last statement of its transaction that writes.
    Next,
    /// A later statement of its transaction, or none: it was rolled back.
    Later,
}

impl Statement {
    /// What this text does.
    pub fn new(text: &str) -> Statement {
        let text = normalised(text);
        let lower = text.to_ascii_lowercase();
        let words: Vec<&str> = lower
            .split(|c: char| !(c.is_alphanumeric() || "_.\"`$".contains(c)))
            .filter(|word| !word.is_empty())
            .collect();
        let operation = operation(&words);
        let table = table(operation, &words);
        let commit = Commit::default();
        Statement { operation: operation.to_owned(), table, text, commit, of: None }
    }

    /// `select_items`: what people call it.
    pub fn name(&self) -> String {
        if self.is_ping() {
            return "ping".to_owned();
        }
        let table = self.table.as_deref().map(|table| format!("_{table}")).unwrap_or_default();
        let name = format!("{}{table}", self.operation);
        name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect()
    }

    /// It changes rows or tables.
    pub fn writes(&self) -> bool {
        const READS: [&str; 6] = ["select", "show", "explain", "values", "fetch", "prepare"];
        !self.is_control() && !READS.contains(&self.operation.as_str())
    }

    /// It asks for nothing: whether the connection is still good.
    pub fn is_ping(&self) -> bool {
        self.operation.is_empty()
    }

    /// It begins or ends a transaction, or sets something for it: no work on rows.
    pub fn is_control(&self) -> bool {
        const CONTROL: [&str; 13] = [
            "begin",
            "start",
            "commit",
            "end",
            "rollback",
            "abort",
            "savepoint",
            "release",
            "set",
            "reset",
            "discard",
            "deallocate",
            "",
        ];
        CONTROL.contains(&self.operation.as_str())
    }
}

/// The first word; of a statement that begins with named queries, what it ends up doing.
fn operation<'a>(words: &[&'a str]) -> &'a str {
    const CHANGES: [&str; 3] = ["insert", "update", "delete"];
    match words.first() {
        Some(&"with") => words.iter().find(|word| CHANGES.contains(word)).unwrap_or(&"select"),
        Some(first) => first,
        None => "",
    }
}

fn table(operation: &str, words: &[&str]) -> Option<String> {
    let before = match operation {
        "select" | "delete" => "from",
        "insert" | "merge" => "into",
        other => other,
    };
    let after = words.iter().skip_while(|word| **word != before).skip(1);
    let named = after
        .filter(|word| !["only", "table", "into", "if", "exists", "not", "or"].contains(*word))
        .find(|word| !["select", "?", "from"].contains(*word))?;
    let last = named.rsplit('.').next().unwrap_or(named);
    let plain = last.trim_matches(['"', '`', '$']);
    let known = ["select", "insert", "update", "delete", "merge", "copy", "truncate"];
    (known.contains(&operation) && !plain.is_empty()).then(|| plain.to_owned())
}

/// The text without values, comments and doubled blanks. Lists of values are one value.
fn normalised(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next().filter(|_| plain.len() < LONGEST) {
        let length = match first {
            '\'' => quoted(rest),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            ':' if plain.ends_with(':') => 0,
            '$' | ':' | '@' | '%' | '?' => placeholder(rest),
            c if c.is_ascii_digit() && !in_a_word(&plain) => number(rest),
            _ => 0,
        };
        let comment = rest.starts_with("--") || rest.starts_with("/*");
        match (length, comment) {
            (0, _) if first.is_whitespace() => blank(&mut plain),
            (0, _) => plain.push(first),
            (_, true) => blank(&mut plain),
            (_, false) => plain.push('?'),
        }
        rest = &rest[length.max(first.len_utf8())..];
    }
    short(plain.trim_end_matches([' ', ';']))
}

fn blank(plain: &mut String) {
    if !plain.is_empty() && !plain.ends_with(' ') {
        plain.push(' ');
    }
}

fn in_a_word(plain: &str) -> bool {
    plain.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// The length of a string in quotes; a doubled quote is a part of it.
fn quoted(rest: &str) -> usize {
    let mut quotes = rest.match_indices('\'').skip(1).peekable();
    while let Some((at, _)) = quotes.next() {
        match quotes.peek() {
            Some((next, _)) if *next == at + 1 => drop(quotes.next()),
            _ => return at + 1,
        }
    }
    rest.len()
}

/// `$1`, `:name`, `@p`, `%s`, `%(name)s`, `?`: what drivers write for a value.
fn placeholder(rest: &str) -> usize {
    if rest.starts_with("::") || rest.starts_with(":=") || rest.starts_with("@>") {
        return 0;
    }
    if let Some(named) = rest.strip_prefix("%(") {
        return named.find(')').map_or(0, |at| (at + 4).min(rest.len()));
    }
    let word = rest[1..].chars().take_while(|c| c.is_alphanumeric() || *c == '_');
    let length: usize = word.map(char::len_utf8).sum();
    match rest.chars().next() {
        Some('?') => 1,
        Some('%') if !rest.starts_with("%s") => 0,
        _ if length == 0 => 0,
        _ => 1 + length,
    }
}

fn number(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len())
}

/// `(?, ?, ?)` is `(?)`, and so are many such rows. What type a parameter has is no part of the text:
/// drivers cast each (`?::INTEGER`).
fn short(text: &str) -> String {
    let mut text = without_types(text);
    for (long, one) in [("?,?", "?"), ("?, ?", "?"), ("(?),(?)", "(?)"), ("(?), (?)", "(?)")] {
        while text.contains(long) {
            text = text.replace(long, one);
        }
    }
    text
}

/// The text without the types of its parameters.
fn without_types(text: &str) -> String {
    let mut parts = text.split("?::");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let in_a_type = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"');
        let rest = part.trim_start_matches(in_a_type);
        plain.push('?');
        plain.push_str(rest.strip_prefix("[]").unwrap_or(rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::Statement;

    #[test]
    fn operation_and_table_make_the_name() {
        for (text, name) in [
            (
                "SELECT items.id, items.name \nFROM items WHERE items.id = $1::INTEGER",
                "select_items",
            ),
            (r#"INSERT INTO "public"."orders" (a, b) VALUES (%s, %(b)s)"#, "insert_orders"),
            ("update only stock set n = n - 1", "update_stock"),
            ("DELETE FROM shop.baskets", "delete_baskets"),
            (
                "WITH new AS (INSERT INTO log VALUES ('it''s') RETURNING id) SELECT * FROM new",
                "insert_log",
            ),
            ("select * from (select 1 from prices) p", "select_prices"),
            ("/* trace */ BEGIN ISOLATION LEVEL READ COMMITTED;", "begin"),
            ("SELECT 1", "select"),
            ("SHOW transaction isolation level", "show"),
            ("", "ping"),
            ("/* a driver's ping */", "ping"),
        ] {
            assert_eq!(Statement::new(text).name(), name, "{text}");
        }
    }

    #[test]
    fn values_are_no_part_of_the_text() {
        let text = |text: &str| Statement::new(text).text;
        assert_eq!(
            text("select a1 from t where b = 'x''y' -- why\n and c in (1, 2.5,3)"),
            "select a1 from t where b = ? and c in (?)"
        );
        assert_eq!(
            text(
                "SELECT n FROM t WHERE a IN ($1::INTEGER, $2::INTEGER) AND b = $3::TEXT[] AND c = $4"
            ),
            "SELECT n FROM t WHERE a IN (?) AND b = ? AND c = ?"
        );
        assert_eq!(text("select * from t where id=$12"), text("select * from t where id=17"));
        assert_eq!(text("insert into t values (1,2),(3,4)"), text("insert into t values (?)"));
        assert_eq!(text("select x::int from t"), "select x::int from t");
        assert_eq!(text("select 'ö', $1 % 3"), "select ? % ?");
    }

    #[test]
    fn what_writes() {
        assert!(Statement::new("insert into t values (1)").writes());
        assert!(!Statement::new("select 1").writes());
        let commit = Statement::new("COMMIT");
        assert!(commit.is_control() && !commit.writes());
    }

    #[test]
    fn half_a_statement_is_none_the_less_one() {
        for text in
            ["select '", "/*", "%(", "%(x)", "$", "--", "'''", "from", "select * from", "é?"]
        {
            let _ = Statement::new(text).name();
        }
    }
}
