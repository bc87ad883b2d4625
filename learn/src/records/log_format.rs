//! Access logs, by the format string of the server that wrote them.
//!
//! A format string is compiled into pieces once: fixed text, and fields that run to the next fixed text.
//! gunicorn writes `%(h)s %(D)s`, Apache `%h %D`, nginx `$remote_addr $request_time`, Envoy
//! `%START_TIME% %REQ(:METHOD)%`.

use std::fmt;

use super::entry::{Entry, Target, is_method, user};
use super::lines::Broken;
use super::time::of_line;

/// The compiled form of a format string.
#[derive(Clone, Debug, PartialEq)]
pub struct LogFormat {
    /// The format string, or the name under which it is known.
    pub name: String,
    pieces: Vec<Piece>,
    /// Lines without this text are about other things than requests.
    only_with: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Field(Field),
}

/// What a field means for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// When the request came.
    Start,
    /// When it was answered, or when the line was written, which is the same.
    End,
    /// `GET /items/4 HTTP/1.1`
    RequestLine,
    Method,
    Path,
    Route,
    Status,
    /// Seconds, or so many parts of a second.
    Duration(u32),
    /// Seconds at the service behind a proxy: several, separated by commas and colons, or `-`.
    Upstream(u32),
    /// Who asked.
    Address,
    /// A key of the line that we do not need.
    Other,
}

/// Why a format string cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFormat {
    /// No path in it.
    #[error("`{0}` has no field for the request or its path")]
    NoPath(String),
    /// Two fields of which nobody can say where the first ends.
    #[error("`{0}` has two fields with nothing in between: where the first ends cannot be told")]
    Adjacent(String),
    /// No field at all.
    #[error(
        "`{0}` is neither a known name ({known}) nor a format string of gunicorn (`%(h)s`), nginx \
         (`$remote_addr`), Apache (`%h`) or Envoy (`%START_TIME%`)",
        known = NAMES.join(", ")
    )]
    NoField(String),
}

/// Names of formats that servers use unless told otherwise, and their format strings.
const KNOWN: [(&str, &str); 5] = [
    ("common", r#"%h %l %u %t "%r" %>s %b"#),
    ("combined", r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#),
    ("gunicorn", r#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s""#),
    (
        "nginx",
        r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
    ),
    (
        "envoy",
        r#"[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%""#,
    ),
];

/// Names of known formats.
pub const NAMES: [&str; 6] = ["common", "combined", "gunicorn", "nginx", "envoy", "uvicorn"];

impl LogFormat {
    /// Compiles a format string, or the one that is known under this name.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn new(format: &str) -> Result<LogFormat, BadFormat> {
        let format = format.trim_matches('\n');
        if format == "uvicorn" {
            return Ok(LogFormat::uvicorn());
        }
        let known = KNOWN.iter().find(|(name, _)| *name == format);
        let text = known.map_or(format, |(_, text)| text);
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, length) = next(rest);
            match (pieces.last_mut(), piece) {
                (Some(Piece::Text(before)), Piece::Text(more)) => before.push_str(&more),
                (Some(Piece::Field(_)), Piece::Field(_)) => {
                    return Err(BadFormat::Adjacent(format.to_owned()));
                }
                (_, piece) => pieces.push(piece),
            }
            rest = &rest[length..];
        }
        let has = |wanted: &[Field]| {
            pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Field(field) if wanted.contains(field)))
        };
        if !pieces.iter().any(|piece| matches!(piece, Piece::Field(_))) {
            return Err(BadFormat::NoField(format.to_owned()));
        }
        if !has(&[Field::RequestLine, Field::Path, Field::Route]) {
            return Err(BadFormat::NoPath(format.to_owned()));
        }
        Ok(LogFormat { name: format.to_owned(), pieces, only_with: None })
    }

    /// `INFO:     127.0.0.1:35490 - "GET /items/458 HTTP/1.1" 200 OK`, and gunicorn's own lines around it
    /// under UvicornWorker.
    fn uvicorn() -> LogFormat {
        let text = |text: &str| Piece::Text(text.to_owned());
        let pieces = vec![
            Piece::Field(Field::Address),
            text(" - \""),
            Piece::Field(Field::RequestLine),
            text("\" "),
            Piece::Field(Field::Status),
        ];
        LogFormat { name: "uvicorn".to_owned(), pieces, only_with: Some(" - \"") }
    }

    /// The request of a line; none if the line is about something else.
    ///
    /// # Errors
    /// What is wrong with the line.
    pub fn entry(&self, line: &str) -> Result<Option<Entry>, Broken> {
        if self.only_with.is_some_and(|mark| !line.contains(mark)) {
            return Ok(None);
        }
        let mut found = Fields::default();
        let mut rest = line;
        for (index, piece) in self.pieces.iter().enumerate() {
            match piece {
                Piece::Text(text) => {
                    rest = after(rest, text).ok_or_else(|| {
                        Broken::new(format!(
                            "`{}` is missing after field {}",
                            text.trim(),
                            index / 2
                        ))
                    })?;
                }
                Piece::Field(field) => {
                    let end = match self.pieces.get(index + 1) {
                        Some(Piece::Text(text)) => end(rest, text).ok_or_else(|| {
                            Broken::new(format!("`{}` is missing at its place", text.trim()))
                        })?,
                        _ => rest.len(),
                    };
                    found.take(*field, &rest[..end])?;
                    rest = &rest[end..];
                }
            }
        }
        found.entry().map(Some)
    }

    /// Whether durations are in the lines.
    pub fn has_duration(&self) -> bool {
        let timed =
            |piece: &Piece| matches!(piece, Piece::Field(Field::Duration(_) | Field::Upstream(_)));
        self.pieces.iter().any(timed)
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

/// The rest of a line after `text`; one blank in a format may be several in a line.
fn after<'a>(line: &'a str, text: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix(text) {
        return Some(rest);
    }
    // A line may end before the blanks at the end of the format.
    line.strip_prefix(text.trim_end()).filter(|rest| rest.is_empty())
}

