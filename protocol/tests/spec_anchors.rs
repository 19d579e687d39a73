//! What code and documents point at is there: sections of `proto/SPEC.md`, files of the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files below `dir` whose names end in one of `endings`, what is built or fetched left out.
fn files(dir: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let foreign = ["target", "node_modules", "corpus", "corpus-min"].contains(&&*name);
            if !foreign && !name.starts_with('.') {
                files(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let slug = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(slug).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_section_that_code_cites_is_in_the_specification() {
    let sections = anchors(&read(&root().join("proto/SPEC.md")));
    let mut sources = Vec::new();
    files(&root(), &[".rs", ".proto", ".hex", ".txt", ".md"], &mut sources);
    let mut cited = 0;
    for path in sources {
        let text = read(&path);
        // Put together, or this file would cite it.
        for cite in text.split(concat!("SPEC.", "md#")).skip(1) {
            let end = cite.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let anchor = &cite[..end.unwrap_or(cite.len())];
            assert!(sections.contains(anchor), "{} cites #{anchor}", path.display());
            cited += 1;
        }
    }
    assert!(cited > 20, "only {cited} citations: were the sources found?");
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut documents = Vec::new();
    files(&root(), &[".md"], &mut documents);
    for path in documents {
        let text = read(&path);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                _ => path.parent().expect("a directory").join(file),
            };
            assert!(target.exists(), "{}: ({link}) is not there", path.display());
            if !anchor.is_empty() {
                assert!(
                    anchors(&read(&target)).contains(anchor),
                    "{}: ({link}) has no such heading",
                    path.display()
                );
            }
        }
    }
}
