//! Lays out function packages: a folder with `policies/`, whose components have machine code as in production.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use cogwit_core::digest::sha256;
use cogwit_core::policy::Caps;
use cogwit_core::run::{Engine, FINGERPRINT, Native};
use cogwit_core::store::Source;
use tempfile::TempDir;

use crate::probe::{component_of, probe};
use crate::scenario;

/// A package, gone with the last that holds it.
#[derive(Clone)]
pub(crate) struct Package(Arc<TempDir>);

/// Machine code by the digest of its component: compiling is most of what these tests take.
static MADE: LazyLock<Mutex<BTreeMap<String, Arc<Vec<u8>>>>> = LazyLock::new(Mutex::default);
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(1, Caps::default().limits.memory).unwrap());

/// Machine code of a component.
pub(crate) fn native(component: &[u8]) -> Arc<Vec<u8>> {
    let mut made = MADE.lock().unwrap();
    made.entry(sha256(component)).or_insert_with(|| Arc::new(ENGINE.precompile(component).unwrap())).clone()
}

/// The wall time of a policy on a machine that does other work too.
const PATIENT: &str = "\n[limits]\ndeadline = '2 s'\n";

impl Package {
    /// A package without anything.
    pub(crate) fn empty() -> Self {
        Self(Arc::new(tempfile::tempdir().unwrap()))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file of the policy set.
    pub(crate) fn with(self, file: &str, bytes: impl AsRef<[u8]>) -> Self {
        let folder = self.0.path().join("policies");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), bytes).unwrap();
        self
    }

    /// A document and its components.
    pub(crate) fn of(document: &str, components: &[(String, Vec<u8>)]) -> Self {
        let mut lock = String::new();
        let mut package = Self::empty().with("policies.toml", document);
        for (file, component) in components {
            let code = native(component);
            let target = Native::target();
            writeln!(lock, "[[component]]\nfile = '{file}'\nsha256 = '{}'", sha256(component)).unwrap();
            writeln!(lock, "[[native]]\ncomponent = '{file}'\nfile = '{file}.native'\ntarget = '{target}'").unwrap();
            writeln!(lock, "engine = '{FINGERPRINT}'\nsha256 = '{}'\nsize = {}", sha256(&code), code.len()).unwrap();
            package = package.with(file, component).with(&format!("{file}.native"), code.as_slice());
        }
        package.with("policies.lock", lock)
    }

    /// A set of one policy, `it`, with lines of TOML for it.
    pub(crate) fn of_component(component: Vec<u8>, lines: &str) -> Self {
        let policy =
            format!("schema = 1\n[set]\nname = 'test'\n[[policy]]\nname = 'it'\ncomponent = 'it.wasm'\n{lines}");
        let limits = if lines.contains("[limits]") { "" } else { PATIENT };
        Self::of(&(policy + limits), &[("it.wasm".to_owned(), component)])
    }

    /// A set of one probe.
    pub(crate) fn of_probe(name: &str, lines: &str) -> Self {
        Self::of_component(probe(name), lines)
    }

    /// A set of one probe that is written here.
    pub(crate) fn of_wat(module: &str, lines: &str) -> Self {
        Self::of_component(component_of(&wat::parse_str(module).unwrap()), lines)
    }

    /// A set from where it lies, each component under the name of its policy.
    pub(crate) fn of_set(document: PathBuf) -> Self {
        let mut read = Source::Document(document).read().unwrap();
        let mut components = Vec::new();
        for policy in &mut read.document.policies {
            let file = format!("{}.wasm", policy.name);
            components.push((file.clone(), read.components[&policy.component].clone()));
            policy.component = file;
        }
        Self::of(&toml::to_string(&read.document).unwrap(), &components)
    }

    /// Shipped components, each under its own name, with settings by policy.
    pub(crate) fn of_shipped(names: &[&str], settings: &BTreeMap<String, toml::Table>) -> Self {
        let mut document = "schema = 1\n[set]\nname = 'test'\n".to_owned();
        for name in names {
            let settings = settings.get(*name).cloned().unwrap_or_default();
            let settings = toml::Table::from_iter([("settings".to_owned(), settings.into())]);
            writeln!(document, "[[policy]]\nname = '{name}'\ncomponent = '{name}.wasm'").unwrap();
            write!(document, "{}", toml::to_string(&settings).unwrap().replace("[settings]", "[policy.settings]"))
                .unwrap();
        }
        Self::of(&(document + PATIENT), &shipped(names))
    }

    /// The shipped default set, with settings laid over its own.
    pub(crate) fn of_default(settings: &BTreeMap<String, toml::Table>) -> Self {
        let text = fs::read_to_string(scenario::policies_wasm().join("policies.toml")).unwrap();
        let mut document: toml::Table = text.parse().unwrap();
        for policy in document["policy"].as_array_mut().unwrap() {
            let policy = policy.as_table_mut().unwrap();
            let Some(over) = settings.get(policy["name"].as_str().unwrap()) else { continue };
            let own = policy.entry("settings").or_insert_with(|| toml::Table::new().into());
            own.as_table_mut().unwrap().extend(over.clone());
        }
        let names = ["block-client", "deny-short-username", "auto-confirm-domain"];
        Self::of(&(document.to_string() + PATIENT), &shipped(&names))
    }
}

/// Shipped components, each under the name of its file.
pub(crate) fn shipped(names: &[&str]) -> Vec<(String, Vec<u8>)> {
    let file = |name: &&str| format!("{name}.wasm");
    names.iter().map(file).map(|file| (file.clone(), fs::read(scenario::policies_wasm().join(file)).unwrap())).collect()
}
