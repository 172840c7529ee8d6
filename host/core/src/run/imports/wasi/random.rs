//! Gives `wasi:random`: the operating system's random numbers, and constants where a guest asks for insecure ones.

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use crate::run::context::{Context, charge};
use crate::run::fault::NotGiven;

pub(in crate::run) const RANDOM: &str = "wasi:random/random";

type Store<'a> = StoreContextMut<'a, Context>;

pub(super) fn add_to(linked: &mut LinkerInstance<'_, Context>, interface: &str) -> wasmtime::Result<()> {
    add_random(linked, interface)?;
    match interface {
        // Hash maps are seeded with these: constants keep a decision the same, and nobody may take them for secrets.
        "wasi:random/insecure" => {
            linked.func_wrap("get-insecure-random-bytes", |mut store: Store<'_>, (count,): (u64,)| {
                charge(&mut store, usize::try_from(count).unwrap_or(usize::MAX))?;
                let most = store.hostcall_fuel();
                let count = usize::try_from(count).ok().filter(|count| *count <= most);
                let count = count.ok_or_else(|| NotGiven(format!("asked for more than {most} bytes at once")))?;
                Ok((vec![0_u8; count],))
            })?;
            linked.func_wrap("get-insecure-random-u64", |_: Store<'_>, (): ()| Ok((0_u64,)))
        }
        "wasi:random/insecure-seed" => linked.func_wrap("insecure-seed", |_: Store<'_>, (): ()| Ok(((0_u64, 0_u64),))),
        _ => Ok(()),
    }
}

/// Adds the functions that give real random numbers.
pub(in crate::run) fn add_random(linked: &mut LinkerInstance<'_, Context>, interface: &str) -> wasmtime::Result<()> {
    if interface != RANDOM {
        return Ok(());
    }
    linked.func_wrap("get-random-bytes", |mut store: Store<'_>, (count,): (u64,)| {
        charge(&mut store, usize::try_from(count).unwrap_or(usize::MAX))?;
        Ok((store.data_mut().draw.bytes(count).map_err(NotGiven::because)?,))
    })?;
    linked.func_wrap("get-random-u64", |mut store: Store<'_>, (): ()| {
        charge(&mut store, 8)?;
        Ok((store.data_mut().draw.number().map_err(NotGiven::because)?,))
    })
}
