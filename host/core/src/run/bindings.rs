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
                export cogwit:triggers/pre-authentication@0.1.0;
            }",
    });
}

pub(super) use generated::exports::cogwit::triggers as exports;
pub(super) use generated::wasi::{config::store, logging::logging};

/// The records of the trigger interfaces, as the adapters fill and read them.
pub(crate) use generated::cogwit::triggers::types::{Denial, Header};
pub(crate) use generated::exports::cogwit::triggers::{pre_authentication, pre_sign_up};

/// Hands the list of triggers that have an interface to the macro `$then`: each as variant, module, and the type that an
/// allowing verdict carries.
macro_rules! interfaces {
    ($then:ident) => {
        $then! {
            PreSignUp pre_sign_up (crate::run::bindings::pre_sign_up::Response),
            PreAuthentication pre_authentication (()),
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

        /// Whether the trigger has an interface in this version.
        pub const fn has_interface(trigger: Trigger) -> bool {
            matches!(trigger, $(Trigger::$variant)|+)
        }
    };
}
interfaces!(define);

fn not_exported() -> wasmtime::Error {
    wasmtime::Error::msg("the component does not export the trigger that the event is of")
}
