//! Tells what was built: for people, and as one object.

use std::collections::BTreeMap;
use std::path::Path;

use anstyle::AnsiColor;
use bytesize::ByteSize;
use cogwit_core::run::Shape;
use cogwit_core::store::MOST_COMPILED_AT_START;
use cogwit_core::text::one_line;
use cogwit_pack::{Component, Place};
use serde::Serialize;

use super::super::common::metadata;
use super::command::needs;
use crate::output::styled;

/// What came of a build.
#[derive(Serialize)]
pub(super) struct Report {
    /// The folder of the components and their set.
    pub(super) out: String,
    pub(super) compiler: String,
    pub(super) components: Vec<Packed>,
}

/// One component that was built.
#[derive(Serialize)]
pub(super) struct Packed {
    file: String,
    bytes: usize,
    sha256: String,
    metadata: BTreeMap<&'static str, String>,
    triggers: Vec<String>,
    capabilities: Vec<String>,
    /// `written`, `pinned` or `missing`.
    set: &'static str,
    /// What is to be added to the set where it misses the component.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
    warnings: Vec<String>,
}

impl Packed {
    /// Gathers what is to be told. `uncommitted`: the sources have changes that no commit holds.
    pub(super) fn new(component: &Component, shape: &Shape, place: Place, uncommitted: bool) -> Self {
        let (set, entry) = match place {
            Place::Written => ("written", None),
            Place::Pinned => ("pinned", None),
            Place::Missing(entry) => ("missing", Some(entry)),
        };
        let mut packed = Self {
            file: component.file.clone(),
            bytes: component.bytes.len(),
            sha256: component.sha256.clone(),
            metadata: metadata(&component.bytes),
            triggers: shape.triggers.clone(),
            capabilities: needs(shape).iter().map(ToString::to_string).collect(),
            set,
            entry,
            warnings: Vec::new(),
        };
        packed.warnings = packed.warnings(uncommitted);
        packed
    }

    fn warnings(&self, uncommitted: bool) -> Vec<String> {
        let mut warnings = Vec::new();
        let says = |key| self.metadata.get(key).map(String::as_str);
        if says("description").is_none() {
            warnings.push("no description: add `description = \"...\"` to its Cargo.toml".to_owned());
        }
        if says("licenses").is_none() {
            warnings.push("no licence: add `license = \"...\"` to its Cargo.toml".to_owned());
        }
        if says("version") == Some("0.0.0") {
            warnings.push("its version is 0.0.0: write another one to its Cargo.toml".to_owned());
        }
        if uncommitted {
            warnings.push("no revision: its sources have changes that no commit holds; commit them".to_owned());
        }
        if self.bytes > MOST_COMPILED_AT_START {
            warnings.push(format!(
                "larger than {}: the Lambda host does not compile it when it starts, and needs a native artifact beside it",
                ByteSize::b(MOST_COMPILED_AT_START as u64)
            ));
        }
        if !self.capabilities.is_empty() {
            let list = self.capabilities.join("\", \"");
            warnings.push(format!("runs only where the set grants it `capabilities = [\"{list}\"]`"));
        }
        warnings
    }
}

/// The report for people, a block for each component.
pub(super) fn text(report: &Report) -> String {
    let set = shown(&report.out, "policies.toml");
    let blocks = report.components.iter().map(|packed| block(packed, &report.out, &set));
    let mut text = blocks.collect::<Vec<_>>().join("\n");
    let missing: String = report
        .components
        .iter()
        .filter_map(|packed| packed.entry.as_deref())
        .map(|entry| format!("\n{entry}"))
        .collect();
    if !missing.is_empty() {
        text.push_str(&format!("\nadd to `{set}`:\n{}", missing.trim_end()));
    }
    text
}

fn block(it: &Packed, out: &str, set: &str) -> String {
    let mut lines = vec![
        shown(out, &it.file),
        format!("  size      {} ({} bytes)", ByteSize::b(it.bytes as u64), it.bytes),
        format!("  sha256    {}", it.sha256),
    ];
    lines.extend(it.metadata.iter().map(|(key, value)| format!("  {key:<9} {}", one_line(value))));
    lines.extend(it.triggers.iter().map(|trigger| format!("  answers   {trigger}")));
    lines.push(match it.set {
        "written" => format!("  set       `{set}` is new and names it by its digest"),
        "pinned" => format!("  set       `{set}` names it by its digest"),
        _ => format!("  set       `{set}` does not name it"),
    });
    let warning = styled("warning", AnsiColor::Yellow);
    lines.extend(it.warnings.iter().map(|text| format!("  {warning}   {text}")));
    lines.join("\n")
}

