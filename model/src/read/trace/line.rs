//! One line of a file of arrivals.

use super::super::diagnostic::brief;
use super::time::Time;

/// How the lines of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Times, perhaps with the name of an endpoint behind a comma.
    Plain,
    /// The same, below a line `time` or `time,endpoint`.
    Endpoints,
    /// The same with requests, below a line `time,request`.
    Requests,
    /// The log of a server, in the common or the combined format.
    Log,
}

/// What a line says.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) time: Time,
    pub(super) name: Option<String>,
}

/// What was found and what is allowed.
pub(super) type Refused = (String, &'static str);

const LOG: &str = "a line of an access log: a time as in [28/Nov/2026:17:54:08 +0000], then the \
                   request as in \"GET /items HTTP/1.1\"";

impl Form {
    /// The form that the first line of a file tells.
    pub(super) fn of(first: &str) -> Form {
        let plain = first.to_ascii_lowercase().replace([' ', '\t', '"'], "");
        match &*plain {
            "time" | "time,endpoint" => Form::Endpoints,
            "time,request" => Form::Requests,
            _ if first.contains('[') && first.contains(']') => Form::Log,
            _ => Form::Plain,
        }
    }

    pub(super) fn has_header(self) -> bool {
        matches!(self, Form::Endpoints | Form::Requests)
    }

    pub(super) fn is_of_requests(self) -> bool {
        matches!(self, Form::Log | Form::Requests)
    }

    pub(super) fn is_log(self) -> bool {
        self == Form::Log
    }

    pub(super) fn line(self, line: &str) -> Result<Line, Refused> {
        match self {
            Form::Log => of_log(line).ok_or_else(|| (format!("\"{}\"", brief(line)), LOG)),
            _ => of_columns(line),
        }
    }
}

/// `12.5`, or `12.5,list_items`.
fn of_columns(line: &str) -> Result<Line, Refused> {
    let (time, name) = match line.split_once(',') {
        Some((time, name)) => (time.trim(), Some(name.trim())),
        None => (line, None),
    };
    let time = Time::parse(time.trim_matches('"')).map_err(|allowed| {
        let found = format!("\"{}\" is no time", brief(time));
        (found, allowed)
    })?;
    let name = name.filter(|name| !name.is_empty()).map(unquoted).transpose()?;
    Ok(Line { time, name })
}

/// A cell of a table, without its quotes.
fn unquoted(cell: &str) -> Result<String, Refused> {
    let Some(inner) = cell.strip_prefix('"') else {
        return match cell.contains([',', '"']) {
            true => Err((
                format!("\"{}\" is more than one name", brief(cell)),
                "a time and one name, in double quotes if there is a comma in it",
            )),
            false => Ok(cell.to_string()),
        };
    };
    let name = inner.strip_suffix('"').map(|inner| inner.replace("\"\"", "\u{0}"));
    match name.filter(|name| !name.contains('"')) {
        Some(name) => Ok(name.replace('\u{0}', "\"")),
        None => Err((
            format!("\"{}\" has quotes that do not match", brief(cell)),
            "a name in double quotes, in which \"\" stands for a quote",
        )),
    }
}

/// `127.0.0.1 - - [28/Nov/2026:17:54:08 +0000] "GET /items?page=2 HTTP/1.1" 200 512`.
fn of_log(line: &str) -> Option<Line> {
    let (_, rest) = line.split_once('[')?;
    let (time, rest) = rest.split_once(']')?;
    let time = Time::of_log(time)?;
    let (_, rest) = rest.split_once('"')?;
    let (request, _) = rest.split_once('"')?;
    Some(Line { time, name: called(request) })
}

/// Method and path of the first line of a request; none if it is no request.
fn called(request: &str) -> Option<String> {
    let mut words = request.split_whitespace();
    let (method, target) = (words.next()?, words.next()?);
    let path = target.split(['?', '#']).next()?;
    Some(format!("{method} {path}"))
}
