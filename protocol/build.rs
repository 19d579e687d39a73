//! Compiles `proto/*.proto` without an installed `protoc`.

use std::path::{Path, PathBuf};

/// Each file becomes the module `wire::proto::<stem>`.
const FILES: [&str; 3] = ["session.proto", "link.proto", "capacity.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Asked at run time: the clone may have been moved since this was built.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo says where the crate is")?;
    let root = Path::new(&here).join("../proto");
    let files: Vec<PathBuf> = FILES.iter().map(|name| root.join(name)).collect();
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let descriptors = protox::compile(&files, [&root])?;
    prost_build::Config::new().bytes(["."]).compile_fds(descriptors)?;
    Ok(())
}