/// The path of a file in the folder, as short as it can be written.
fn shown(folder: &str, file: &str) -> String {
    let folder = Path::new(folder);
    folder.strip_prefix(".").unwrap_or(folder).join(file).display().to_string()
}

#[cfg(test)]
mod tests {
    use cogwit_core::policy::Capability;
    use cogwit_core::run::{Import, Need};

    use super::*;

    fn shape(needs: &[Need]) -> Shape {
        let imports = needs.iter().map(|&need| Import { name: "a:b/c@1.0.0".to_owned(), need });
        let triggers = vec!["pre-sign-up@0.1.0".to_owned()];
        Shape { imports: imports.collect(), triggers, composed: false, settings: None }
    }

    fn component(bytes: usize) -> Component {
        Component {
            file: "staff-only.wasm".to_owned(),
            bytes: vec![0; bytes],
            sha256: "0a".to_owned(),
            rustc: "rustc 1".to_owned(),
            encoder: "wit-component 1".to_owned(),
        }
    }

    fn packed(needs: &[Need], place: Place) -> Packed {
        Packed::new(&component(8), &shape(needs), place, false)
    }

    #[test]
    fn a_component_of_few_words_is_warned_of() {
        let warnings = Packed::new(&component(MOST_COMPILED_AT_START + 1), &shape(&[]), Place::Pinned, true).warnings;
        let starts = ["no description: ", "no licence: ", "no revision: ", "larger than 256.0 KiB: "];
        assert_eq!(warnings.len(), starts.len(), "{warnings:?}");
        for (warning, start) in warnings.iter().zip(starts) {
            assert!(warning.starts_with(start), "{warning}");
        }
        assert_eq!(
            Packed::new(&component(MOST_COMPILED_AT_START), &shape(&[]), Place::Pinned, false).warnings.len(),
            2
        );
    }

    #[test]
    fn a_component_that_says_all_is_not_warned_of() {
        let says = |version: &str| {
            let mut packed = packed(&[Need::Given], Place::Pinned);
            packed.metadata = [("description", "Lets staff in"), ("licenses", "MIT"), ("version", version)]
                .map(|(key, value)| (key, value.to_owned()))
                .into();
            packed.warnings(false)
        };
        assert_eq!(says("0.1.0"), [""; 0]);
        assert_eq!(says("0.0.0"), ["its version is 0.0.0: write another one to its Cargo.toml"]);
    }

    #[test]
    fn what_a_set_has_to_grant_is_told() {
        let random = Need::Capability(Capability::Random);
        let granted = packed(&[Need::Given, random, Need::Capability(Capability::Clock), random], Place::Pinned);
        assert_eq!(granted.capabilities, ["clock", "random"]);
        let warning = granted.warnings.last().unwrap();
        assert_eq!(warning, "runs only where the set grants it `capabilities = [\"clock\", \"random\"]`");
        assert_eq!(packed(&[random, Need::Capability(Capability::Wasi)], Place::Pinned).capabilities, ["wasi"]);
    }

    #[test]
    fn the_entry_that_a_set_misses_comes_last_and_can_be_pasted() {
        let report = |place, out: &str| {
            let mut packed = packed(&[], place);
            packed.warnings.clear();
            text(&Report { out: out.to_owned(), compiler: String::new(), components: vec![packed] })
        };
        let missing = report(Place::Missing("[[policy]]\nname = \"staff-only\"\n".to_owned()), "set");
        let expected = "set/staff-only.wasm\n  size      8 B (8 bytes)\n  sha256    0a\n  answers   pre-sign-up@0.1.0\n  \
                        set       `set/policies.toml` does not name it\nadd to `set/policies.toml`:\n\n[[policy]]\n\
                        name = \"staff-only\"";
        assert_eq!(missing, expected);
        assert!(
            report(Place::Written, ".").ends_with("\n  set       `policies.toml` is new and names it by its digest")
        );
        assert!(report(Place::Pinned, "/a").ends_with("\n  set       `/a/policies.toml` names it by its digest"));
    }
}
