//! Writes what came into the expectations of cases that failed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cogwit_core::case::Mismatch;
use serde_json::Value;
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike};

use super::runner::{Done, Outcome};

/// What only a person can decide: which text a log should have, what a component may import, and which side a case is about.
const BY_HAND: [&str; 3] = ["log", "forbidden-imports", SIDE];
const SIDE: &str = "side";

/// Whether an update leaves no case that does not pass.
pub(super) fn covers(done: &[Done]) -> bool {
    done.iter().all(|done| match &done.outcome {
        Outcome::Passed(_) => true,
        Outcome::Failed(ran) => ran.checked.mismatches.iter().all(|it| !it.is_masked && !BY_HAND.contains(&it.key)),
        Outcome::CouldNotRun(_) | Outcome::NotRun(_) => false,
    }) && !done.is_empty()
}

/// What an update did.
pub(super) struct Updated {
    /// What was written and what was not, a line each.
    pub(super) told: Vec<String>,
    /// Whether everything that could be written was.
    pub(super) whole: bool,
}

/// Updates the files of the failed cases. A file that is broken elsewhere stays as it is: its cases could not be told apart.
pub(super) fn update(done: &[Done]) -> Updated {
    let mut updated = Updated { told: Vec::new(), whole: true };
    for cases in done.chunk_by(|a, b| a.file == b.file) {
        let Some(file) = cases.first().map(|done| done.file.as_path()) else { continue };
        let lines = match cases.iter().any(|done| done.place.is_none()) {
            true => Err("mend what is wrong with the file first".to_owned()),
            false => update_file(file, cases),
        };
        match lines {
            Ok(lines) => updated.told.extend(lines),
            Err(error) => {
                updated.told.push(format!("not updated {}: {error}", file.display()));
                updated.whole = false;
            }
        }
    }
    updated
}

fn update_file(file: &Path, cases: &[Done]) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let mut told = Vec::new();
    let mut replies = BTreeMap::new();
    for done in cases {
        let (Outcome::Failed(ran), Some(place)) = (&done.outcome, done.place) else { continue };
        if ran.checked.mismatches.iter().any(|it| it.key == SIDE) {
            told.push(format!("not updated {}: say with `side` which of both it is about", done.name()));
            continue;
        }
        if ran.checked.mismatches.iter().any(|it| it.is_masked) {
            let text = "what came holds a secret of this host; give the case an `env` of its own";
            told.push(format!("not updated {}: {text}", done.name()));
            continue;
        }
        let missed: Vec<_> = ran.checked.mismatches.iter().filter(|it| !BY_HAND.contains(&it.key)).collect();
        let expect = expect_of(&mut document, place).ok_or("its cases are not where they were: run it again")?;
        for it in &missed {
            match (it.key, expect.get(it.key)) {
                (key @ "reply-file", Some(name)) => {
                    let name = name.as_str().ok_or_else(|| format!("`{key}` is no text"))?;
                    replies.insert(name.to_owned(), ran.checked.decision.body().into_owned());
                }
                (key, None) if key == "reply-file" || it.actual.is_null() => {
                    return Err(format!("{}: `{key}` stands at the file's top: move it to the cases", done.title));
                }
                (key, _) => write(expect, key, it),
            }
        }
        if !missed.is_empty() {
            let keys: Vec<_> = missed.iter().map(|it| it.key).collect();
            told.push(format!("updated {}: {}", done.name(), keys.join(", ")));
        }
    }
    for (name, bytes) in replies {
        let path = file.parent().unwrap_or(Path::new("")).join(name);
        fs::write(&path, bytes).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    }
    let updated = document.to_string();
    if updated != text {
        fs::write(file, updated).map_err(|error| error.to_string())?;
    }
    Ok(told)
}

/// The `expect` of the case at a place: of the whole file where it has no `[[case]]`.
fn expect_of(document: &mut DocumentMut, place: usize) -> Option<&mut dyn TableLike> {
    let case: &mut dyn TableLike = match document.contains_key("case") {
        false => document.as_table_mut(),
        true => match document.get_mut("case")? {
            Item::ArrayOfTables(cases) => cases.get_mut(place.checked_sub(1)?)?,
            Item::Value(value) => value.as_array_mut()?.get_mut(place.checked_sub(1)?)?.as_inline_table_mut()?,
            _ => return None,
        },
    };
    case.entry("expect").or_insert(Item::Table(Table::new())).as_table_like_mut()
}

fn write(expect: &mut dyn TableLike, key: &str, it: &Mismatch) {
    if it.actual.is_null() {
        expect.remove(key);
        return;
    }
    let is_text = expect.get(key).is_some_and(Item::is_str);
    let value = match (&it.actual, is_text) {
        // What was JSON text stays it, and null can be said in no other way.
        (Value::Object(_), true) => it.actual.to_string().into(),
        // A text there would be read as JSON.
        (Value::String(_), _) if ["response", "exact-response"].contains(&key) => it.actual.to_string().into(),
        (actual, _) => toml_of(actual).unwrap_or_else(|| actual.to_string().into()),
    };
    match expect.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = value;
            *old.decor_mut() = decor;
        }
        None => drop(expect.insert(key, Item::Value(value))),
    }
}

/// None where the value holds null, which TOML has no word for.
fn toml_of(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(yes) => (*yes).into(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => toml_edit::Value::Array(items.iter().map(toml_of).collect::<Option<_>>()?),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| Some((key.as_str(), toml_of(value)?)));
            toml_edit::Value::InlineTable(members.collect::<Option<InlineTable>>()?)
        }
    })
}
