//! Reads the scenarios: one event, the policies that decide it, and the reply that every host must give.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cogwit_core::case::{Case, CaseFile};
use cogwit_core::store::{Folders, read_cases};
use serde_json::Value;

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

impl Scenario {
    /// The document of the set that decides. None: components do, or the default set.
    pub(crate) fn set(&self) -> Option<PathBuf> {
        Some(self.event.with_file_name(self.case.set.as_ref()?).canonicalize().unwrap())
    }

    /// The files of the components that decide. None: a set does.
    pub(crate) fn components(&self) -> Option<Vec<PathBuf>> {
        let names = self.case.components.as_ref()?;
        Some(names.iter().map(|name| policies_wasm().join(name)).collect())
    }

    /// The reply as far as every host gives it: Lambda and the server take no seed, so there each nonce is another.
    pub(crate) fn without_nonces(&self, reply: &str) -> String {
        let parts =
            reply.split('"').map(|part| match part.len() == 44 && part.ends_with('=') && self.case.seed.is_some() {
                true => "nonce",
                false => part,
            });
        parts.collect::<Vec<_>>().join("\"")
    }

    /// Holds what a host wrote to hold none of the secret values of the event and the reply, but for those that clients get.
    #[track_caller]
    pub(crate) fn is_secret_in(&self, written: &str) {
        let event = fs::read(&self.event).unwrap();
        let (mut secret, mut public) = (Vec::new(), Vec::new());
        for json in [&event, &self.reply] {
            if let Ok(json) = serde_json::from_slice::<Value>(json) {
                texts_below(
                    &json,
                    false,
                    &|name| SECRET.contains(&name) || name.starts_with("ONE_CLICK_"),
                    &mut secret,
                );
                texts_below(&json, false, &|name| name == "publicChallengeParameters", &mut public);
            }
        }
        secret.retain(|value| value.len() >= LEAST_SECRET && !public.contains(value));
        for value in secret {
            assert!(!written.contains(&value), "{}: `{value}` stands in {written}", self.name);
        }
    }

    /// Whether the reply is a function error. A custom sender's denial is none.
    pub(crate) fn is_refused(&self) -> bool {
        self.reply.starts_with(b"{\"errorType\":")
    }
}

/// Members whose values nobody may read, beside those that begin with `ONE_CLICK_`.
pub(crate) const SECRET: [&str; 9] = [
    "password",
    "challengeAnswer",
    "privateChallengeParameters",
    "challengeMetadata",
    "code",
    "tokenResponse",
    "idToken",
    "samlResponse",
    "FEEDBACK_TOKEN",
];

/// Shorter ones stand in other words by chance.
const LEAST_SECRET: usize = 6;

/// The texts in JSON, below members that are `wanted`.
fn texts_below(json: &Value, inside: bool, wanted: &dyn Fn(&str) -> bool, texts: &mut Vec<String>) {
    match json {
        Value::String(text) if inside => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts_below(item, inside, wanted, texts)),
        Value::Object(members) => {
            for (name, value) in members {
                texts_below(value, inside || wanted(name), wanted, texts);
            }
        }
        _ => {}
    }
}

/// The folder of the components: the committed one, or the one that `POLICIES_WASM` names (a set that was built anew).
pub(crate) fn policies_wasm() -> PathBuf {
    std::env::var_os("POLICIES_WASM").map_or_else(|| host().join("../policies-wasm"), PathBuf::from)
}

/// Scenarios by what decides them: those of a group need but one process, which decides one after the other.
pub(crate) fn groups(scenarios: &[Scenario]) -> Vec<Vec<&Scenario>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for scenario in scenarios {
        let case = &scenario.case;
        let setup = (scenario.set(), &case.components, format!("{:?}", case.settings), case.trigger);
        groups.entry(setup).or_default().push(scenario);
    }
    groups.into_values().collect()
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
    let CaseFile { mut cases, errors, .. } = read_cases(&folder.join("case.toml"), &Folders::of_cases(folder));
    assert_eq!((cases.len(), errors), (1, Vec::new()), "{}", folder.display());
    let (_, case) = cases.remove(0);
    Scenario {
        name: folder.strip_prefix(root).unwrap().display().to_string(),
        event: folder.join("event.json"),
        reply: fs::read(folder.join("reply.json")).unwrap(),
        case,
    }
}

fn folders(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
}

fn host() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}
