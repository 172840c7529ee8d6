//! Writes digests into the text of a policy set and leaves every other character as it is.

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Key, TableLike, TomlError, Value, value};

use crate::lock::{Entry, Lock};
use crate::{Error, Result};

/// The text of a policy set in which each `[[policy]]`, and each `candidate` of one, whose `component` the lock knows has that
/// `sha256`.
pub(crate) fn pin(text: &str, lock: &Lock, what: &str) -> Result<String> {
    let mut set = parse(text, what)?;
    let policies = set.get_mut("policy").and_then(Item::as_array_of_tables_mut);
    for policy in policies.into_iter().flat_map(ArrayOfTables::iter_mut) {
        pin_one(policy, lock);
        match policy.get_mut("candidate") {
            Some(Item::Value(Value::InlineTable(candidate))) if !candidate.contains_key("sha256") => {
                if let Some(entry) = entry(candidate, lock) {
                    append(candidate, &entry.sha256);
                }
            }
            Some(candidate) => {
                if let Some(candidate) = candidate.as_table_like_mut() {
                    pin_one(candidate, lock);
                }
            }
            None => {}
        }
    }
    Ok(set.to_string())
}

fn pin_one(named: &mut dyn TableLike, lock: &Lock) {
    let Some(entry) = entry(named, lock) else { return };
    match named.get_mut("sha256").and_then(Item::as_value_mut) {
        Some(digest) => {
            let decor = digest.decor().clone();
            *digest = entry.sha256.as_str().into();
            *digest.decor_mut() = decor;
        }
        None => drop(named.insert("sha256", value(&entry.sha256))),
    }
}

/// What the lock knows of the component that is named.
fn entry<'a>(named: &dyn TableLike, lock: &'a Lock) -> Option<&'a Entry> {
    lock.entry(named.get("component").and_then(Item::as_str)?)
}

/// Writes a digest behind the last value of an inline table. What stands before the brace stays there, and a comment stays on the
/// line of its value.
fn append(table: &mut InlineTable, sha256: &str) {
    let (has_comma, trailing) = (table.trailing_comma(), table.trailing().as_str().unwrap_or_default().to_owned());
    let Some((before, last)) = last(table) else { return };
    let mut behind = trailing;
    if !has_comma {
        behind = last.decor().suffix().and_then(|it| it.as_str()).unwrap_or_default().to_owned();
        last.decor_mut().set_suffix("");
    }
    let indent = before.rsplit_once('\n').map_or(before.as_str(), |(_, indent)| indent);
    let (before, behind) = match behind.rsplit_once('\n') {
        Some((comment, behind)) => (format!("{comment}\n{indent}"), format!("\n{behind}")),
        None if before.contains('\n') => (format!("\n{indent}"), behind),
        None => (before, behind),
    };
    let (mut key, mut digest) = (Key::new("sha256"), Value::from(sha256));
    key.leaf_decor_mut().set_prefix(before);
    digest.decor_mut().set_suffix(if has_comma { "" } else { &behind });
    if has_comma {
        table.set_trailing(behind);
    }
    table.insert_formatted(&key, digest);
}

/// What stands before the last key of an inline table, and its value. Of a key with dots, that is one of a table within.
fn last(table: &mut InlineTable) -> Option<(String, &mut Value)> {
    let (key, value) = table.iter_mut().last()?;
    if value.as_inline_table().is_some_and(InlineTable::is_dotted) {
        return last(value.as_inline_table_mut()?);
    }
    let before = key.leaf_decor().prefix().and_then(|it| it.as_str()).unwrap_or_default();
    Some((before.to_owned(), value))
}

/// The files that the policies of a set name, and their candidates.
pub(crate) fn components(text: &str, what: &str) -> Result<Vec<String>> {
    let set = parse(text, what)?;
    let policies = set.get("policy").and_then(Item::as_array_of_tables);
    let named = policies.into_iter().flatten().flat_map(|policy| {
        let candidate = policy.get("candidate").and_then(|it| it.get("component"));
        policy.get("component").into_iter().chain(candidate)
    });
    let files = named.filter_map(Item::as_str);
    Ok(files.map(str::to_owned).collect())
}

