//! Holds the code to the rules of the house: who may know whom, one name across the tree, files that fit one head.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cogwit_core::case::CaseFile;
use cogwit_core::event::{Object, Trigger, examples};
use cogwit_core::policy::Document;
use cogwit_core::store::Source;

use crate::scenario;
use crate::support::admit;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file below `folder` with this ending, but for what was built.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        match path.file_name().and_then(|name| name.to_str()) {
            Some("target" | ".git") => {}
            _ if path.is_dir() => found.extend(files(&path, ending)),
            Some(name) if name.ends_with(ending) => found.push(path),
            _ => {}
        }
    }
    found
}

/// The code of a file without comments and its unit tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn stages_know_only_what_they_may() {
    let core = root().join("host/core/src");
    for stage in ["event", "policy", "route", "reply"] {
        for file in files(&core.join(stage), ".rs") {
            let code = code(&file);
            for stranger in ["wasmtime", "tokio", "Instant", "SystemTime", "object_store", "lambda_runtime"] {
                assert!(!code.contains(stranger), "{} knows {stranger}", file.display());
            }
        }
    }
    for file in files(&root().join("host"), ".rs") {
        let inside = file.starts_with(core.join("run")) || file.to_string_lossy().contains("/tests/");
        assert!(inside || !code(&file).contains("wasmtime::"), "{} knows wasmtime", file.display());
    }
}

/// The crate cogwit-pack is a tool of the guest's side, and knows no more of a policy than cargo does. So the standalone host
/// may call it for `cogwit pack`, and it calls the core's engine for machine code. No other host carries a compiler's errands, and none depends on the SDK or a policy.
#[test]
fn guest_and_host_share_the_wit_alone() {
    let read = |manifest: &Path| fs::read_to_string(manifest).unwrap().parse::<toml::Table>().unwrap();
    let workspace = read(&root().join("Cargo.toml"));
    let side_of = |name: &str| {
        let path = workspace["workspace"]["dependencies"].get(name)?.get("path")?.as_str()?;
        path.split_once('/').map(|(side, _)| side.to_owned())
    };
    for (side, other) in [("guest", "host"), ("host", "guest")] {
        for manifest in files(&root().join(side), "Cargo.toml") {
            let table = read(&manifest);
            let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
            let tables = sections.iter().filter_map(|section| table.get(*section)?.as_table());
            for name in tables.flat_map(toml::Table::keys) {
                let crossing = side_of(name).is_some_and(|found| found == other);
                let tool = match name.as_str() {
                    "cogwit-pack" => manifest.ends_with("host/standalone/Cargo.toml"),
                    "cogwit-core" => manifest.ends_with("guest/pack/Cargo.toml"),
                    _ => false,
                };
                assert!(!crossing || tool, "{} knows {name}", manifest.display());
            }
        }
    }
    let pack = fs::read_to_string(root().join("guest/pack/Cargo.toml")).unwrap();
    assert!(!pack.contains("cogwit-sdk"), "the tool knows the SDK");
}

#[test]
fn a_trigger_has_one_name_across_the_tree() {
    let names = |folder: &str, ending: &str| -> BTreeSet<String> {
        let files = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().file_name());
        let names = files.filter_map(|name| name.to_str()?.strip_suffix(ending).map(|stem| stem.replace('_', "-")));
        names.collect()
    };
    let triggers: BTreeSet<_> = Trigger::all().map(|trigger| trigger.name().to_owned()).collect();
    for (folder, ending) in [("wit", ".wit"), ("host/core/src/trigger", ".rs"), ("guest/sdk/src", ".rs")] {
        let here: BTreeSet<_> = names(folder, ending).intersection(&triggers).cloned().collect();
        assert_eq!(here, triggers, "{folder}");
    }
    assert_eq!(names("host/tests/scenarios", ""), triggers);
    assert_eq!(names("host/standalone/src/cmd/new/templates", "").intersection(&triggers).count(), triggers.len());
}

#[test]
fn every_source_is_allowed_in_a_scenario_and_every_trigger_is_not_in_another() {
    let scenarios = scenario::all();
    let decided = |decision: &'static str| {
        scenarios.iter().filter(move |it| it.case.expect.decision.as_deref() == Some(decision))
    };
    let allowed: BTreeSet<_> = decided("allow")
        .filter(|scenario| {
            scenario.case.expect.warnings.as_ref().is_some_and(|codes| !codes.iter().any(|it| it == "unmatched"))
        })
        .filter_map(|scenario| {
            let event = std::str::from_utf8(scenario.case.event()).unwrap();
            Some(Object::parse(event, "event").unwrap().text("triggerSource")?.into_owned())
        })
        .collect();
    for (source, _) in examples() {
        assert!(allowed.contains(source), "no scenario allows {source}");
    }
    for trigger in Trigger::all() {
        let is_of = |scenario: &scenario::Scenario| scenario.name.split('/').next() == Some(trigger.name());
        let refused = decided("deny").chain(decided("fault")).any(is_of);
        let broken = scenarios.iter().any(|it| is_of(it) && it.case.expect.fault.is_some());
        assert!(refused || broken, "no scenario refuses {trigger}");
    }
}

