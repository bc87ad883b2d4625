//! The child's end of the socket to its parent.

use std::io::{BufRead as _, BufReader};
use std::marker::PhantomData;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::process::exit;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::message::{self, Order, Reply};

/// Exit code of a child that failed.
const FAILED: i32 = 1;

/// The process has no parent to listen to.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Its standard output is something else.
    #[error(
        "the standard output is not a socket to `live run`, which starts this command: it is \
         not for a person to start"
    )]
    NotInherited,
}

/// What a child does before it ends.
type Last = Box<dyn FnOnce() + Send>;

/// Says what a child has counted.
type Count<B> = Box<dyn FnMut() -> B + Send>;

/// The child's end: orders of the type `S` to start come in, answers of the type `R`
/// (ready) and `B` (what it has counted) go out.
///
/// A thread of its own listens from the beginning, so that the process ends with its
/// parent, or when told to, whatever its other threads do. That thread keeps the CPUs that
/// the process was started on: pinning the process afterwards does not move it.
pub struct Control<S, R, B> {
    stream: Arc<UnixStream>,
    starts: Receiver<S>,
    load: Receiver<u64>,
    count: Arc<Mutex<Option<Count<B>>>>,
    last: Arc<Mutex<Option<Last>>>,
    ready: PhantomData<fn(R)>,
}

impl<S, R, B> Control<S, R, B>
where
    S: DeserializeOwned + Send + 'static,
    R: Serialize,
    B: Serialize + 'static,
{
    /// Listens to the parent, over the standard output. Nothing else may be written there.
    ///
    /// # Errors
    /// The process was started by someone else.
    pub fn from_stdout() -> Result<Control<S, R, B>, ControlError> {
        let inherited = std::io::stdout().as_fd().try_clone_to_owned();
        let stream = UnixStream::from(inherited.map_err(|_| ControlError::NotInherited)?);
        stream.peer_addr().map_err(|_| ControlError::NotInherited)?;
        let (starts, received) = channel();
        let (began, load) = channel();
        let control = Control {
            stream: Arc::new(stream),
            starts: received,
            load,
            count: Arc::new(Mutex::new(None)),
            last: Arc::new(Mutex::new(None)),
            ready: PhantomData,
        };
        let (stream, count) = (control.stream.clone(), control.count.clone());
        let end = End(control.last.clone());
        std::thread::spawn(move || {
            let _end = end;
            listen(&stream, &starts, &began, &count);
        });
        Ok(control)
    }

    /// What to do before the process ends because the parent says so or has ended. It must not
    /// take longer than a parent waits, three seconds.
    pub fn before_end(&self, last: impl FnOnce() + Send + 'static) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(last));
    }

    /// Waits for what to start.
    pub fn start(&self) -> S {
        // If the listening thread is gone, the process is ending.
        self.starts.recv().unwrap_or_else(|_| exit(0))
    }

    /// When the load began, on the machine's monotonic clock, if the parent has just said so.
    pub fn load_began(&self) -> Option<u64> {
        self.load.try_recv().ok()
    }

    /// Tells the parent that the child has begun. From now on `count` says, on the
    /// listening thread, what it has counted.
    pub fn ready(&self, ready: R, count: impl FnMut() -> B + Send + 'static) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(count));
        // Without a parent the listening thread ends the process.
        let _ = message::send(&self.stream, &Reply::<R, B>::Ready(ready));
    }

    /// Tells the parent why the child cannot go on, and ends it.
    pub fn fail(&self, why: &str) -> ! {
        fail::<B>(&self.stream, why)
    }
}

/// Ends the process when the listening thread ends, by a panic too: deaf to its parent it
/// could outlive it.
struct End(Arc<Mutex<Option<Last>>>);

impl Drop for End {
    fn drop(&mut self) {
        if let Some(last) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            last();
        }
        exit(if std::thread::panicking() { FAILED } else { 0 })
    }
}

fn fail<B: Serialize>(stream: &UnixStream, why: &str) -> ! {
    let _ = message::send(stream, &Reply::<(), B>::Failed(why.to_string()));
    exit(FAILED)
}

/// Does what the parent says until it says stop, or ends.
fn listen<S: DeserializeOwned, B: Serialize>(
    stream: &UnixStream,
    starts: &Sender<S>,
    began: &Sender<u64>,
    count: &Mutex<Option<Count<B>>>,
) {
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        match serde_json::from_str(&line) {
            // A second start is ignored.
            Ok(Order::Start(start)) => drop(starts.send(start)),
            Ok(Order::LoadBegan(at)) => drop(began.send(at)),
            Ok(Order::Snapshot) => {
                let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(count) = count.as_mut() else {
                    fail::<B>(stream, "it was asked what it had counted before it was ready")
                };
                if message::send(stream, &Reply::<(), B>::Snapshot(count())).is_err() {
                    return;
                }
            }
            Ok(Order::Stop) => return,
            Err(error) => fail::<B>(stream, &format!("it does not understand its parent: {error}")),
        }
    }
}
