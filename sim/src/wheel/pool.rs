//! Memory for millions of small lists: chunks of a few entries, shared by all and used again.

/// Entries per chunk. Measured: at 32, reading and writing run along cache lines, and the half
/// empty chunk that each list ends in costs 3 MiB per wheel at most.
const CHUNK: usize = 32;

/// Chunks per slab. Growing by slabs copies nothing and wastes 1 MiB at most.
const SLAB: usize = 1 << 10;

/// No chunk.
const NONE: u32 = u32::MAX;

/// A list of entries in the order they were pushed.
#[derive(Clone, Copy)]
pub(super) struct List {
    head: u32,
    tail: u32,
    /// Entries in the last chunk; all others are full.
    fill: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { head: NONE, tail: NONE, fill: CHUNK as u32 }
    }
}

/// Where the chunks of all lists are.
pub(super) struct Pool<T> {
    slabs: Vec<Vec<T>>,
    /// The chunk after each, in its list or among the free.
    next: Vec<u32>,
    free: u32,
}

impl<T: Copy> Pool<T> {
    /// A pool that holds no memory yet.
    pub(super) fn new() -> Self {
        Self { slabs: Vec::new(), next: Vec::new(), free: NONE }
    }

    /// Bytes held.
    pub(super) fn memory(&self) -> usize {
        self.slabs.len() * SLAB * CHUNK * size_of::<T>() + self.next.capacity() * size_of::<u32>()
    }

    /// Appends `entry` to `list`.
    pub(super) fn push(&mut self, list: &mut List, entry: T) {
        if list.fill as usize == CHUNK {
            let chunk = self.allocate(entry);
            if list.head == NONE {
                list.head = chunk;
            } else {
                self.next[list.tail as usize] = chunk;
            }
            list.tail = chunk;
            list.fill = 0;
        }
        let (slab, from) = place(list.tail);
        self.slabs[slab][from + list.fill as usize] = entry;
        list.fill += 1;
    }

    /// Moves all of `list` to the end of `into`.
    pub(super) fn drain(&mut self, list: &mut List, into: &mut Vec<T>) {
        while self.drain_chunk(list, into) {}
    }

    /// Moves the first chunk of `list` to the end of `into`; false if the list was empty.
    pub(super) fn drain_chunk(&mut self, list: &mut List, into: &mut Vec<T>) -> bool {
        let chunk = list.head;
        if chunk == NONE {
            return false;
        }
        let last = chunk == list.tail;
        let (slab, from) = place(chunk);
        let fill = if last { list.fill as usize } else { CHUNK };
        into.extend_from_slice(&self.slabs[slab][from..from + fill]);
        if last {
            *list = List::default();
        } else {
            list.head = self.next[chunk as usize];
        }
        self.next[chunk as usize] = self.free;
        self.free = chunk;
        true
    }

    /// A chunk that no list uses. A new slab is filled with copies of `any` until it is written.
    fn allocate(&mut self, any: T) -> u32 {
        if self.free == NONE {
            let first = self.next.len() as u32;
            self.slabs.push(vec![any; SLAB * CHUNK]);
            let last = first + SLAB as u32;
            self.next.extend((first + 1..=last).map(|next| if next == last { NONE } else { next }));
            self.free = first;
        }
        let chunk = self.free;
        self.free = self.next[chunk as usize];
        chunk
    }
}

/// The slab of a chunk, and where in it the chunk begins.
fn place(chunk: u32) -> (usize, usize) {
    (chunk as usize / SLAB, chunk as usize % SLAB * CHUNK)
}
