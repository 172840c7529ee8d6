//! Writes digests into the text of a policy set and leaves every other character as it is.

use toml_edit::{ArrayOfTables, DocumentMut, Item, TableLike, TomlError, value};

use crate::lock::Lock;
use crate::{Error, Result};

/// The text of a policy set in which each `[[policy]]`, and each `candidate` of one, whose `component` the lock knows has that
/// `sha256`.
pub(crate) fn pin(text: &str, lock: &Lock, what: &str) -> Result<String> {
    let mut set = parse(text, what)?;
    let policies = set.get_mut("policy").and_then(Item::as_array_of_tables_mut);
    for policy in policies.into_iter().flat_map(ArrayOfTables::iter_mut) {
        pin_one(policy, lock);
        let Some(candidate) = policy.get_mut("candidate") else { continue };
        // A digest that is new would come behind the blank of the last value.
        if let Some(inline) = candidate.as_inline_table_mut().filter(|inline| !inline.contains_key("sha256")) {
            inline.fmt();
        }
        if let Some(candidate) = candidate.as_table_like_mut() {
            pin_one(candidate, lock);
        }
    }
    Ok(set.to_string())
}

fn pin_one(named: &mut dyn TableLike, lock: &Lock) {
    let component = named.get("component").and_then(Item::as_str);
    let Some(entry) = component.and_then(|file| lock.entry(file)) else { return };
    match named.get_mut("sha256").and_then(Item::as_value_mut) {
        Some(digest) => {
            let decor = digest.decor().clone();
            *digest = entry.sha256.as_str().into();
            *digest.decor_mut() = decor;
        }
        None => drop(named.insert("sha256", value(&entry.sha256))),
    }
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
