//! Writes the seeds of every fuzz target: `fuzz_seeds DIRECTORY`. Prints the targets' names.

use banyan_protocol::fuzzing::{TARGETS, write_seeds};

fn main() {
    let directory = std::env::args_os().nth(1).expect("usage: fuzz_seeds DIRECTORY");
    for target in TARGETS {
        write_seeds(directory.as_ref(), target);
        println!("{}", target.name);
    }
}
