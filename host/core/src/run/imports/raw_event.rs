//! Gives `raw-event`: the event as Cognito sent it.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use crate::run::context::{Context, charge};

pub(super) const NAME: &str = "cogwit:triggers/raw-event@0.1.0";

pub(super) fn add_to(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    linker.instance(NAME)?.func_wrap("get", |mut store: StoreContextMut<'_, Context>, (): ()| {
        let event = store.data().raw_event.clone();
        charge(&mut store, event.len())?;
        Ok((event.to_string(),))
    })
}
