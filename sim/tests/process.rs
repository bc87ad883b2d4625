//! The command as the shell sees it: exit codes, streams, a closed pipe.

use std::io::Read;
use std::process::{Command, Stdio};

fn sim(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sim"));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(args);
    command
}

#[test]
fn exit_codes_and_streams() {
    for (args, code) in [
        (vec!["check", "v6"], 0),
        (vec!["--version"], 0),
        (vec!["check", "v66"], 2),
        (vec!["no-such-command"], 2),
    ] {
        let output = sim(&args).output().expect("sim starts");
        assert_eq!(output.status.code(), Some(code), "sim {args:?}");
        // Data or talk, never both.
        assert_eq!(output.stdout.is_empty(), code != 0, "sim {args:?}");
        assert_eq!(output.stderr.is_empty(), code == 0, "sim {args:?}");
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = sim(&["trace", "v6", "--limit", "1000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("sim starts");
    let mut first = [0; 16];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("some bytes");
    let output = child.wait_with_output().expect("sim ends");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn no_colour_in_a_pipe() {
    let output = sim(&["--help"]).output().expect("sim starts");
    assert!(!output.stdout.contains(&0x1b));
}
