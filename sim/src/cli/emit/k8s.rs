//! For Kubernetes: the scenario, a volume for the parts, an indexed job, and a job that merges.

use model::read::{Diagnostic, Diagnostics};
use serde_json::{Value, json};

use super::Tasks;

/// Where the scenario and the parts are in a container.
const SCENARIO: &str = "/scenario";
const PARTS: &str = "/parts";
/// Most bytes of a ConfigMap.
const MOST: usize = 1 << 20;

/// The objects, and what to do with them.
pub(super) fn write(tasks: &Tasks<'_>) -> Result<(String, String), Diagnostics> {
    let Tasks { name, shards, .. } = tasks;
    let file = format!("{name}.toml");
    let files = tasks.resolved.to_files(&file);
    let bytes: usize = files.iter().map(|(name, text)| name.len() + text.len()).sum();
    if bytes > MOST {
        return Err(Diagnostic::of_file(
            tasks.resolved.path(),
            format!("has {bytes} bytes with its recorded arrivals"),
            format!("at most {MOST} bytes, which a ConfigMap takes"),
            "put the files into the image, and write the jobs with --emit slurm as a pattern",
        )
        .into());
    }
    let data: serde_json::Map<String, Value> =
        files.into_iter().map(|(name, text)| (name, Value::from(text))).collect();
    let shard = tasks.shard(&[format!("{SCENARIO}/{file}")], "k8s", PARTS);
    let merge = tasks.merge(PARTS, &format!("{PARTS}/{name}"));
    let mut array = job(tasks, &format!("sweep-{name}"), &shard);
    array["spec"]["completions"] = json!(shards);
    array["spec"]["parallelism"] = json!(shards);
    array["spec"]["completionMode"] = json!("Indexed");
    array["spec"]["backoffLimitPerIndex"] = json!(3);
    let mut after = job(tasks, &format!("merge-{name}"), &merge);
    after["spec"]["suspend"] = json!(true);
    let items = json!([
        { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": format!("sweep-{name}") }, "data": data },
        {
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": { "name": format!("sweep-{name}") },
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "resources": { "requests": { "storage": "1Gi" } }
            }
        },
        array,
        after
    ]);
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    let advice = format!(
        "note: kubectl apply -f FILE; then\n  \
         kubectl wait --for=condition=complete --timeout=-1s job/sweep-{name}\n  \
         kubectl patch job/merge-{name} --type=merge -p '{{\"spec\":{{\"suspend\":false}}}}'\n"
    );
    Ok((super::json(&list), advice))
}

/// A job of one container.
fn job(tasks: &Tasks<'_>, name: &str, command: &[String]) -> Value {
    let volume = format!("sweep-{}", tasks.name);
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": { "name": name },
        "spec": {
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{
                        "name": "sim",
                        "image": tasks.image,
                        "command": command,
                        "resources": {
                            "requests": { "cpu": tasks.processors.to_string(), "memory": "512Mi" }
                        },
                        "volumeMounts": [
                            { "name": "scenario", "mountPath": SCENARIO, "readOnly": true },
                            { "name": "parts", "mountPath": PARTS }
                        ]
                    }],
                    "volumes": [
                        { "name": "scenario", "configMap": { "name": volume } },
                        { "name": "parts", "persistentVolumeClaim": { "claimName": volume } }
                    ]
                }
            }
        }
    })
}