#[test]
fn the_top_level_is_the_design_cards() {
    let allowed = [
        "Cargo.toml",
        "Cargo.lock",
        "wit",
        "guest",
        "host",
        "policies-wasm",
        "README.md",
        "CHANGELOG.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "target",
    ];
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name.starts_with('.') || allowed.contains(&name.as_str()), "`{name}` stands at the top level");
    }
}

#[test]
fn every_file_fits_one_head_and_says_what_it_is() {
    for file in files(&root(), ".rs") {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let test = file.to_string_lossy().contains("/tests/");
        let most = match name.as_str() {
            "lib.rs" | "mod.rs" if text.lines().any(|line| line.contains("mod ") && line.ends_with(';')) => 80,
            _ if test => 600,
            _ => 400,
        };
        assert!(lines < most, "{} has {lines} lines, {most} at most", file.display());
        assert!(text.starts_with("//!"), "{} does not open with what it is", file.display());
        let first: String = text.lines().take_while(|line| line.starts_with("//! ")).collect::<Vec<_>>().join(" ");
        let sentence = first.split(". ").next().unwrap_or_default().replace("//!", "");
        let words = sentence.split_whitespace().count();
        assert!(words <= 24, "{}: the first sentence has {words} words", file.display());
    }
}

#[test]
fn versions_and_lints_stand_in_the_workspace_table_only() {
    for manifest in files(&root(), "Cargo.toml") {
        if manifest == root().join("Cargo.toml") {
            continue;
        }
        let table: toml::Table = fs::read_to_string(&manifest).unwrap().parse().unwrap();
        let here = manifest.display();
        assert_eq!(table["lints"]["workspace"].as_bool(), Some(true), "{here}");
        for section in ["dependencies", "dev-dependencies"] {
            for (name, value) in table.get(section).and_then(toml::Value::as_table).into_iter().flatten() {
                assert!(value.get("workspace").is_some(), "{here}: {name} has a version of its own");
            }
        }
    }
}

#[test]
fn the_engines_version_is_the_locked_one() {
    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let wasmtime = lock["package"].as_array().unwrap().iter().find(|it| it["name"].as_str() == Some("wasmtime"));
    assert_eq!(wasmtime.unwrap()["version"].as_str(), Some(cogwit_core::run::WASMTIME));
    assert!(cogwit_core::run::FINGERPRINT.starts_with(&format!("wasmtime-{}+", cogwit_core::run::WASMTIME)));
}

/// The blocks of a language in a Markdown text.
fn blocks<'a>(markdown: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    markdown.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn what_the_readme_shows_is_true() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let [set, cases] = blocks(&readme, "toml")[..] else { panic!("a set, and a file of cases") };
    let set = Document::parse(set).unwrap();
    assert_eq!((set.policies.len(), set.errors), (1, Vec::new()));
    let CaseFile { cases, errors, .. } = CaseFile::parse(cases, &|name| Err(format!("no `{name}`")));
    assert_eq!((cases.len(), errors), (2, Vec::new()));
    for (_, case) in cases {
        let mut package = Source::Document(scenario::policies_wasm().join("policies.toml")).read().unwrap();
        case.lay_over(&mut package).unwrap();
        let checked = case.check(&admit(&package).unwrap()).unwrap();
        assert!(checked.mismatches.is_empty(), "{:?}", checked.mismatches);
    }
    let sdk = fs::read_to_string(root().join("guest/sdk/src/lib.rs")).unwrap();
    let documented: Vec<_> = sdk.lines().map(|line| line.trim_start_matches("//!").trim_start()).collect();
    for line in blocks(&readme, "rust")[0].lines().map(str::trim) {
        assert!(documented.contains(&line), "the SDK's documentation, which is tested, does not show `{line}`");
    }
}

#[test]
fn every_test_that_a_document_names_is_there() {
    let text = fs::read_to_string(root().join("host/OPERATING.md")).unwrap();
    let named: Vec<_> = text.split('`').filter_map(|word| word.split_once("::")).collect();
    assert!(named.len() > 10, "{named:?}");
    for (file, test) in named {
        let hosts = ["core", "standalone"].map(|host| root().join(format!("host/{host}/tests/it/{file}.rs")));
        let code: String = hosts.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
        assert!(code.contains(&format!("#[test]\nfn {test}()")), "there is no {file}::{test}");
    }
}
