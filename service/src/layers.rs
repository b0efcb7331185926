//! Who may use whom: read from the sources, because the compiler knows no layers within a crate.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The layers, from the lowest: each uses itself and those before it.
const LAYERS: &[(&str, &[&str])] = &[
    ("shared", &["attachment", "import"]),
    ("identity", &["identity"]),
    ("work", &["work"]),
    ("money", &["money"]),
    ("document", &["document"]),
    ("meter", &["meter"]),
    ("report", &["report"]),
    ("document", &["document"]),
    ("automation", &["automation"]),
    ("top", &["catalogue", "distribution", "key_rotation", "purge"]),
    ("sync", &["sync"]),
];

/// The layers that hold several aggregates, a module each.
const WINGS: &[&str] = &["identity", "work", "money", "document", "meter", "automation"];

/// Arrows that point up, by module and what it uses. This list may only get shorter.
const UPWARD: &[(&str, &str)] = &[("automation::webhook", "catalogue")];

/// Aggregates that use each other, whatever the way. This list may only get shorter.
const CIRCLES: &[&[&str]] = &[
    &[
        "identity::access",
        "identity::api_key",
        "identity::invitation",
        "identity::member",
        "identity::organization",
        "identity::rate",
        "identity::session",
        "identity::user",
    ],
    &["work::time_entry", "work::timecard"],
];

/// What a file uses of this crate: paths of at most two names.
fn uses(source: &str) -> BTreeSet<Vec<String>> {
    let code: Vec<&str> = source.split("#[cfg(test)]").next().unwrap_or_default().lines().collect();
    let code: Vec<&str> =
        code.into_iter().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let code = code.join("\n");
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        tree(&mut code[at + "crate::".len()..].chars().peekable(), &mut Vec::new(), &mut found);
    }
    found
}

/// Reads a tree of paths, as `use` has it, below a path.
fn tree(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    path: &mut Vec<String>,
    found: &mut BTreeSet<Vec<String>>,
) {
    let skip_space = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
    };
    skip_space(rest);
    if rest.next_if_eq(&'{').is_some() {
        loop {
            skip_space(rest);
            if rest.next_if_eq(&'}').is_some() {
                return;
            }
            tree(rest, &mut path.clone(), found);
            while rest.next_if(|c| !matches!(c, ',' | '}')).is_some() {}
            rest.next_if_eq(&',');
            if rest.peek().is_none() {
                return;
            }
        }
    }
    let mut name = String::new();
    while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
        name.push(c);
    }
    path.push(name);
    if rest.next_if_eq(&':').is_some() && rest.next_if_eq(&':').is_some() {
        tree(rest, path, found);
    } else {
        path.truncate(2);
        found.insert(path.clone());
    }
}

/// Each module, by the wing and the name of its aggregate or by its name alone, and what it uses.
fn modules() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut modules, mut folders) = (BTreeMap::<_, BTreeSet<_>>::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(&root).unwrap().with_extension("");
            let names: Vec<String> =
                below.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
            if names == ["lib"] || names == ["layers"] {
                continue;
            }
            let module = module(&names);
            let uses = uses(&fs::read_to_string(&path).unwrap());
            let used = uses.iter().map(|path| self::module(path)).filter(|used| *used != module);
            modules.entry(module.clone()).or_default().extend(used);
        }
    }
    modules
}

/// An aggregate with its wing, as `money::expense`; any other module by its name.
fn module(path: &[String]) -> String {
    let is_wing = WINGS.contains(&path[0].as_str());
    match path.get(1).filter(|name| is_wing && *name != "mod") {
        Some(name) => format!("{}::{name}", path[0]),
        None => path[0].clone(),
    }
}

fn layer(module: &str) -> Option<usize> {
    let top = module.split("::").next().unwrap_or_default();
    LAYERS.iter().position(|(_, modules)| modules.contains(&top))
}

#[test]
fn no_module_uses_one_of_a_higher_layer() {
    let modules = modules();
    let mut upward = BTreeSet::new();
    for (module, used) in &modules {
        let own = layer(module).unwrap_or_else(|| panic!("{module} is in no layer"));
        // What is re-exported at the root is of some module as well.
        for used in used.iter().filter(|used| layer(used).is_some_and(|other| other > own)) {
            upward.insert((module.as_str(), used.as_str()));
        }
    }
    let known: BTreeSet<_> = UPWARD.iter().copied().collect();
    assert_eq!(upward, known, "as they are: {upward:#?}");
}

#[test]
fn no_other_aggregates_use_each_other() {
    let modules = modules();
    let reach = |from: &str| {
        let (mut met, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(module) = next.pop() {
            for used in modules.get(&module).into_iter().flatten() {
                if used.contains("::") && met.insert(used.clone()) {
                    next.push(used.clone());
                }
            }
        }
        met
    };
    let reached: BTreeMap<&str, BTreeSet<String>> = modules
        .keys()
        .filter(|module| module.contains("::"))
        .map(|module| (module.as_str(), reach(module)))
        .collect();
    let circles: BTreeSet<Vec<&str>> = reached
        .iter()
        .map(|(module, reaches)| {
            let back = reached
                .iter()
                .filter(|(other, back)| reaches.contains(**other) && back.contains(*module));
            back.map(|(other, _)| *other).collect::<Vec<_>>()
        })
        .filter(|circle| circle.len() > 1)
        .collect();
    let known: BTreeSet<Vec<&str>> = CIRCLES.iter().map(|circle| circle.to_vec()).collect();
    assert_eq!(circles, known, "as they are: {circles:#?}");
}
