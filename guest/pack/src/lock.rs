//! The lock beside the components: for each its digest, its size, and what it was made with.

use serde::{Deserialize, Serialize};

use crate::{Component, Error, Result, TARGET};

/// What `policies.lock` holds: one entry for each component, by file name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    #[serde(rename = "component", default)]
    pub(crate) entries: Vec<Entry>,
    /// Machine code of the components as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) native: Vec<Native>,
}

/// Machine code of one component, for one target and engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Native {
    pub(crate) component: String,
    pub(crate) file: String,
    pub(crate) target: String,
    pub(crate) engine: String,
    pub(crate) sha256: String,
    pub(crate) size: usize,
}

/// One component of a lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) file: String,
    pub(crate) sha256: String,
    pub(crate) size: usize,
    target: String,
    /// What `rustc -V` said.
    rustc: String,
    /// The encoder and its version.
    encoder: String,
}

impl Lock {
    /// The lock of these components.
    pub(crate) fn of(components: &[Component]) -> Self {
        let mut entries: Vec<_> = components.iter().map(Entry::of).collect();
        entries.sort_by(|a, b| a.file.cmp(&b.file));
        Lock { entries, native: Vec::new() }
    }

    /// Reads a lock; `what` names it in an error.
    pub(crate) fn parse(text: &str, what: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| Error::Format { what: what.into(), why: error.to_string() })
    }

    /// The lock of these components, and of others as they stand here.
    pub(crate) fn with(&self, components: &[&Component], keeps: impl Fn(&str) -> bool) -> Self {
        let built = components.iter().map(|component| Entry::of(component));
        let is_built = |file: &str| components.iter().any(|component| component.file == file);
        let others = self.entries.iter().filter(|entry| !is_built(&entry.file) && keeps(&entry.file)).cloned();
        let mut entries: Vec<_> = built.chain(others).collect();
        entries.sort_by(|a, b| a.file.cmp(&b.file));
        Lock { entries, native: Vec::new() }
    }

    /// The text of the lock, which names the command that wrote it.
    pub(crate) fn render(&self, command: &str) -> Result<String> {
        let text = toml::to_string(self);
        let text = text.map_err(|error| Error::Format { what: "the lock".into(), why: error.to_string() })?;
        Ok(format!("# Written by `{command}`: what each component is and what made it. Do not edit.\n\n{text}"))
    }

    pub(crate) fn entry(&self, file: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.file == file)
    }
}

impl Entry {
    fn of(component: &Component) -> Self {
        Entry {
            file: component.file.clone(),
            sha256: component.sha256.clone(),
            size: component.bytes.len(),
            target: TARGET.into(),
            rustc: component.rustc.clone(),
            encoder: component.encoder.clone(),
        }
    }

    /// What made it: two components may only be compared if this is the same.
    pub(crate) fn maker(&self) -> String {
        format!("{}, {}, {}", self.rustc, self.encoder, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(file: &str) -> Component {
        Component {
            file: file.into(),
            bytes: vec![0; 3],
            sha256: "0a".into(),
            rustc: "rustc 1.96.0 (built from a source tarball)".into(),
            encoder: "wit-component 0.254.2".into(),
        }
    }

    const TEXT: &str = r#"# Written by `cargo pack`: what each component is and what made it. Do not edit.

[[component]]
file = "a.wasm"
sha256 = "0a"
size = 3
target = "wasm32-unknown-unknown"
rustc = "rustc 1.96.0 (built from a source tarball)"
encoder = "wit-component 0.254.2"

[[component]]
file = "b.wasm"
sha256 = "0a"
size = 3
target = "wasm32-unknown-unknown"
rustc = "rustc 1.96.0 (built from a source tarball)"
encoder = "wit-component 0.254.2"
"#;

    #[test]
    fn a_lock_is_written_by_file_name_and_read_back() {
        let lock = Lock::of(&[component("b.wasm"), component("a.wasm")]);
        assert_eq!(lock.render("cargo pack").unwrap(), TEXT);
        assert_eq!(Lock::parse(TEXT, "policies.lock").unwrap().entries, lock.entries);
    }

    #[test]
    fn others_stay_in_a_lock_where_they_are_kept() {
        let old = Lock::of(&[component("a.wasm"), component("b.wasm"), component("c.wasm")]);
        let new = Component { sha256: "0b".into(), ..component("b.wasm") };
        let lock = old.with(&[&new, &component("d.wasm")], |file| file == "a.wasm");
        let files: Vec<_> = lock.entries.iter().map(|it| (it.file.as_str(), it.sha256.as_str())).collect();
        assert_eq!(files, [("a.wasm", "0a"), ("b.wasm", "0b"), ("d.wasm", "0a")]);
    }

    #[test]
    fn a_broken_lock_is_named() {
        let error = Lock::parse("[[component]]\nfile = 3\n", "policies.lock").unwrap_err().to_string();
        assert!(error.starts_with("cannot understand policies.lock: "), "{error}");
    }
}
