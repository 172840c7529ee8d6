//! Gives `wasi:config/store`: the policy's settings, sorted by key, so that a reply never depends on chance.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use crate::run::bindings::store::Error;
use crate::run::context::{Context, charge};

pub(super) const NAME: &str = "wasi:config/store@0.2.0-rc.1";

type Entries = Vec<(String, String)>;

pub(super) fn add_to(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    let mut interface = linker.instance(NAME)?;
    interface.func_wrap("get", |mut store: StoreContextMut<'_, Context>, (key,): (String,)| {
        let value = store.data().settings.get(&key).map(str::to_owned);
        charge(&mut store, key.len() + value.as_ref().map_or(0, String::len))?;
        Ok((Ok::<Option<String>, Error>(value),))
    })?;
    interface.func_wrap("get-all", |mut store: StoreContextMut<'_, Context>, (): ()| {
        let entries: Entries =
            store.data().settings.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        charge(&mut store, entries.iter().map(|(key, value)| key.len() + value.len()).sum())?;
        Ok((Ok::<Entries, Error>(entries),))
    })
}
