//! Reads the scenarios: one event, the policies that decide it, and the reply that every host must give.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One folder of `host/tests/scenarios/<trigger>`.
pub(crate) struct Scenario {
    /// The folder, as `<trigger>/<case>`.
    pub(crate) name: String,
    /// The file of the event.
    pub(crate) event: PathBuf,
    /// The reply, byte for byte.
    pub(crate) reply: Vec<u8>,
    /// What the case says.
    pub(crate) case: Case,
}

/// A `case.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// The components that decide, as file names of `policies-wasm` without `.wasm`. Default: the default set.
    #[serde(default)]
    pub(crate) policies: Vec<String>,
    /// Settings as `NAME.KEY`.
    #[serde(default)]
    pub(crate) settings: BTreeMap<String, String>,
    /// The trigger of an event that does not say it.
    pub(crate) trigger: Option<String>,
    /// `allow`, `deny`, `fault` or `event-refused`.
    pub(crate) decision: String,
    /// The codes of the warnings, in order.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
}

/// The id that every scenario is decided under.
pub(crate) const ID: &str = "scenario";

/// The folder of the components: the committed one, or the one that `POLICIES_WASM` names (a set that was built anew).
pub(crate) fn policies_wasm() -> PathBuf {
    std::env::var_os("POLICIES_WASM").map_or_else(|| host().join("../policies-wasm"), PathBuf::from)
}

/// Every scenario, sorted by name.
pub(crate) fn all() -> Vec<Scenario> {
    let root = host().join("tests/scenarios");
    let mut scenarios: Vec<_> =
        folders(&root).iter().flat_map(|trigger| folders(trigger)).map(|folder| read(&root, &folder)).collect();
    scenarios.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(scenarios.len() > 30, "only {} scenarios below {}", scenarios.len(), root.display());
    scenarios
}

fn read(root: &Path, folder: &Path) -> Scenario {
    let file =
        |name: &str| fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{}/{name}: {error}", folder.display()));
    let case = String::from_utf8(file("case.toml")).unwrap();
    Scenario {
        name: folder.strip_prefix(root).unwrap().display().to_string(),
        event: folder.join("event.json"),
        reply: file("reply.json"),
        case: toml::from_str(&case).unwrap_or_else(|error| panic!("{}/case.toml: {error}", folder.display())),
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

fn host() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
