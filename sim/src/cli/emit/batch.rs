//! For AWS Batch: an array of tasks, and a job that depends on it.

use model::read::Diagnostics;
use serde_json::json;

use super::Tasks;

/// The script, and what to do with it.
pub(super) fn write(tasks: &Tasks<'_>) -> Result<(String, String), Diagnostics> {
    let Tasks { name, shards, .. } = tasks;
    let folder = format!("parts-{name}");
    let shard = job(tasks, "sweep", &tasks.shard(&tasks.source, "batch", &folder), Some(*shards));
    let merge = job(tasks, "merge", &tasks.merge(&folder, name), None);
    let text = format!(
        r#"#!/bin/bash
# Computes a sweep in {shards} shards, and merges them when all are done.
# JOB_DEFINITION names a job definition whose image has the program `sim`, and whose working folder is
# a volume that all tasks share, with the scenario's file. The parts go into the folder {folder} there.
set -euo pipefail
shards=$(aws batch submit-job --query jobId --output text \
  --job-queue "$JOB_QUEUE" --job-definition "$JOB_DEFINITION" --cli-input-json "$(cat <<'SHARD'
{shard}SHARD
)")
aws batch submit-job --query jobId --output text --depends-on "jobId=$shards" \
  --job-queue "$JOB_QUEUE" --job-definition "$JOB_DEFINITION" --cli-input-json "$(cat <<'MERGE'
{merge}MERGE
)"
"#
    );
    let advice = "note: JOB_QUEUE=… JOB_DEFINITION=… bash SCRIPT submits both jobs\n";
    Ok((text, advice.into()))
}

/// What the command of AWS reads.
fn job(tasks: &Tasks<'_>, kind: &str, command: &[String], array: Option<u64>) -> String {
    let processors = tasks.processors.to_string();
    let mut document = json!({
        "jobName": format!("{kind}-{}", tasks.name),
        "containerOverrides": {
            "command": command,
            "resourceRequirements": [
                { "type": "VCPU", "value": processors },
                { "type": "MEMORY", "value": "2048" }
            ]
        },
        "retryStrategy": { "attempts": 3 }
    });
    if let Some(size) = array {
        document["arrayProperties"] = json!({ "size": size });
    }
    super::json(&document)
}
