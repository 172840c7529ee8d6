//! Makes a component of a core module, says whose it is, and takes its digest.

use cogwit_core::digest::sha256;
use wasm_metadata::{AddMetadata, AddMetadataField, Description, Licenses, Producers, Revision, Version};
use wit_component::ComponentEncoder;

use crate::error::chain;
use crate::{Error, Guest, Result};

/// A policy, built.
#[derive(Debug, Clone)]
pub struct Component {
    /// The name of its file: the crate's name and `.wasm`.
    pub file: String,
    /// The component itself.
    pub bytes: Vec<u8>,
    /// The digest of the bytes, in hexadecimal.
    pub sha256: String,
    /// What `rustc -V` says of its compiler.
    pub rustc: String,
    /// The name and version of what made a component of the compiler's output.
    pub encoder: String,
}

impl Component {
    /// The name of the policy: that of its file without `.wasm`.
    pub fn name(&self) -> &str {
        self.file.strip_suffix(".wasm").unwrap_or(&self.file)
    }

    /// Wraps the core module that the compiler made of `guest`.
    pub(crate) fn encode(guest: &Guest, module: &[u8], rustc: &str) -> Result<Self> {
        let failed = |why: String| Error::Encode { name: guest.name.clone(), why };
        let (bytes, encoder) = wrap(guest, module).map_err(|error| failed(chain(&*error)))?;
        let encoder = encoder.ok_or_else(|| failed("the encoder left no mark of its version".into()))?;
        Ok(Component {
            file: format!("{}.wasm", guest.name),
            sha256: sha256(&bytes),
            bytes,
            rustc: rustc.to_owned(),
            encoder,
        })
    }
}

/// The component, and the encoder that its producers section names.
fn wrap(guest: &Guest, module: &[u8]) -> Result<(Vec<u8>, Option<String>), Box<dyn std::error::Error>> {
    let mut encoder = ComponentEncoder::default().module(module)?.validate(true);
    let component = encoder.encode()?;

    let mut metadata = AddMetadata::default();
    metadata.name = AddMetadataField::Set(guest.name.clone());
    metadata.version = AddMetadataField::Set(Version::new(guest.version.clone()));
    if let Some(description) = &guest.description {
        metadata.description = AddMetadataField::Set(Description::new(description.clone()));
    }
    if let Some(license) = &guest.license {
        metadata.licenses = AddMetadataField::Set(Licenses::new(license)?);
    }
    if let Some(revision) = &guest.revision {
        metadata.revision = AddMetadataField::Set(Revision::new(revision.clone()));
    }
    let component = metadata.to_wasm(&component)?;

    let producers = Producers::from_wasm(&component)?;
    let tools = producers.as_ref().and_then(|producers| producers.get("processed-by"));
    let version = tools.as_ref().and_then(|tools| tools.get("wit-component"));
    let encoder = version.map(|version| format!("wit-component {version}"));
    Ok((component, encoder))
}

#[cfg(test)]
mod tests {
    use wasm_metadata::Payload;

    use super::*;

    const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

    fn guest(license: &str) -> Guest {
        Guest {
            name: "deny-late".into(),
            version: "1.2.3".into(),
            description: Some("Denies the late".into()),
            license: Some(license.into()),
            revision: Some("5b1f0c7".into()),
            folder: "/w/deny-late".into(),
            artifact: "deny_late".into(),
        }
    }

    #[test]
    fn a_component_says_whose_it_is_and_who_encoded_it() {
        let component = Component::encode(&guest("Apache-2.0 OR MIT"), EMPTY_MODULE, "rustc 1.95.0").unwrap();
        assert_eq!((component.file.as_str(), component.name()), ("deny-late.wasm", "deny-late"));
        assert_eq!(component.rustc, "rustc 1.95.0");
        assert!(component.encoder.starts_with("wit-component 0."), "{}", component.encoder);
        let Payload::Component { metadata, .. } = Payload::from_binary(&component.bytes).unwrap() else {
            panic!("no component");
        };
        assert_eq!(metadata.name.as_deref(), Some("deny-late"));
        assert_eq!(metadata.version.unwrap().to_string(), "1.2.3");
        assert_eq!(metadata.description.unwrap().to_string(), "Denies the late");
        assert_eq!(metadata.licenses.unwrap().to_string(), "Apache-2.0 OR MIT");
        assert_eq!(metadata.revision.unwrap().to_string(), "5b1f0c7");
    }

    #[test]
    fn what_is_no_module_or_no_licence_is_an_error_that_names_the_policy() {
        let no_module = Component::encode(&guest("MIT"), b"\x7fELF", "").unwrap_err().to_string();
        assert!(no_module.starts_with("`deny-late` does not become a component: "), "{no_module}");
        let no_licence = Component::encode(&guest("do as you like"), EMPTY_MODULE, "").unwrap_err().to_string();
        assert!(no_licence.starts_with("`deny-late` does not become a component: "), "{no_licence}");
    }
}