/// Where `text` begins. A quote that is escaped does not end a field.
fn end(line: &str, text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + line[from..].find(text)?;
        let escaped = text.starts_with('"')
            && line.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\').count() % 2
                == 1;
        if !escaped {
            return Some(at);
        }
        from = at + 1;
    }
}

/// The first piece of a format string and its length in bytes.
fn next(format: &str) -> (Piece, usize) {
    let own = |text: &str| text.strip_prefix('$').and_then(nginx);
    if let Some((field, length)) = own(format) {
        return (Piece::Field(field), length + 1);
    }
    if let Some((piece, length)) = format.strip_prefix('%').and_then(percent) {
        return (piece, length + 1);
    }
    let length = format.chars().next().map_or(0, char::len_utf8);
    (Piece::Text(format[..length].to_owned()), length)
}

/// A variable of nginx after its `$`.
fn nginx(rest: &str) -> Option<(Field, usize)> {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let (name, length) = match rest.strip_prefix('{') {
        Some(inner) => {
            let end = inner.find('}')?;
            (&inner[..end], end + 2)
        }
        None => {
            let end = rest.bytes().take_while(word).count();
            (&rest[..end], end)
        }
    };
    let field = match name {
        "" => return None,
        "request" => Field::RequestLine,
        "request_method" => Field::Method,
        "request_uri" | "uri" | "document_uri" => Field::Path,
        "status" => Field::Status,
        "time_local" | "time_iso8601" | "msec" => Field::End,
        "request_time" => Field::Duration(1),
        "upstream_response_time" => Field::Upstream(1),
        "remote_addr" | "http_x_forwarded_for" | "realip_remote_addr" => Field::Address,
        _ => Field::Other,
    };
    Some((field, length))
}

/// A field of gunicorn, Apache or Envoy after its `%`.
fn percent(rest: &str) -> Option<(Piece, usize)> {
    let field = |field: Field, length: usize| Some((Piece::Field(field), length));
    if rest.starts_with('%') {
        return Some((Piece::Text("%".to_owned()), 1));
    }
    if let Some(inner) = rest.strip_prefix('(') {
        let end = inner.find(")s")?;
        return field(gunicorn(&inner[..end]), end + 3);
    }
    let capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let word = rest.bytes().take_while(capital).count();
    if word >= 2 {
        // `%START_TIME(%s.%3f)%` has the mark inside of its argument.
        let argument = match rest[word..].strip_prefix('(') {
            Some(inner) => &inner[..inner.find(')')?],
            None => "",
        };
        let after = word + if argument.is_empty() { 0 } else { argument.len() + 2 };
        let length = after + rest[after..].find('%')? + 1;
        return field(envoy(&rest[..word], argument), length);
    }
    apache(rest)
}

/// What gunicorn writes for `%(name)s`.
fn gunicorn(name: &str) -> Field {
    match name {
        "h" => Field::Address,
        "t" => Field::End,
        "r" => Field::RequestLine,
        "m" => Field::Method,
        "U" => Field::Path,
        "s" => Field::Status,
        "T" => Field::Duration(1),
        "M" => Field::Duration(1_000),
        "D" => Field::Duration(1_000_000),
        "L" => Field::Duration(1),
        _ => Field::Other,
    }
}

/// What Envoy writes for `%NAME(argument)%`.
fn envoy(name: &str, argument: &str) -> Field {
    let header = argument.split(['?', ':']).find(|word| !word.is_empty());
    match (name, header.unwrap_or_default().to_ascii_uppercase().as_str()) {
        ("START_TIME", _) => Field::Start,
        ("REQ", "METHOD") => Field::Method,
        ("REQ", "PATH" | "X-ENVOY-ORIGINAL-PATH") => Field::Path,
        ("PATH", _) => Field::Path,
        ("RESPONSE_CODE", _) => Field::Status,
        ("DURATION", _) => Field::Duration(1_000),
        ("RESP", "X-ENVOY-UPSTREAM-SERVICE-TIME") => Field::Upstream(1_000),
        ("REQ", "X-FORWARDED-FOR") => Field::Address,
        ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", _) => Field::Address,
        _ => Field::Other,
    }
}

