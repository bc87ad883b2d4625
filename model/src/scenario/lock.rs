//! A lock of the application.

use crate::keys::entry_name;
use crate::units::Span;

section! {
    /// A lock of the application: a mutex, or a semaphore that is no upstream's.
    #[section("lock")]
    pub struct Lock {
        /// Its name in `lock` steps.
        #[key(computed(entry_name))]
        pub name: String,
        /// How many hold it at a time: 1 is a mutex.
        #[key(within(1, 1_000_000))]
        pub holders: u32 = 1,
        /// Which requests share it.
        pub scope: LockScope = "worker",
        /// How long a request waits for it before an error.
        #[key(or("never"))]
        pub timeout: Option<Span>,
    }
}

words! {
    /// Which requests share a lock.
    pub enum LockScope {
        /// those of one worker process: `asyncio.Lock`, `threading.Lock`, `tokio::sync::Mutex`
        Worker = "worker",
        /// those of all workers: a lock of a file, or of a server that all workers know
        Service = "service",
    }
}