fn parse(text: &str, what: &str) -> Result<DocumentMut> {
    text.parse().map_err(|error: TomlError| Error::Format { what: what.into(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> Lock {
        let entry = |file: &str, sha256: &str| {
            format!(
                "[[component]]\nfile = \"{file}\"\nsha256 = \"{sha256}\"\nsize = 1\ntarget = \"\"\nrustc = \"\"\nencoder = \"\"\n"
            )
        };
        Lock::parse(&(entry("a.wasm", "aa") + &entry("b.wasm", "bb")), "").unwrap()
    }

    const SET: &str = r#"# The set.
schema = 1

[[policy]]   # first
name = "a"
component = "a.wasm"
sha256 =   "old"  # by cargo pack
settings = { minimum = "5" }

# By hand.
[[policy]]
name = "c"
component = "c.wasm"
sha256 = "cc"

[[policy]]
component = "b.wasm"
name = "b"

[policy.limits]
fuel = 10_000
"#;

    #[test]
    fn digests_change_and_nothing_else() {
        let expected = SET
            .replace("sha256 =   \"old\"  # by", "sha256 =   \"aa\"  # by")
            .replace("name = \"b\"\n", "name = \"b\"\nsha256 = \"bb\"\n");
        let pinned = pin(SET, &lock(), "").unwrap();
        assert_eq!(pinned, expected);
        assert_eq!(pin(&pinned, &lock(), "").unwrap(), pinned);
    }

    #[test]
    fn candidates_are_pinned_however_they_are_written() {
        let set = |inline: &str, table: &str| {
            format!(
                "[[policy]]\ncomponent = \"c.wasm\"\ncandidate = {{ {inline} }} # ten\n\n[[policy]]\ncomponent = \"a.wasm\"\n\
                 sha256 = \"aa\"\n[policy.candidate] # also\n{table}rollout = 10\n"
            )
        };
        let (inline, table) = ("component = \"b.wasm\", rollout = 10", "component = \"b.wasm\"\n");
        let pinned = pin(&set(inline, table), &lock(), "").unwrap();
        let (inline, table) = (format!("{inline}, sha256 = \"bb\""), table);
        assert_eq!(pinned, set(&inline, table) + "sha256 = \"bb\"\n");
        assert_eq!(pin(&pinned.replace("\"bb\"", "\"old\""), &lock(), "").unwrap(), pinned);
        assert_eq!(components(&pinned, "").unwrap(), ["c.wasm", "b.wasm", "a.wasm", "b.wasm"]);
    }

    #[test]
    fn a_digest_comes_into_a_table_of_one_line_or_of_many_and_nothing_else_changes() {
        for (before, after) in [
            ("{component=\"b.wasm\",rollout=10}", "{component=\"b.wasm\",rollout=10,sha256 = \"bb\"}"),
            ("{  component = \"b.wasm\"  }  # ten", "{  component = \"b.wasm\",  sha256 = \"bb\"  }  # ten"),
            ("{ component = \"b.wasm\", }", "{ component = \"b.wasm\", sha256 = \"bb\", }"),
            (
                "{ component = \"b.wasm\", limits.fuel  =  [ # none\n 7 ] }",
                "{ component = \"b.wasm\", limits.fuel  =  [ # none\n 7 ], sha256 = \"bb\" }",
            ),
            (
                "{\n  # What comes.\n  component = \"b.wasm\",\n  rollout = 10 # ten\n}",
                "{\n  # What comes.\n  component = \"b.wasm\",\n  rollout = 10, # ten\n  sha256 = \"bb\"\n}",
            ),
            (
                "{ component = \"b.wasm\",\n  rollout = 10, # ten\n # and then?\n}",
                "{ component = \"b.wasm\",\n  rollout = 10, # ten\n # and then?\n  sha256 = \"bb\",\n}",
            ),
        ] {
            let set = |candidate: &str| format!("[[policy]]\ncomponent = \"c.wasm\"\ncandidate = {candidate}\n");
            let pinned = pin(&set(before), &lock(), "").unwrap();
            assert_eq!(pinned, set(after));
            assert_eq!(pin(&pinned, &lock(), "").unwrap(), pinned);
            // What the lock does not know stays as it is.
            let unknown = set(before).replace("b.wasm", "c.wasm");
            assert_eq!(pin(&unknown, &lock(), "").unwrap(), unknown);
        }
    }

    #[test]
    fn the_files_of_a_set_are_in_its_order() {
        assert_eq!(components(SET, "").unwrap(), ["a.wasm", "c.wasm", "b.wasm"]);
        assert_eq!(components("schema = 1", "").unwrap(), [""; 0]);
    }

    #[test]
    fn a_set_without_policies_stays() {
        assert_eq!(pin("schema = 1 # one\n", &lock(), "").unwrap(), "schema = 1 # one\n");
    }

    #[test]
    fn a_broken_set_is_named() {
        let error = pin("policy = [", &lock(), "policies.toml").unwrap_err().to_string();
        assert!(error.starts_with("cannot understand policies.toml: "), "{error}");
    }
}
