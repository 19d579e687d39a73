//! Writes the seeds of every target: `seeds DIRECTORY`. Prints the targets' names.

fn main() {
    let directory = std::env::args_os().nth(1).expect("usage: seeds DIRECTORY");
    for target in banyan_fuzz::targets() {
        banyan_protocol::fuzzing::write_seeds(directory.as_ref(), target);
        println!("{}", target.name);
    }
}
