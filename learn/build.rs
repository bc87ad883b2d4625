//! Refuses systems other than Linux in one sentence, before anything is compiled.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        println!(
            "cargo::error=`learn` measures what a service costs with what only Linux has: processors \
             for each process, cgroups and /proc. On this system build the simulator alone: \
             cargo build -p sim --no-default-features"
        );
    }
}
