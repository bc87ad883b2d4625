//! What a handler does, one step on each line.

use model::keys::quote;

use super::super::Step;
use super::file::File;
use super::latency;
use super::names::Names;

/// The key `steps` of an endpoint, whose path is `key`.
pub(super) fn steps(file: &mut File, steps: &[Step], key: &str, names: &Names) {
    let mut lines = Vec::new();
    for step in steps {
        let at = format!("{key}[{}]", lines.len());
        lines.extend(self::step(file, step, &at, names));
    }
    if lines.is_empty() {
        return file.line("steps = []");
    }
    file.line("steps = [");
    for text in lines {
        file.line(&format!("  {text},"));
    }
    file.line("]");
}

/// A step as a table; none of steps that do nothing.
fn step(file: &mut File, step: &Step, key: &str, names: &Names) -> Option<String> {
    Some(match step {
        Step::Cpu(cpu) => {
            let value = latency(file, cpu, &format!("{key}.cpu"));
            format!("{{ cpu = {value} }}")
        }
        Step::Wait(wait) => {
            let value = latency(file, wait, &format!("{key}.sleep"));
            format!("{{ sleep = {value} }}")
        }
        Step::Block(wait) => {
            let value = latency(file, wait, &format!("{key}.block"));
            format!("{{ block = {value} }}")
        }
        Step::Query(name) => {
            let kind = if names.writes(name) { "write" } else { "read" };
            format!("{{ {kind} = {} }}", quote(names.query(name)))
        }
        Step::Call(name) => format!("{{ call = {} }}", quote(names.upstream(name))),
        Step::Parallel(inside) => {
            let mut items = Vec::new();
            for one in flat(inside) {
                let at = format!("{key}.gather[{}]", items.len());
                items.extend(self::step(file, one, &at, names));
            }
            if items.is_empty() {
                return None;
            }
            format!("{{ gather = [{}] }}", items.join(", "))
        }
    })
}

/// The steps that run at the same time, those of a group inside the group among them.
fn flat(steps: &[Step]) -> Vec<&Step> {
    let each = steps.iter().map(|step| match step {
        Step::Parallel(inside) => flat(inside),
        step => vec![step],
    });
    each.flatten().collect()
}
