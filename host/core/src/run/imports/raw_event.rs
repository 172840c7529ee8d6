//! Gives `raw-event`: the event as Cognito sent it.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::linker::full_name;
use crate::run::context::{Context, charge};
use crate::run::shape::WIT_VERSION;

pub(super) const NAME: (&str, &str) = ("cogwit:triggers/raw-event", WIT_VERSION);

pub(super) fn add_to(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    linker.instance(&full_name(NAME))?.func_wrap("get", |mut store: StoreContextMut<'_, Context>, (): ()| {
        let event = store.data().raw_event.clone();
        charge(&mut store, event.len())?;
        Ok((event.to_string(),))
    })
}
