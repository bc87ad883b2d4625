//! Jobs that are written for other systems: what they run gives the answer of one process.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const SWEEP: &str = "sweep v5.toml --set load.duration=3s --set load.warmup=1s \
                     --vary load.users=5..20:5 --replications 2 --format csv";

/// Submits a job of Slurm: each task of an array runs here, or the job itself.
const SBATCH: &str = r#"#!/bin/bash
script=$(mktemp); cat >"$script"; array=
for word in "$@"; do case $word in --array=*) array=${word#*=1-};; --dependency=*) echo "$word" >>dependencies;; esac; done
if [ -n "$array" ]; then
  for task in $(seq "$array"); do SLURM_ARRAY_TASK_ID=$task bash "$script" || exit 1; done
else
  bash "$script" || exit 1
fi
echo 17
"#;

/// Submits a job of AWS Batch: it notes what it is given.
const AWS: &str = r#"#!/bin/bash
test "$1 $2" = "batch submit-job" || exit 1
while [ $# -gt 0 ]; do
  case $1 in --cli-input-json) document=$2;; --depends-on) echo "$2" >>dependencies;; esac; shift
done
echo "$document" >>documents
echo 17
"#;

/// Runs a line of a shell in `folder`, where `sim` and the programs of the folder are on the path.
fn shell(folder: &Path, line: &str) -> Output {
    let programs = Path::new(env!("CARGO_BIN_EXE_sim")).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{}:{path}", folder.join("bin").display(), programs.display());
    let mut command = Command::new("bash");
    command.current_dir(folder).env("PATH", path).args(["-e", "-c", line]);
    let done = command.output().expect("bash starts");
    assert!(done.status.success(), "{line}: {done:?}");
    done
}

/// A folder with programs of these names.
fn folder(programs: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    fs::create_dir(folder.path().join("bin")).expect("the folder is ours");
    for (name, text) in programs {
        fs::write(folder.path().join("bin").join(name), text).expect("the folder is ours");
        shell(folder.path(), &format!("chmod +x bin/{name}"));
    }
    folder
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_script_for_slurm_runs_all_shards_and_then_the_merge() {
    let folder = folder(&[("sbatch", SBATCH)]);
    let folder = folder.path();
    shell(folder, &format!("sim {SWEEP} --emit slurm --shards 3 -o sweep.sh"));
    shell(folder, "bash -n sweep.sh");
    shell(folder, "bash sweep.sh");
    let whole = shell(folder, &format!("sim {SWEEP}")).stdout;
    assert_eq!(read(folder, "v5.csv").into_bytes(), whole);
    assert_eq!(fs::read_dir(folder.join("parts-v5")).expect("a folder").count(), 3);
    assert_eq!(read(folder, "dependencies"), "--dependency=afterok:17\n");
}

#[test]
fn words_of_the_command_are_kept_as_they_were() {
    let folder = folder(&[("sbatch", SBATCH)]);
    let folder = folder.path();
    let words = r#"sweep v5.toml --set load.duration=3s --set load.warmup=1s --seed 7 \
        --vary 'upstream.partner.latency={ p50 = "1s", p99 = "2s" },{ p50 = "2s", p99 = "4s" }' \
        --keep 'p99 < 5s' --confidence 90% --replications 2 --format json"#;
    shell(folder, &format!("sim {words} --emit slurm --shards 2 -o sweep.sh; bash sweep.sh"));
    let whole = shell(folder, &format!("sim {words}")).stdout;
    assert_eq!(read(folder, "v5.json").into_bytes(), whole);
}

/// The words of a container's command, as a shell reads them.
fn line(command: &Value) -> String {
    let words = command.as_array().expect("a list").iter().filter_map(Value::as_str);
    shlex::try_join(words).expect("no NUL")
}

#[test]
fn the_script_for_batch_submits_what_runs() {
    let folder = folder(&[("aws", AWS)]);
    let folder = folder.path();
    shell(folder, &format!("sim {SWEEP} --emit batch --shards 3 -o sweep.sh"));
    shell(folder, "JOB_QUEUE=queue JOB_DEFINITION=sim bash sweep.sh; mkdir parts-v5");
    let documents = read(folder, "documents");
    let mut jobs = serde_json::Deserializer::from_str(&documents).into_iter::<Value>();
    let mut next = || jobs.next().expect("a job").expect("JSON");
    let (shards, merge) = (next(), next());
    assert_eq!(shards["arrayProperties"]["size"], 3);
    assert!(merge.get("arrayProperties").is_none());
    assert_eq!(read(folder, "dependencies"), "jobId=17\n");
    let command = line(&shards["containerOverrides"]["command"]);
    for task in 0..3 {
        shell(folder, &format!("AWS_BATCH_JOB_ARRAY_INDEX={task} {command}"));
    }
    shell(folder, &line(&merge["containerOverrides"]["command"]));
    assert_eq!(read(folder, "v5.csv").into_bytes(), shell(folder, &format!("sim {SWEEP}")).stdout);
}

#[test]
fn the_objects_for_kubernetes_run_all_shards_and_then_the_merge() {
    let folder = folder(&[]);
    let folder = folder.path();
    shell(
        folder,
        &format!("sim {SWEEP} --emit k8s --shards 3 --image registry/sim:1 -o sweep.json"),
    );
    let list: Value = serde_json::from_str(&read(folder, "sweep.json")).expect("JSON");
    let items = list["items"].as_array().expect("a list");
    let kinds: Vec<&str> = items.iter().filter_map(|item| item["kind"].as_str()).collect();
    assert_eq!(kinds, ["ConfigMap", "PersistentVolumeClaim", "Job", "Job"]);
    let (array, merge) = (&items[2]["spec"], &items[3]["spec"]);
    assert_eq!((&array["completions"], &array["completionMode"]), (&3.into(), &"Indexed".into()));
    assert_eq!(merge["suspend"], true);
    // What is mounted at /scenario and /parts lies in this folder.
    for (name, text) in items[0]["data"].as_object().expect("files") {
        fs::write(folder.join(name), text.as_str().expect("text")).expect("written");
    }
    let command = |spec: &Value| {
        let container = &spec["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], "registry/sim:1");
        line(&container["command"]).replace("/scenario/", "").replace("/parts", "parts")
    };
    for index in 0..3 {
        shell(folder, &format!("JOB_COMPLETION_INDEX={index} {}", command(array)));
    }
    shell(folder, &command(merge));
    assert_eq!(
        read(folder, "parts/v5.csv").into_bytes(),
        shell(folder, &format!("sim {SWEEP}")).stdout
    );
}

#[test]
fn what_is_wrong_is_told_before_a_job_is_written() {
    let folder = folder(&[]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    let words =
        ["sweep", "v5.toml", "--vary", "service.workers=0,1", "--emit", "slurm", "-o", "x.sh"];
    let done = command.current_dir(folder.path()).args(words).output().expect("sim starts");
    assert_eq!(done.status.code(), Some(2), "{done:?}");
    assert!(!folder.path().join("x.sh").exists());
}
