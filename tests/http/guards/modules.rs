//! A file that no `mod` names is not compiled: its tests would never run, and nobody would notice. Nor would anybody
//! notice a resource that only these guards test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use service::catalogue::RESOURCES;

/// The folders of the test programs, each with a `main.rs`.
const PROGRAMS: &[&str] = &["http", "store", "canary", "../api/tests/process"];

/// What cargo does not compile with `cfg(test)` (`test = false`), because there is nothing to run.
const UNTESTED: &[&str] = &["src", "../migration/src", "../api/src/main.rs"];

/// Resources whose tests have another name.
const TESTED_AS: &[(&str, &str)] = &[
    ("account", "ledger"),
    ("journal_entry", "ledger"),
    ("organization", "time_zones"),
    ("saga", "payout"),
    ("user", "registration"),
];

/// The `*.rs` files below a folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}")) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path);
        }
    }
    found
}

/// The name in a line `mod name;`.
fn module(line: &str) -> Option<&str> {
    let visibilities = ["pub(crate) ", "pub(super) ", "pub "];
    let line = visibilities.iter().find_map(|it| line.strip_prefix(it)).unwrap_or(line);
    line.strip_prefix("mod ")?.strip_suffix(';')
}

/// The files that a file may mean by its `mod` lines. None of those lines is in an inline module.
fn named(file: &Path, text: &str) -> Vec<PathBuf> {
    let beside = file.parent().unwrap();
    let stem = file.file_stem().unwrap();
    let below = if stem == "main" || stem == "mod" { beside.to_owned() } else { beside.join(stem) };
    let (mut named, mut path) = (Vec::new(), None);
    for line in text.lines().map(str::trim) {
        if let Some(attribute) = line.strip_prefix("#[path = \"") {
            path = attribute.strip_suffix("\"]");
        } else if let Some(name) = module(line) {
            match path.take() {
                Some(path) => named.push(beside.join(path)),
                None => named.extend(["", "/mod"].map(|it| below.join(format!("{name}{it}.rs")))),
            }
        }
    }
    named
}

/// The files below a folder that its `main.rs` does not reach.
fn forgotten(folder: &Path) -> BTreeSet<PathBuf> {
    let mut left = files(folder);
    let mut reached = vec![folder.join("main.rs")];
    while let Some(file) = reached.pop() {
        if left.remove(&file) {
            reached.extend(named(&file, &fs::read_to_string(&file).unwrap()));
        }
    }
    left
}

#[test]
fn every_file_of_tests_is_compiled() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    for program in PROGRAMS {
        let forgotten = forgotten(&package.join(program));
        assert!(forgotten.is_empty(), "no `mod` names {forgotten:?}");
    }
}

#[test]
fn every_resource_has_tests_of_its_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("http");
    let names: BTreeSet<String> = files(&folder)
        .iter()
        .map(|path| path.strip_prefix(&folder).unwrap().with_extension(""))
        .flat_map(|path| {
            path.iter().map(|name| name.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    for resource in RESOURCES {
        let other = TESTED_AS.iter().find(|(name, _)| *name == resource.entity);
        let name = other.map_or(resource.entity, |(_, name)| *name);
        assert!(names.contains(name), "no {name}.rs in a folder of tests/http, nor a folder");
    }
}

#[test]
fn what_is_compiled_without_unit_tests_has_none() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in UNTESTED.iter().map(|path| package.join(path)) {
        for file in if path.is_dir() { files(&path) } else { BTreeSet::from([path]) } {
            let text = fs::read_to_string(&file).unwrap();
            assert!(!text.contains("#[test]") && !text.contains("#[cfg(test)]"), "{file:?}");
        }
    }
}

#[test]
fn a_file_that_no_mod_names_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, text) in [
        ("main.rs", "mod a;\npub(crate) mod b;\n#[path = \"odd.rs\"]\nmod c;\n// mod lost;\n"),
        ("a.rs", "mod inner;\n"),
        ("a/inner.rs", ""),
        ("b/mod.rs", "mod inner;\n"),
        ("b/inner.rs", ""),
        ("odd.rs", ""),
        ("c.rs", ""),
        ("lost.rs", "mod lost_too;\n"),
        ("b/lost.rs", ""),
    ] {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), text).unwrap();
    }
    let expected = ["b/lost.rs", "c.rs", "lost.rs"].map(at);
    assert_eq!(forgotten(folder.path()), BTreeSet::from(expected));
}
