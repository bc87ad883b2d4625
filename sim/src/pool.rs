//! Threads that do the work. Where a system has none, as in WebAssembly, the caller does it all itself:
//! the answer is the same with any number of threads.

use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};

/// Does `work` on `count` threads of its own, or on one for each processor if that is 0. Each of them
/// calls `begin` first.
///
/// # Errors
/// No threads can be started.
pub(crate) fn install<T: Send>(
    count: usize,
    begin: impl Fn() + Send + Sync + 'static,
    work: impl FnOnce() -> T + Send,
) -> Result<T, ThreadPoolBuildError> {
    if cfg!(target_family = "wasm") {
        begin();
        return Ok(work());
    }
    let pool = ThreadPoolBuilder::new().num_threads(count).start_handler(move |_| begin());
    Ok(pool.build()?.install(work))
}
