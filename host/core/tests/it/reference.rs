//! Writes the reference of the triggers: from the WIT, the adapters, the examples and the policies, so that it tells what is so.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cogwit_core::event::{Event, OnFault, Trigger, Unmatched, example, examples};
use wit_parser::{Interface, Resolve, Type, TypeDefKind, TypeId};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A comment as one paragraph, up to its first empty line.
fn paragraph(docs: Option<&str>) -> String {
    let lines = docs.unwrap_or_default().lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// The comment right above a function of a trigger's adapter.
fn comment(trigger: Trigger, function: &str) -> Option<String> {
    let file = format!("host/core/src/trigger/{}.rs", trigger.name().replace('-', "_"));
    let text = fs::read_to_string(root().join(file)).unwrap();
    let (before, _) = text.split_once(&format!("pub(super) fn {function}("))?;
    let lines: Vec<_> = before.lines().rev().map_while(|line| line.strip_prefix("/// ")).collect();
    (!lines.is_empty()).then(|| lines.into_iter().rev().collect::<Vec<_>>().join(" "))
}

/// The policies that export a trigger, each with what it says of itself.
fn policies(trigger: Trigger) -> Vec<String> {
    let folders = fs::read_dir(root().join("guest/policies")).unwrap();
    let mut found: Vec<_> = folders
        .filter_map(|folder| {
            let (name, path) = {
                let folder = folder.unwrap();
                (folder.file_name().into_string().unwrap(), folder.path().join("src/lib.rs"))
            };
            let text = fs::read_to_string(path).ok()?;
            let exports = text.lines().find(|line| line.starts_with("export!("))?;
            let named = exports.split([':', ',', ')']).any(|word| word.trim() == trigger.name().replace('-', "_"));
            named.then(|| format!("[{name}](../guest/policies/{name}/src/lib.rs)"))
        })
        .collect();
    found.sort();
    found
}

/// A type as a reader of the reference needs it.
fn named(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::String => "string".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::S64 => "s64".to_owned(),
        Type::F64 => "f64".to_owned(),
        Type::Id(id) => named_id(resolve, *id),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn named_id(resolve: &Resolve, id: TypeId) -> String {
    let def = &resolve.types[id];
    match (&def.name, &def.kind) {
        (Some(name), _) => name.clone(),
        (None, TypeDefKind::Option(inner)) => format!("option&lt;{}&gt;", named(resolve, inner)),
        (None, TypeDefKind::List(inner)) => format!("list&lt;{}&gt;", named(resolve, inner)),
        (None, TypeDefKind::Tuple(tuple)) => {
            let types: Vec<_> = tuple.types.iter().map(|ty| named(resolve, ty)).collect();
            format!("({})", types.join(", "))
        }
        (None, other) => other.as_str().to_owned(),
    }
}

/// The members of a record, a line each.
fn table(page: &mut String, resolve: &Resolve, interface: &Interface, record: &str) {
    let Some(id) = interface.types.get(record) else { return };
    let TypeDefKind::Record(fields) = &resolve.types[*id].kind else { return };
    writeln!(page, "| {record} | type | |\n| --- | --- | --- |").unwrap();
    for field in fields.fields.iter().filter(|field| field.name != "header") {
        let docs = paragraph(field.docs.contents.as_deref()).replace('|', "\\|");
        writeln!(page, "| `{}` | {} | {docs} |", field.name, named(resolve, &field.ty)).unwrap();
    }
    page.push('\n');
}

fn section(page: &mut String, resolve: &Resolve, trigger: Trigger) {
    let (_, interface) = resolve.interfaces.iter().find(|(_, it)| it.name.as_deref() == Some(trigger.name())).unwrap();
    writeln!(page, "## {}\n\n{}\n", trigger.name(), paragraph(interface.docs.contents.as_deref())).unwrap();
    // Of token generation, the sources are those of both forms, but for the one that only has the second.
    let is_ours = |source: &str, of: Trigger| {
        of == trigger || of.other_form() == Some(trigger) && !source.ends_with("_ClientCredentials")
    };
    let sources = examples().filter(|(source, of)| is_ours(source, *of));
    let sources: Vec<_> = sources.map(|(source, _)| format!("`{source}`")).collect();
    writeln!(page, "Sources: {}.\n", sources.join(", ")).unwrap();
    table(page, resolve, interface, "event");
    table(page, resolve, interface, "response");
    let merge = comment(trigger, "merge").unwrap_or_else(|| "Nothing is set, so there is nothing to merge.".to_owned());
    let rules = comment(trigger, "check").unwrap_or_else(|| "None.".to_owned());
    let on_fault = match trigger.on_fault() {
        OnFault::Deny => "deny",
        OnFault::Allow => "allow",
    };
    let unmatched = match trigger.unmatched() {
        Unmatched::Unchanged => "the event goes back as it came",
        Unmatched::Fault => "a fault",
    };
    writeln!(page, "- Several policies: {merge}\n- Cognito's rules: {rules}\n- A policy breaks: {on_fault}; no policy answers: {unmatched}.").unwrap();
    let policies = policies(trigger);
    if !policies.is_empty() {
        writeln!(page, "- Policies: {}.", policies.join(", ")).unwrap();
    }
    page.push('\n');
}

#[test]
fn the_reference_tells_what_is_so() {
    let mut resolve = Resolve::default();
    resolve.push_path(root().join("wit")).unwrap();
    let mut page = String::from(
        "# Reference of the triggers\n\nEvery trigger of Cognito as policies see it. Every event has a `header` too \
         ([types.wit](types.wit)).\nWritten by the test `reference`; `SNAPSHOTS=overwrite cargo test -p cogwit-core --test it \
         reference` writes it anew.\n\n",
    );
    Trigger::all().for_each(|trigger| section(&mut page, &resolve, trigger));
    let path = root().join("wit/REFERENCE.md");
    let page = format!("{}\n", page.trim_end());
    if std::env::var("SNAPSHOTS").is_ok_and(|it| it == "overwrite") {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), page);
}

#[test]
fn every_source_has_an_example_that_is_its_triggers() {
    assert_eq!(examples().count(), 41);
    for (source, trigger) in examples() {
        let event = Event::parse(example(source).unwrap().as_bytes()).unwrap();
        assert_eq!(Trigger::of(&event), Ok(Some(trigger)), "{source}");
    }
    let mut triggers: Vec<_> = examples().map(|(_, trigger)| trigger).collect();
    triggers.sort_unstable();
    triggers.dedup();
    assert_eq!(triggers.len(), 14);
}
