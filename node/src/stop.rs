//! When to end: at the first signal cleanly, at the second at once.

use std::future::Future;
use std::io::Read;

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};

/// Says when the program shall end. Copies say the same.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens to SIGINT and SIGTERM from now on; and to the end of standard input if
    /// `with_stdin`, for a parent process that must not leave this one behind.
    ///
    /// # Errors
    /// The system refuses the signal handlers.
    pub fn listen(with_stdin: bool) -> Result<Self> {
        let interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
        let terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        let (tell, told) = watch::channel(false);
        tokio::spawn(relay(interrupt, terminate, with_stdin.then(stdin_ends), tell));
        Ok(Self(told))
    }

    /// A stop that comes when the returned sender says so, or is dropped.
    #[must_use]
    pub fn by_hand() -> (watch::Sender<bool>, Self) {
        let (tell, told) = watch::channel(false);
        (tell, Self(told))
    }

    /// Ready once it is time to end.
    pub async fn requested(&self) {
        // An error means that nobody can ask any more: then there is no reason to go on.
        drop(self.0.clone().wait_for(|stop| *stop).await);
    }

    /// The result of `work`, unless it is time to end first; then `work` is dropped.
    pub async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.requested() => None,
            done = work => Some(done),
        }
    }
}

async fn relay(
    mut interrupt: Signal,
    mut terminate: Signal,
    stdin: Option<mpsc::Receiver<()>>,
    tell: watch::Sender<bool>,
) {
    let stdin_ended = async {
        match stdin {
            Some(mut ended) => drop(ended.recv().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupt.recv() => eprintln!("\nstopping; once more to stop at once"),
        _ = terminate.recv() => {}
        () = stdin_ended => {}
    }
    // Nobody listening means that the program is ending anyway.
    let _ = tell.send(true);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    eprintln!("stopped at once");
    std::process::exit(2);
}

/// Closed when standard input ends. A thread of its own, as a read of it cannot be called off and
/// must not keep the runtime from ending.
fn stdin_ends() -> mpsc::Receiver<()> {
    let (alive, ended) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut nothing = [0; 64];
        while let Ok(1..) = std::io::stdin().lock().read(&mut nothing) {}
        drop(alive);
    });
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_ends_when_it_is_time() {
        let (tell, stop) = Stop::by_hand();
        assert_eq!(stop.unless(async { 3 }).await, Some(3));
        tell.send(true).expect("heard");
        stop.requested().await;
        assert_eq!(stop.clone().unless(std::future::pending::<()>()).await, None);
    }
}
