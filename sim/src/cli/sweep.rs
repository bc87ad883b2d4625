//! `sim sweep`: one or two keys at several values each, or a shard of that.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use model::read::{Diagnostic, Diagnostics, Resolved};
use model::sweep::Axis;
use render::{Console, Exit, Failure, Format, whole};

use super::emit;
use super::interrupt::interrupted;
use super::options::{Sweep, SweepForm, SweepFormat};
use super::progress::Progress;
use super::written::Wanted;
use crate::replicate::Effort;
use crate::sweep::part::{self, ALLOWED, Head, Share};
use crate::sweep::{self, Plan, Stuck};

impl SweepForm {
    /// The form of a failure.
    pub(super) fn failures(&self) -> Format {
        if self.format == SweepFormat::Json { Format::Json } else { Format::Text }
    }

    /// What is to be written, and where.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            format: self.format,
            show: self.show,
            output: self.output.as_deref(),
            html: self.html.as_deref(),
        }
    }
}

impl Sweep {
    /// The shard, if one is asked for.
    fn share(&self) -> Result<Option<Share>, Diagnostics> {
        let Some(text) = &self.shard else { return Ok(None) };
        let variable = |name: &str| std::env::var(name).ok();
        let share = Share::parse(text, &variable).map_err(|found| {
            Diagnostic::of_file(
                "--shard",
                found,
                ALLOWED,
                "name one of the shards, as in --shard 3/64",
            )
        })?;
        Ok(Some(share))
    }

    /// The file of a shard: in a folder it gets a name of its own. The tasks of an array have one
    /// `--output`, and so it is a folder, which the first of them makes.
    fn part(&self, share: Share) -> Result<Option<PathBuf>, Failure> {
        let Some(path) = &self.form.output else { return Ok(None) };
        if self.shard.as_deref().is_some_and(Share::is_numbered) {
            std::fs::create_dir_all(path).map_err(|error| {
                Failure::System(format!("cannot make the folder {}: {error}", path.display()))
            })?;
        }
        let name = format!("part-{}.jsonl", share.index);
        Ok(Some(if path.is_dir() { path.join(name) } else { path.clone() }))
    }
}

/// Predicts every point and writes the answer, or a part of it.
pub(super) fn run(options: &Sweep, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let wanted = options.form.wanted();
    let share = options.share()?;
    match share {
        Some(share) => options.part(share)?.as_deref().map_or(Ok(()), whole::check)?,
        None => wanted.check()?,
    }
    let mut resolved = options.source.load(&[])?;
    options.keep.apply(&mut resolved)?;
    let axes = options.axes();
    if let Some(system) = options.emit {
        // All that is wrong is told here, and not by the first of many tasks.
        Plan::new(&resolved, &axes)?;
        return emit::run(options, &resolved, system, console).map(|()| Exit::Success);
    }
    if let Some(share) = share {
        return shard(options, (&resolved, &axes), share, console);
    }
    let store = options.effort.store(console);
    let plan = Plan::new(&resolved, &axes)?.with_store(store.as_ref());
    wanted.refuse_too_many(plan.len())?;
    let stop = interrupted()?;
    let swept = computed(options, (&resolved.scenario.name, &plan), console, |effort, tell| {
        plan.run(effort, &stop, tell)
    })?;
    wanted.write(&swept, sweep::told(&swept), console)?;
    Ok(if swept.is_complete() { Exit::Success } else { Exit::Inconclusive })
}

/// Predicts the points of one shard and writes them as a part. One that is interrupted writes nothing:
/// whoever merges could not tell that points are missing.
fn shard(
    options: &Sweep,
    (resolved, axes): (&Resolved, &[Axis]),
    share: Share,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let store = options.effort.store(console);
    let plan = Plan::of_share(resolved, axes, share)?.with_store(store.as_ref());
    let stop = interrupted()?;
    let points = computed(options, (&resolved.scenario.name, &plan), console, |effort, tell| {
        plan.points(effort, &stop, tell)
    })?;
    if points.len() < plan.len() {
        console.talk(&format!("interrupted: shard {share} is not written\n"));
        return Ok(Exit::Inconclusive);
    }
    let head = Head::new(plan.job(&effort(options)), share);
    match options.part(share)? {
        Some(file) => whole::write(&file, |out| Ok(part::write(&head, &points, out)?))?,
        None => console.stream(|out| Ok(part::write(&head, &points, out)?))?,
    }
    Ok(Exit::Success)
}

/// What `work` computes, with progress and a failure that names the point.
fn computed<T>(
    options: &Sweep,
    (name, plan): (&str, &Plan<'_>),
    console: &mut Console<'_>,
    work: impl FnOnce(&Effort, &(dyn Fn(usize) + Sync)) -> Result<T, Stuck>,
) -> Result<T, Failure> {
    let effort = effort(options);
    let all = plan.len();
    let progress = Mutex::new(Progress::new(console, effort.confidence));
    let tell = |done: usize| {
        progress.lock().unwrap_or_else(PoisonError::into_inner).points(done, all);
    };
    work(&effort, &tell)
        .map_err(|stuck| Failure::run(&format!("{name} with {}", stuck.point), stuck.why))
}

fn effort(options: &Sweep) -> Effort {
    options.effort.effort(Effort::PRECISION)
}
