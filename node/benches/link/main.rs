//! What links cost, against bare quinn in the same run: `name=value` lines.
//!
//! `scripts/bench link [helper] [receiver] [flat] [ways]`, by default all of them. Whoever is
//! measured is a process of its own, started from this same binary, so that its CPU time can be
//! read from outside. CPU time is what counts: wall time is of a machine that does other work too.

mod bare;
mod cpu;
mod flat;
mod helper;
mod load;
mod node;
mod process;
mod receiver;
mod tls;
mod ways;

use std::future::Future;

fn main() {
    // `cargo bench` adds `--bench`.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["role", role, rest @ ..] => play(role, rest),
        [] => ["helper", "receiver", "flat", "ways"].into_iter().for_each(measure),
        names => names.iter().copied().for_each(measure),
    }
}

fn measure(name: &str) {
    match name {
        "helper" => helper::measure(),
        "receiver" => receiver::measure(),
        "flat" => flat::measure(),
        "ways" => ways::measure(),
        _ => {
            eprintln!("no benchmark {name}: there are helper, receiver, flat and ways");
            std::process::exit(2);
        }
    }
}

/// A process that the benchmark started. It ends with its standard input.
fn play(role: &str, args: &[&str]) {
    match (role, args) {
        ("root", [slots]) => run(helper::root(number(slots) as u16)),
        ("helper", [root]) => run(helper::helper(address(root))),
        ("children", [helper, count]) => run(helper::children(address(helper), number(count))),
        ("gateway", [root]) => run(receiver::gateway(address(root))),
        ("rebuild", []) => run(receiver::rebuild()),
        ("bare-root", []) => run(bare::root()),
        ("bare-helper", [root]) => run(bare::helper(address(root))),
        ("bare-children", [helper, count]) => run(bare::children(address(helper), number(count))),
        ("flat-receiver", []) => run(flat::receiver()),
        ("flat-sender", [to, count]) => run(flat::sender(address(to), number(count))),
        ("bare-flat-receiver", [count]) => run(bare::flat_receiver(number(count))),
        ("bare-flat-sender", [to, count]) => run(bare::flat_sender(address(to), number(count))),
        ("way", [way, trial]) => run(ways::play(way, trial)),
        _ => panic!("no role {role} with {args:?}"),
    }
}

fn run(role: impl Future<Output = ()>) {
    // As the program itself runs.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        tokio::select! {
            () = role => {}
            () = process::end_of_input() => {}
        }
    });
    std::process::exit(0);
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn address(text: &str) -> std::net::SocketAddr {
    text.parse().expect("an address")
}
