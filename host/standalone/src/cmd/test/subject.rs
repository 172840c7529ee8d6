//! Finds out which policies decide a case, and admits each choice of them once.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cogwit_core::case::Case;
use cogwit_core::policy::{Caps, PolicyDocument};
use cogwit_core::store::{Admission, Package, PolicySet, Source, check_regular};

use super::find::SET;
use crate::store::Policies;

/// The policy sets of one round.
pub(super) struct Subjects<'a> {
    admission: &'a Admission,
    caps: &'a Caps,
    /// The set of cases that do not name one.
    policies: Option<&'a Policies>,
    packages: Memo<String, Result<Arc<Package>, String>>,
    sets: Memo<String, Result<Arc<PolicySet>, String>>,
    files: Mutex<BTreeSet<PathBuf>>,
}

impl<'a> Subjects<'a> {
    pub(super) fn new(admission: &'a Admission, caps: &'a Caps, policies: Option<&'a Policies>) -> Self {
        let (packages, sets, files) = Default::default();
        Self { admission, caps, policies, packages, sets, files }
    }

    /// The set that decides a case of `file`.
    pub(super) fn set(&self, file: &Path, case: &Case) -> Result<Arc<PolicySet>, String> {
        let (source, folder) = self.source(file, case)?;
        let overlay = (&case.policies, &case.candidate, &case.settings, &case.capabilities, &case.env);
        self.sets.get(format!("{source:?} {overlay:?}"), || {
            let package = self.packages.get(format!("{source:?}"), || self.read(&source))?;
            let mut package = Package::clone(&package);
            self.stand_in(case, &folder, &mut package)?;
            case.lay_over(&mut package)?;
            let env = |name: &str| case.env.get(name).cloned().or_else(|| std::env::var(name).ok());
            let set = self.admission.admit(&package, self.caps, env);
            set.map(Arc::new).map_err(|error| format!("{source} cannot be loaded\n{error}"))
        })
    }

    /// Where the case's policies lie, and the folder that its components are relative to.
    fn source(&self, file: &Path, case: &Case) -> Result<(Policies, PathBuf), String> {
        let beside = file.parent().unwrap_or(Path::new(""));
        let set = match (&case.set, self.policies) {
            (Some(set), _) => {
                let source = Source::parse(&beside.join(set).to_string_lossy()).map_err(|error| error.to_string())?;
                Some(Policies::Local(source))
            }
            (None, Some(policies)) => Some(policies.clone()),
            (None, None) => above(beside).map(|path| Policies::Local(Source::Document(path))),
        };
        let folder = set.as_ref().and_then(Policies::folder).unwrap_or(beside).to_owned();
        match (&case.components, set) {
            (Some(names), _) => {
                let files = names.iter().map(|name| folder.join(name)).collect();
                Ok((Policies::Local(Source::Components(files)), folder))
            }
            (None, Some(set)) => Ok((set, folder)),
            (None, None) => Err(
                "nothing says which policies decide it: put a policies.toml beside or above the file, name a `set` or \
                     `components`, or use --policies"
                    .to_owned(),
            ),
        }
    }

    fn read(&self, source: &Policies) -> Result<Arc<Package>, String> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        match source {
            Policies::Local(Source::Document(path)) => {
                files.extend([path.clone(), path.with_file_name("policies.lock")]);
            }
            Policies::Local(Source::Components(paths)) => {
                files.extend(paths.iter().cloned());
                paths.iter().try_for_each(|path| check_regular(path)).map_err(|error| error.to_string())?;
            }
            Policies::Local(Source::Embedded { .. }) | Policies::Fetched(_) => {}
        }
        drop(files);
        let package = source.read().map_err(|error| error.to_string())?;
        if let Policies::Local(Source::Document(path)) = source {
            let folder = path.parent().unwrap_or(Path::new(""));
            let files = package.document.policies.iter().flat_map(PolicyDocument::components);
            let components = files.map(|(file, _)| folder.join(file));
            self.files.lock().unwrap_or_else(PoisonError::into_inner).extend(components);
        }
        Ok(Arc::new(package))
    }

    /// Puts the case's candidate in the place of the policy's component.
    fn stand_in(&self, case: &Case, folder: &Path, package: &mut Package) -> Result<(), String> {
        let Some(candidate) = &case.candidate else { return Ok(()) };
        let file = folder.join(&candidate.component);
        let read = self.read(&Policies::Local(Source::Components(vec![file])))?;
        let policy = package.document.policy(&candidate.policy)?;
        policy.component.clone_from(&candidate.component);
        policy.sha256 = None;
        if let Some(settings) = &candidate.settings {
            policy.settings.clone_from(settings);
        }
        package.missing.remove(&candidate.component);
        package.components.extend(read.components.values().map(|bytes| (candidate.component.clone(), bytes.clone())));
        Ok(())
    }

    /// Every file that was read to make the sets.
    pub(super) fn files(&self) -> BTreeSet<PathBuf> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The policies.toml of the folder or of the nearest one above it, from here where it lies below.
fn above(folder: &Path) -> Option<PathBuf> {
    let real = Path::new(".").join(folder).canonicalize().ok()?;
    let set = real.ancestors().map(|folder| folder.join(SET)).find(|set| set.is_file())?;
    let here = std::env::current_dir().and_then(|here| here.canonicalize()).ok();
    Some(here.and_then(|here| set.strip_prefix(here).ok().map(Path::to_owned)).unwrap_or(set))
}

/// Makes each value once, whichever thread asks first; the others wait for it.
struct Memo<K, V>(Mutex<HashMap<K, Arc<OnceLock<V>>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    fn get(&self, key: K, make: impl FnOnce() -> V) -> V {
        let cell = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone();
        cell.get_or_init(make).clone()
    }
}
