//! Holds what the program brings along: the default policy set and an example event.

use cogwit_core::store::Source;

/// Lists the files of `policies-wasm`, each with its bytes.
macro_rules! components {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_bytes!(concat!("../../../policies-wasm/", $file)))),+]
    };
}

/// The policy set of `policies-wasm/policies.toml`.
pub(crate) const DEFAULT_SET: Source = Source::Embedded {
    document: include_str!("../../../policies-wasm/policies.toml"),
    components: components!["auto-confirm-domain.wasm", "block-client.wasm", "deny-short-username.wasm"],
};

/// A sign-up as Cognito sends it, which the default set allows and confirms.
pub(crate) const EXAMPLE_EVENT: &[u8] = include_bytes!("example.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cogwit_core::policy::PolicyDocument;

    use super::*;

    #[test]
    fn every_component_of_the_default_set_is_built_in_and_no_other() {
        let package = DEFAULT_SET.read().unwrap();
        let named = package.document.policies.iter().flat_map(PolicyDocument::components).map(|(file, _)| file);
        assert_eq!(named.collect::<BTreeSet<_>>(), package.components.keys().map(String::as_str).collect());
    }
}
