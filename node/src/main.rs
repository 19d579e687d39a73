//! `banyan`: the program.

fn main() -> std::process::ExitCode {
    banyan_node::cli::main()
}
