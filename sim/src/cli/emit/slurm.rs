//! For Slurm: an array of tasks, and a job that depends on it.

use model::read::Diagnostics;

use super::{Tasks, line};

/// The script, and what to do with it.
pub(super) fn write(tasks: &Tasks<'_>) -> Result<(String, String), Diagnostics> {
    let Tasks { name, shards, .. } = tasks;
    let folder = format!("parts-{name}");
    let shard = line(&tasks.shard(&tasks.source, "slurm", &folder))?;
    let merge = line(&tasks.merge(&folder, name))?;
    let processors = tasks.processors;
    let text = format!(
        r#"#!/bin/bash
# Computes a sweep in {shards} shards, and merges them when all are done.
# Run it in a folder that all nodes see; each of them needs the same build of `sim`.
set -euo pipefail
mkdir -p {folder}
shards=$(sbatch --parsable --job-name=sweep-{name} --array=1-{shards} --cpus-per-task={processors} \
  --output={folder}/shard-%a.log <<'SHARD'
#!/bin/bash
exec {shard}
SHARD
)
sbatch --job-name=merge-{name} --dependency=afterok:"${{shards%%;*}}" --kill-on-invalid-dep=yes \
  --output={folder}/merge.log <<'MERGE'
#!/bin/bash
exec {merge}
MERGE
"#
    );
    let advice = "note: bash SCRIPT submits both jobs; of an array that was ended, \
                  submit the tasks that failed again\n";
    Ok((text, advice.into()))
}
