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
        world!($module, $world, [PartialEq, Eq, Default], []);
    };
    ($module:ident, $world:literal, $derives:tt, $but_for:tt) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "wit",
                world: $world,
                runtime_path: "cogwit_sdk::wit_bindgen::rt",
                pub_export_macro: true,
                additional_derives: $derives,
                additional_derives_ignore: $but_for,
                with: {
                    "cogwit:triggers/types@0.1.0": cogwit_sdk::bindings::imports::cogwit::triggers::types,
                    "cogwit:triggers/challenges@0.1.0": cogwit_sdk::bindings::imports::cogwit::triggers::challenges,
                    "cogwit:triggers/groups@0.1.0": cogwit_sdk::bindings::imports::cogwit::triggers::groups,
                    "cogwit:triggers/raw-event@0.1.0": cogwit_sdk::bindings::imports::cogwit::triggers::raw_event,
                    "wasi:config/store@0.2.0-rc.1": cogwit_sdk::bindings::imports::wasi::config::store,
                    "wasi:logging/logging@0.1.0-draft": cogwit_sdk::bindings::imports::wasi::logging::logging,
                },
            });
        }
    };
}

world!(pre_sign_up, "pre-sign-up-policy");
world!(post_confirmation, "post-confirmation-policy");
world!(pre_authentication, "pre-authentication-policy");
world!(post_authentication, "post-authentication-policy");
world!(define_auth_challenge, "define-auth-challenge-policy");
world!(create_auth_challenge, "create-auth-challenge-policy");
world!(verify_auth_challenge_response, "verify-auth-challenge-response-policy");
world!(pre_token_generation, "pre-token-generation-policy");
// A claim may be a number, which is not always equal to itself.
world!(pre_token_generation_v2, "pre-token-generation-v2-policy", [PartialEq], []);
world!(
    user_migration,
    "user-migration-policy",
    [PartialEq, Eq, Default],
    ["final-user-status", "message-action", "delivery-medium"]
);
world!(custom_message, "custom-message-policy");
world!(custom_email_sender, "custom-email-sender-policy");
world!(custom_sms_sender, "custom-sms-sender-policy");
world!(inbound_federation, "inbound-federation-policy");
world!(settings, "settings-policy");
