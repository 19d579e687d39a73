//! Compiles `proto/*.proto` without an installed `protoc`.

use std::path::{Path, PathBuf};

/// Each file becomes the module `wire::proto::<stem>`.
const FILES: [&str; 2] = ["session.proto", "link.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let files: Vec<PathBuf> = FILES.iter().map(|name| root.join(name)).collect();
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let descriptors = protox::compile(&files, [&root])?;
    prost_build::Config::new().bytes(["."]).compile_fds(descriptors)?;
    Ok(())
}
