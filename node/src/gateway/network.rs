//! The socket as the engine uses it: packets of one viewer collected into batches, failures
//! counted.

use std::net::SocketAddr;

use super::datagrams::Datagrams;
use super::limits;

/// Sends, and counts what the socket did not take.
pub(crate) struct Network {
    datagrams: Box<dyn Datagrams>,
    batch: Vec<u8>,
    segment: usize,
    segments: usize,
    /// A shorter segment ends a batch.
    complete: bool,
    to: Option<SocketAddr>,
    /// Datagrams the socket did not take.
    pub(crate) unsent: u64,
}

impl Network {
    pub(crate) fn new(datagrams: Box<dyn Datagrams>) -> Self {
        Self {
            datagrams,
            batch: Vec::with_capacity(limits::BATCH_BYTES_MAX),
            segment: 0,
            segments: 0,
            complete: false,
            to: None,
            unsent: 0,
        }
    }

    /// Sends a datagram at once, after those collected.
    pub(crate) fn send(&mut self, data: &[u8], to: SocketAddr) {
        self.flush();
        self.unsent += u64::from(self.datagrams.send(data, to).is_err());
    }

    /// Collects a datagram. Runs of equal length to one address go out by one system call.
    pub(crate) fn collect(&mut self, data: &[u8], to: SocketAddr) {
        let fits = self.to == Some(to)
            && !self.complete
            && data.len() <= self.segment
            && self.segments < limits::BATCH_SEGMENTS_MAX
            && self.batch.len() + data.len() <= limits::BATCH_BYTES_MAX;
        if !fits {
            self.flush();
            self.to = Some(to);
            self.segment = data.len();
        }
        self.complete = data.len() < self.segment;
        self.segments += 1;
        self.batch.extend_from_slice(data);
    }

    /// Sends what is collected.
    pub(crate) fn flush(&mut self) {
        if let Some(to) = self.to.take() {
            let sent = match self.segments {
                1 => self.datagrams.send(&self.batch, to).map(|()| self.batch.len()),
                _ => self.datagrams.send_batch(to, &self.batch, self.segment),
            };
            let left = self.batch.len() - sent.unwrap_or(0).min(self.batch.len());
            self.unsent += left.div_ceil(self.segment.max(1)) as u64;
            self.batch.clear();
            self.segments = 0;
            self.complete = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<Sent>>>);

    type Sent = (Vec<usize>, u16);

    impl Datagrams for Log {
        fn send(&self, data: &[u8], to: SocketAddr) -> io::Result<()> {
            self.0.lock().expect("log").push((vec![data.len()], to.port()));
            Ok(())
        }

        fn send_batch(&self, to: SocketAddr, data: &[u8], segment: usize) -> io::Result<usize> {
            let lengths = data.chunks(segment).map(<[u8]>::len).collect();
            self.0.lock().expect("log").push((lengths, to.port()));
            Ok(data.len())
        }
    }

    #[test]
    fn equal_lengths_to_one_address_are_one_batch() {
        let log = Log::default();
        let mut network = Network::new(Box::new(log.clone()));
        let to = |port| SocketAddr::from(([192, 0, 2, 1], port));
        for (length, port) in [(100, 1), (100, 1), (60, 1), (100, 1), (120, 1), (120, 2)] {
            network.collect(&vec![0; length], to(port));
        }
        network.flush();
        let sent = log.0.lock().expect("log").clone();
        let expected: [(&[usize], u16); 4] =
            [(&[100, 100, 60], 1), (&[100], 1), (&[120], 1), (&[120], 2)];
        assert_eq!(sent, expected.map(|(lengths, port)| (lengths.to_vec(), port)));
        assert_eq!(network.unsent, 0);
    }
}
