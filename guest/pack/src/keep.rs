//! Takes components into a folder that may hold others, with their lock and their entries in its policy set.

use std::fs;

use crate::error::file;
use crate::folder::{LOCK, SET, write};
use crate::lock::Lock;
use crate::pin::components;
use crate::{Component, Folder, Result};

/// A component for a folder.
#[derive(Debug, Clone)]
pub struct Offer<'a> {
    /// The component.
    pub component: &'a Component,
    /// What a set has to grant it: its imports tell.
    pub capabilities: Vec<String>,
}

/// What became of a component's entry in the policy set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// There was no set: one was written, and the component is in it.
    Written,
    /// The set names the component, by its digest.
    Pinned,
    /// The set does not name the component. The text is the entry for it.
    Missing(String),
}

impl Folder {
    /// Writes components into the folder, each in the place of one of the same name. Others stay, and so does what is in
    /// the folder's policy set, but for the digests of these components. Where there is no set, it gets one, named `name`.
    pub fn keep(&self, name: &str, offers: &[Offer]) -> Result<Vec<Place>> {
        let built: Vec<_> = offers.iter().map(|offer| offer.component).collect();
        // First, so that a set that cannot be pinned leaves everything as it was.
        let (set, places) = match &self.set {
            Some(set) => self.pinned(set, offers, &Lock::default().with(&built, |_| false))?,
            None => (new_set(name, offers), vec![Place::Written; offers.len()]),
        };
        let lock = self.lock.with(&built, |other| self.digests.contains_key(other));
        fs::create_dir_all(&self.path).map_err(file("create", &self.path))?;
        for component in built {
            write(&self.path.join(&component.file), &component.bytes)?;
        }
        write(&self.path.join(SET), set.as_bytes())?;
        write(&self.path.join(LOCK), lock.render("cogwit pack")?.as_bytes())?;
        Ok(places)
    }

    fn pinned(&self, set: &str, offers: &[Offer], built: &Lock) -> Result<(String, Vec<Place>)> {
        let named = components(set, &format!("`{}`", self.path.join(SET).display()))?;
        let place = |offer: &Offer| match named.contains(&offer.component.file) {
            true => Place::Pinned,
            false => Place::Missing(entry(offer)),
        };
        Ok((self.pin(set, built)?, offers.iter().map(place).collect()))
    }
}

fn new_set(name: &str, offers: &[Offer]) -> String {
    let entries: String = offers.iter().map(|offer| format!("\n{}", entry(offer))).collect();
    format!(
        "# The policies, in the order in which they run. `cogwit pack` writes the digests.\n\
         schema = 1\n\n[set]\nname = \"{name}\"\n{entries}"
    )
}

/// The entry of a component in a policy set.
fn entry(offer: &Offer) -> String {
    let Offer { component, capabilities } = offer;
    let mut entry = format!(
        "[[policy]]\nname = \"{}\"\ncomponent = \"{}\"\nsha256 = \"{}\"\n",
        component.name(),
        component.file,
        component.sha256
    );
    if !capabilities.is_empty() {
        entry.push_str(&format!("capabilities = [\"{}\"]\n", capabilities.join("\", \"")));
    }
    entry
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use cogwit_core::digest::sha256;

    fn component(name: &str) -> Component {
        Component {
            file: format!("{name}.wasm"),
            bytes: name.into(),
            sha256: sha256(name.as_bytes()),
            rustc: "rustc 1".into(),
            encoder: "wit-component 1".into(),
        }
    }

    fn keep(path: &Path, component: &Component, capabilities: &[&str]) -> Place {
        let capabilities = capabilities.iter().map(|&it| it.to_owned()).collect();
        let places = Folder::read(path).unwrap().keep("mine", &[Offer { component, capabilities }]).unwrap();
        places.into_iter().next().unwrap()
    }

    fn read(folder: &Path, file: &str) -> String {
        fs::read_to_string(folder.join(file)).unwrap()
    }

    #[test]
    fn a_folder_without_a_set_gets_one() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("new");
        assert_eq!(keep(&out, &component("a"), &["clock", "random"]), Place::Written);
        let expected = format!(
            "# The policies, in the order in which they run. `cogwit pack` writes the digests.\nschema = 1\n\n\
             [set]\nname = \"mine\"\n\n[[policy]]\nname = \"a\"\ncomponent = \"a.wasm\"\nsha256 = \"{}\"\n\
             capabilities = [\"clock\", \"random\"]\n",
            sha256(b"a")
        );
        assert_eq!(read(&out, SET), expected);
        assert_eq!(read(&out, "a.wasm"), "a");
        assert!(read(&out, LOCK).starts_with("# Written by `cogwit pack`: "));
    }

    #[test]
    fn a_set_that_names_the_component_is_pinned_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let set = "schema = 1 # one\n[[policy]]\ncomponent = \"a.wasm\"\nsha256 = \"old\" # mine\n";
        fs::write(folder.path().join(SET), set).unwrap();
        assert_eq!(keep(folder.path(), &component("a"), &["random"]), Place::Pinned);
        assert_eq!(read(folder.path(), SET), set.replace("old", &sha256(b"a")));
    }

    #[test]
    fn a_set_that_does_not_name_the_component_stays_and_the_entry_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let set = "schema = 1\n[[policy]]\ncomponent = \"b.wasm\"\n";
        fs::write(folder.path().join(SET), set).unwrap();
        let entry = format!("[[policy]]\nname = \"a\"\ncomponent = \"a.wasm\"\nsha256 = \"{}\"\n", sha256(b"a"));
        assert_eq!(keep(folder.path(), &component("a"), &[]), Place::Missing(entry));
        assert_eq!(read(folder.path(), SET), set);
        assert_eq!(read(folder.path(), "a.wasm"), "a");
    }

    #[test]
    fn components_of_another_crate_stay_in_the_lock_as_long_as_they_are_there() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            keep(folder.path(), &component(name), &[]);
        }
        let files = || Folder::read(folder.path()).unwrap().lock.entries.into_iter().map(|it| it.file);
        assert_eq!(files().collect::<Vec<_>>(), ["a.wasm", "b.wasm"]);
        fs::remove_file(folder.path().join("a.wasm")).unwrap();
        keep(folder.path(), &component("b"), &[]);
        assert_eq!(files().collect::<Vec<_>>(), ["b.wasm"]);
    }

    #[test]
    fn a_set_that_cannot_be_read_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(SET), "policy = [").unwrap();
        let offer = Offer { component: &component("a"), capabilities: Vec::new() };
        let error = Folder::read(folder.path()).unwrap().keep("mine", &[offer]).unwrap_err().to_string();
        assert!(error.starts_with("cannot understand `"), "{error}");
        assert!(!folder.path().join("a.wasm").exists());
    }
}