/// What Apache writes for `%h`, `%>s`, `%{Referer}i`, `%{ms}T`.
fn apache(rest: &str) -> Option<(Piece, usize)> {
    let mut at = usize::from(rest.starts_with(['>', '<']));
    let argument = match rest[at..].strip_prefix('{') {
        Some(inner) => {
            let end = inner.find('}')?;
            at += end + 2;
            &inner[..end]
        }
        None => "",
    };
    let letter = rest[at..].chars().next().filter(char::is_ascii_alphabetic)?;
    let field = match (letter, argument) {
        ('h' | 'a', _) => Field::Address,
        ('t', _) => Field::Start,
        ('r', _) => Field::RequestLine,
        ('m', _) => Field::Method,
        ('U', _) => Field::Path,
        ('s', _) => Field::Status,
        ('D', _) | ('T', "us") => Field::Duration(1_000_000),
        ('T', "ms") => Field::Duration(1_000),
        ('T', _) => Field::Duration(1),
        _ => Field::Other,
    };
    Some((Piece::Field(field), at + 1))
}

/// What the fields of a line say.
#[derive(Default)]
struct Fields<'a> {
    start: Option<f64>,
    end: Option<f64>,
    duration: Option<f64>,
    /// The finest unit that told the duration.
    unit: u32,
    upstream: Option<f64>,
    upstream_missing: bool,
    method: &'a str,
    path: &'a str,
    route: &'a str,
    status: Option<u16>,
    user: Option<u64>,
}

impl<'a> Fields<'a> {
    fn take(&mut self, field: Field, text: &'a str) -> Result<(), Broken> {
        let wrong = |what: &str| Broken::new(format!("`{text}` is no {what}"));
        match field {
            Field::Other => {}
            Field::Start => self.start = Some(of_line(text).ok_or_else(|| wrong("time"))?),
            Field::End => self.end = Some(of_line(text).ok_or_else(|| wrong("time"))?),
            Field::Method => self.method = text,
            Field::Path => self.path = text,
            Field::Route => self.route = text,
            Field::RequestLine => {
                let mut words = text.split(' ');
                self.method = words.next().unwrap_or_default();
                self.path = words.next().ok_or_else(|| wrong("request line"))?;
            }
            Field::Status => {
                let status = text.split(' ').next().unwrap_or_default();
                self.status = Some(status.parse().map_err(|_| wrong("status"))?);
            }
            Field::Duration(_) if text == "-" => {}
            Field::Duration(unit) => {
                let value = number(text).ok_or_else(|| wrong("duration"))?;
                // Whole seconds beside a finer field say nothing.
                if self.duration.is_none() || unit > self.unit || text.contains('.') {
                    self.duration = Some(value / f64::from(unit));
                    self.unit = unit;
                }
            }
            Field::Upstream(unit) => {
                let parts: Vec<&str> =
                    text.split([',', ':']).map(str::trim).filter(|part| *part != "-").collect();
                if parts.is_empty() || text.is_empty() {
                    self.upstream_missing = true;
                    return Ok(());
                }
                let mut sum = 0.0;
                for part in parts {
                    sum += number(part).ok_or_else(|| wrong("list of times"))?;
                }
                self.upstream = Some(sum / f64::from(unit));
            }
            Field::Address => {
                // Of `client, proxy1, proxy2` the first; the port is another one for each connection.
                let first = text.split(',').next().unwrap_or_default().trim();
                let first = first.rsplit(' ').next().unwrap_or_default();
                let host = match first.rsplit_once(':') {
                    Some((host, _)) if !host.contains(':') => host,
                    _ => first,
                };
                self.user = self.user.or_else(|| user(host));
            }
        }
        Ok(())
    }

    fn entry(self) -> Result<Entry, Broken> {
        let target = match (self.route, self.path) {
            ("" | "-", "" | "-") => return Err(Broken::new("it has no path")),
            ("" | "-", path) => Target::Path(path.to_owned()),
            (route, _) => Target::Route(route.to_owned()),
        };
        let method = if self.method == "-" { "" } else { self.method };
        if !method.is_empty() && !is_method(method) {
            return Err(Broken::new(format!("`{method}` is no method")));
        }
        Ok(Entry {
            start: self.start,
            end: self.end,
            // What the service took, without what its client took to read the reply.
            duration: self.upstream.or(self.duration),
            status: self.status,
            user: self.user,
            elsewhere: self.upstream_missing,
            ..Entry::of(method, target)
        })
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)
}
