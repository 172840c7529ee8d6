//! Holds the bindings that `wit-bindgen` generates: the shared imports, and one module for each exported interface.
//!
//! `wit` is a link to the repository's folder: a package may only hold what lies below its own manifest.

/// The interfaces that every policy may import, and the types that the triggers share.
pub mod imports {
    wit_bindgen::generate!({
        path: "wit",
        world: "imports",
        generate_all,
        runtime_path: "cogwit_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq, Eq, Default],
        additional_derives_ignore: ["level", "error"],
    });
}

/// The interfaces that a policy may import if its set grants it the capability.
pub mod granted {
    wit_bindgen::generate!({
        path: "wit",
        world: "granted",
        generate_all,
        runtime_path: "cogwit_sdk::wit_bindgen::rt",
    });
}

/// Generates the module of one world. An author's crate exports through its `export!` macro.
macro_rules! world {
    ($module:ident, $world:literal) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "wit",
                world: $world,
                runtime_path: "cogwit_sdk::wit_bindgen::rt",
                pub_export_macro: true,
                additional_derives: [PartialEq, Eq, Default],
                with: {
                    "cogwit:triggers/types@0.1.0": cogwit_sdk::bindings::imports::cogwit::triggers::types,
                    "cogwit:triggers/raw-event@0.1.0": cogwit_sdk::bindings::imports::cogwit::triggers::raw_event,
                    "wasi:config/store@0.2.0-rc.1": cogwit_sdk::bindings::imports::wasi::config::store,
                    "wasi:logging/logging@0.1.0-draft": cogwit_sdk::bindings::imports::wasi::logging::logging,
                },
            });
        }
    };
}

world!(pre_sign_up, "pre-sign-up-policy");
world!(pre_authentication, "pre-authentication-policy");
world!(settings, "settings-policy");
