//! A list of requests, as a file of its own.

use std::path::Path;

use super::check::check_section;
use super::diagnostic::{Diagnostics, Problem, Problems};
use super::files::{Disk, Files, LONGEST_FILE, Unreadable};
use super::source::Sources;
use super::tree::{Node, Table, Value, parse};
use crate::keys::{Keys, Position, TableType};
use crate::request::{Listed, Method, RequestList, Template};

/// Reads the list of requests in the file at `path`: at least one, each with a path that can be
/// sent and allowed to be sent.
///
/// # Errors
/// Every problem of the file.
pub fn load_requests(path: &Path) -> Result<Vec<Listed>, Diagnostics> {
    requests_from(&Disk, &path.to_string_lossy())
}

fn requests_from(files: &dyn Files, path: &str) -> Result<Vec<Listed>, Diagnostics> {
    let (mut sources, mut problems) = (Sources::default(), Problems::default());
    let list = read(files, path, &mut sources, &mut problems);
    list.filter(|_| problems.is_empty()).ok_or_else(|| problems.finish(&sources))
}

fn read(
    files: &dyn Files,
    path: &str,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Option<Vec<Listed>> {
    let text = match files.read(path, LONGEST_FILE) {
        Ok(text) => text,
        Err(why) => {
            let at = sources.add(path, None);
            let allowed = match why {
                Unreadable::Missing => "the path of a list of requests",
                _ => "a TOML file of at most 1MiB",
            };
            let found = format!("cannot be read: {why}");
            problems.push(Problem::new(at, found).allowed(allowed));
            return None;
        }
    };
    let at = sources.add(path, Some(text.clone()));
    let node = parse(&text, at, problems)?;
    let Value::Table(table) = node.value else { return None };
    let fields = check_section(&table, at, RequestList::section(), problems);
    let places = places(&table);
    if places.is_empty() && problems.is_empty() {
        problems.push(
            Problem::new(at, "there is no request in it")
                .allowed("at least one table `[[request]]`")
                .advice("write `[[request]]`, and below it `path = \"/items/{1..5000}\"`"),
        );
    }
    places.iter().for_each(|node| check_path(node, problems));
    let list = RequestList::read(&fields, &[])?.request;
    for (request, place) in list.iter().zip(places) {
        check(request, place, problems);
    }
    twice(&list, &table, problems);
    Some(list)
}

/// The tables of the requests.
fn places(table: &Table) -> Vec<&Node> {
    match table.get("request").map(|entry| &entry.node.value) {
        Some(Value::List(nodes)) => nodes.iter().collect(),
        _ => Vec::new(),
    }
}

/// The place of a key of a request, or else of the request.
fn place(node: &Node, key: &str) -> Position {
    let entry = node.table().and_then(|table| table.get(key));
    entry.map_or(node.at, |entry| entry.node.at)
}

/// Checks the path as it is written, whatever else is wrong with its request.
fn check_path(node: &Node, problems: &mut Problems) {
    let path = node.table().and_then(|table| table.word("path"));
    for wrong in path.and_then(|path| Template::path(path).err()).into_iter().flatten() {
        problems.push(
            Problem::new(place(node, "path"), format!("`path`: {}", wrong.found))
                .allowed(wrong.allowed)
                .advice(wrong.advice),
        );
    }
}

fn check(request: &Listed, node: &Node, problems: &mut Problems) {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    for (name, value) in &request.headers {
        let named = !name.is_empty() && name.chars().all(token);
        if !named || value.chars().any(|c| c.is_control() && c != '\t') {
            problems.push(
                Problem::new(place(node, "headers"), format!("`{name}` is no header"))
                    .allowed("a name without blanks and colons, and a value of one line")
                    .advice("write it as `headers = { authorization = \"Bearer ...\" }`"),
            );
        }
    }
    let method = request.method;
    if !method.is_safe() && !request.safe {
        let word = method.as_str();
        problems.push(
            Problem::new(node.at, format!("`{}` may change something", request.title()))
                .allowed(format!("{word} only where `safe = true` says that it may be sent"))
                .advice("write `safe = true` if it may be sent a few thousand times, or remove it"),
        );
    }
    if request.body.is_some() && matches!(method, Method::Get | Method::Head) {
        problems.push(
            Problem::new(place(node, "body"), format!("{} with a body", method.as_str()))
                .allowed("a body with POST, PUT, PATCH, DELETE or OPTIONS")
                .advice("remove `body`, or write the method that it belongs to"),
        );
    }
}

/// Names tell requests apart in the answer.
fn twice(list: &[Listed], table: &Table, problems: &mut Problems) {
    let titles: Vec<String> = list.iter().map(Listed::title).collect();
    for (index, node) in places(table).into_iter().enumerate() {
        if titles.get(index).is_some_and(|title| titles[..index].contains(title)) {
            let found = format!("a second request is called `{}`", titles[index]);
            problems.push(
                Problem::new(place(node, "name"), found)
                    .allowed("a name of its own for each request")
                    .advice("write another `name`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::files::Memory;
    use super::*;

    fn read(text: &str) -> Result<Vec<Listed>, String> {
        let files = Memory(BTreeMap::from([("requests.toml".to_string(), text.into())]));
        requests_from(&files, "requests.toml").map_err(|problems| problems.to_string())
    }

    #[test]
    fn a_list_is_read_with_its_defaults() {
        let list = read(
            "[[request]]\npath = \"/items/{1..9}\"\n\
             [[request]]\nname = \"order\"\nweight = 3\nmethod = \"POST\"\npath = \"/orders\"\n\
             headers = { content-type = \"application/json\" }\nbody = '{\"id\": {1..9}}'\n\
             safe = true\n",
        );
        let list = list.expect("a good list");
        assert_eq!((&*list[0].title(), list[0].weight), ("GET /items/{1..9}", 1.0));
        assert_eq!(
            (&*list[1].title(), list[1].method, list[1].weight),
            ("order", Method::Post, 3.0)
        );
        assert_eq!(list[1].headers["content-type"], "application/json");
    }

    #[test]
    fn every_problem_is_told_with_its_place() {
        let told = read("[[request]]\npath = \"/items/{id}\"\nwieght = 2\n");
        let told = told.expect_err("two problems");
        for part in [
            "requests.toml:2:8: `path`: `{id}`: it does not say which values there are",
            "requests.toml:3:1: unknown key `request[0].wieght`",
            "did you mean `weight`?",
        ] {
            assert!(told.contains(part), "{part} is not in\n{told}");
        }
        let told = read(
            "[[request]]\npath = \"items\"\n\n\
             [[request]]\nmethod = \"DELETE\"\npath = \"/items/{1..9}\"\n\
             [[request]]\npath = \"/a\"\n[[request]]\npath = \"/a\"\nbody = \"x\"\n",
        );
        let told = told.expect_err("many problems");
        for part in [
            "requests.toml:2:8: `path`: `items` does not begin with `/`",
            "requests.toml:4:1: `DELETE /items/{1..9}` may change something",
            "requests.toml:9:1: a second request is called `GET /a`",
            "requests.toml:11:8: GET with a body",
        ] {
            assert!(told.contains(part), "{part} is not in\n{told}");
        }
        let none = read("request = []\n").expect_err("it is empty");
        assert!(none.contains("there is no request in it"), "{none}");
        assert!(read("[[request]\n").is_err());
        let missing = load_requests(Path::new("no/such.toml")).expect_err("there is none");
        assert!(missing.to_string().contains("cannot be read: there is no such file"));
    }
}
