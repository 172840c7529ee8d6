//! Holds what `bindgen!` makes of the WIT package, and the one list of triggers that have an interface.

use wasmtime::AsContextMut;
use wasmtime::component::{Instance, InstancePre};

use crate::event::Trigger;

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "cogwit:host/host",
        inline: "package cogwit:host;
            world host {
                include cogwit:triggers/imports@0.1.0;
                export cogwit:triggers/settings@0.1.0;
                export cogwit:triggers/pre-sign-up@0.1.0;
                export cogwit:triggers/post-confirmation@0.1.0;
                export cogwit:triggers/pre-authentication@0.1.0;
                export cogwit:triggers/post-authentication@0.1.0;
                export cogwit:triggers/define-auth-challenge@0.1.0;
                export cogwit:triggers/create-auth-challenge@0.1.0;
                export cogwit:triggers/verify-auth-challenge-response@0.1.0;
                export cogwit:triggers/pre-token-generation@0.1.0;
                export cogwit:triggers/pre-token-generation-v2@0.1.0;
                export cogwit:triggers/user-migration@0.1.0;
                export cogwit:triggers/custom-message@0.1.0;
                export cogwit:triggers/custom-email-sender@0.1.0;
                export cogwit:triggers/custom-sms-sender@0.1.0;
                export cogwit:triggers/inbound-federation@0.1.0;
            }",
    });
}

pub(super) use generated::exports::cogwit::triggers as exports;
pub(super) use generated::wasi::{config::store, logging::logging};

/// The records of the trigger interfaces, as the adapters fill and read them.
pub(crate) use generated::cogwit::triggers::challenges::Challenge;
pub(crate) use generated::cogwit::triggers::groups::{GroupConfiguration, GroupOverrideDetails};
pub(crate) use generated::cogwit::triggers::types::{Denial, Header};
pub(crate) use generated::exports::cogwit::triggers::{
    create_auth_challenge, custom_email_sender, custom_message, custom_sms_sender, define_auth_challenge,
    inbound_federation, post_authentication, post_confirmation, pre_authentication, pre_sign_up, pre_token_generation,
    pre_token_generation_v2, user_migration, verify_auth_challenge_response,
};

/// Hands the list of triggers that have an interface to the macro `$then`: each as variant, module, and the type that an
/// allowing verdict carries.
macro_rules! interfaces {
    ($then:ident) => {
        $then! {
            PreSignUp pre_sign_up (crate::run::bindings::pre_sign_up::Response),
            PostConfirmation post_confirmation (()),
            PreAuthentication pre_authentication (()),
            PostAuthentication post_authentication (()),
            DefineAuthChallenge define_auth_challenge (crate::run::bindings::define_auth_challenge::Response),
            CreateAuthChallenge create_auth_challenge (crate::run::bindings::create_auth_challenge::Response),
            VerifyAuthChallengeResponse verify_auth_challenge_response (crate::run::bindings::verify_auth_challenge_response::Response),
            PreTokenGeneration pre_token_generation (crate::run::bindings::pre_token_generation::Response),
            PreTokenGenerationV2 pre_token_generation_v2 (crate::run::bindings::pre_token_generation_v2::Response),
            UserMigration user_migration (crate::run::bindings::user_migration::Response),
            CustomMessage custom_message (crate::run::bindings::custom_message::Response),
            CustomEmailSender custom_email_sender (()),
            CustomSmsSender custom_sms_sender (()),
            InboundFederation inbound_federation (crate::run::bindings::inbound_federation::Response),
        }
    };
}
pub(crate) use interfaces;

macro_rules! define {
    ($($variant:ident $module:ident ($response:ty),)+) => {
        /// An event in the typed form of its trigger.
        #[derive(Debug)]
        pub(crate) enum Request {
            $($variant($module::Event),)+
        }

        /// What a policy that allowed wants changed.
        #[derive(Debug, Clone)]
        #[expect(clippy::enum_variant_names, reason = "the variants are Cognito's own names")]
        pub(crate) enum Response {
            $($variant($response),)+
        }

        /// Which trigger interfaces a component exports, found once by name.
        #[derive(Clone)]
        pub(super) struct Indices {
            $($module: Option<exports::$module::GuestIndices>,)+
        }

        impl Indices {
            pub(super) fn find<T>(pre: &InstancePre<T>, exported: &[Trigger]) -> wasmtime::Result<Self> {
                Ok(Self {
                    $($module: exported
                        .contains(&Trigger::$variant)
                        .then(|| exports::$module::GuestIndices::new(pre))
                        .transpose()?,)+
                })
            }

            /// Checks the types of every exported trigger interface.
            pub(super) fn check(&self, mut store: impl AsContextMut, instance: &Instance) -> wasmtime::Result<()> {
                $(if let Some(indices) = &self.$module {
                    indices.load(&mut store, instance)?;
                })+
                Ok(())
            }

            /// Calls the `decide` that answers the request.
            pub(super) fn decide(
                &self,
                mut store: impl AsContextMut,
                instance: &Instance,
                request: &Request,
            ) -> wasmtime::Result<Result<Response, Denial>> {
                match request {
                    $(Request::$variant(event) => {
                        let indices = self.$module.as_ref().ok_or_else(not_exported)?;
                        let verdict = indices.load(&mut store, instance)?.call_decide(&mut store, event)?;
                        Ok(verdict.map(Response::$variant))
                    })+
                }
            }
        }
    };
}
interfaces!(define);

fn not_exported() -> wasmtime::Error {
    wasmtime::Error::msg("the component does not export the trigger that the event is of")
}
