//! `banyan`: the program.
fn main() {}
