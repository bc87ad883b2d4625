//! Ctrl-C, with which the user ends a long command early.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use render::Failure;

/// True once the user has asked to end, by Ctrl-C. A second time ends the program.
#[cfg(not(target_family = "wasm"))]
pub(super) fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::SIGINT;
    use signal_hook::flag;

    let stop = Arc::new(AtomicBool::new(false));
    let cannot = |error| Failure::System(format!("cannot watch for Ctrl-C: {error}"));
    flag::register_conditional_shutdown(SIGINT, 130, stop.clone()).map_err(cannot)?;
    flag::register(SIGINT, stop.clone()).map_err(cannot)?;
    Ok(stop)
}

/// Never true: WebAssembly has no signals, and what runs it ends it.
#[cfg(target_family = "wasm")]
pub(super) fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    Ok(Arc::default())
}
