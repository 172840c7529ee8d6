//! Gives `wasi:io`: output to the log, input that has ended, and pollables that are always ready.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource};

use crate::run::context::{Context, charge};

/// `wasi:io/error`: of which there is never one.
pub(super) struct Error;
/// `wasi:io/streams#input-stream`: at its end from the beginning.
pub(super) struct InputStream;
/// `wasi:io/streams#output-stream`: standard output or standard error, by its representation.
pub(super) struct OutputStream;
/// `wasi:io/poll#pollable`: ready.
pub(super) struct Pollable;

/// How much a stream takes at once, in bytes.
const ROOM: u64 = 64 << 10;

/// `wasi:io/streams#stream-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[expect(dead_code, reason = "a case of the interface that never occurs here")]
    LastOperationFailed(Resource<Error>),
    #[component(name = "closed")]
    Closed,
}

pub(super) fn add_to(linked: &mut LinkerInstance<'_, Context>, interface: &str) -> wasmtime::Result<()> {
    match interface {
        "wasi:io/poll" => poll(linked),
        "wasi:io/streams" => streams(linked),
        _ => Ok(()),
    }
}

fn poll(linked: &mut LinkerInstance<'_, Context>) -> wasmtime::Result<()> {
    linked.func_wrap("[method]pollable.ready", |_: StoreContextMut<'_, Context>, (_,): (Resource<Pollable>,)| {
        Ok((true,))
    })?;
    linked.func_wrap(
        "[method]pollable.block",
        |mut store: StoreContextMut<'_, Context>, (_,): (Resource<Pollable>,)| charge(&mut store, 0),
    )?;
    linked.func_wrap("poll", |mut store: StoreContextMut<'_, Context>, (polled,): (Vec<Resource<Pollable>>,)| {
        charge(&mut store, polled.len() * size_of::<u32>())?;
        let ready: Vec<u32> = (0..).take(polled.len()).collect();
        Ok((ready,))
    })
}

type Written = (Result<(), StreamError>,);

fn streams(linked: &mut LinkerInstance<'_, Context>) -> wasmtime::Result<()> {
    for function in ["[method]output-stream.write", "[method]output-stream.blocking-write-and-flush"] {
        linked.func_wrap(function, write)?;
    }
    for function in ["[method]output-stream.flush", "[method]output-stream.blocking-flush"] {
        linked.func_wrap(function, |_: StoreContextMut<'_, Context>, (_,): (Resource<OutputStream>,)| {
            Ok::<Written, _>((Ok(()),))
        })?;
    }
    linked.func_wrap(
        "[method]output-stream.check-write",
        |_: StoreContextMut<'_, Context>, (_,): (Resource<OutputStream>,)| Ok((Ok::<u64, StreamError>(ROOM),)),
    )?;
    for function in ["[method]input-stream.read", "[method]input-stream.blocking-read"] {
        linked.func_wrap(function, |_: StoreContextMut<'_, Context>, (_, _): (Resource<InputStream>, u64)| {
            Ok((Err::<Vec<u8>, _>(StreamError::Closed),))
        })?;
    }
    linked.func_wrap(
        "[method]output-stream.subscribe",
        |_: StoreContextMut<'_, Context>, (_,): (Resource<OutputStream>,)| Ok((ready(),)),
    )?;
    linked.func_wrap(
        "[method]input-stream.subscribe",
        |_: StoreContextMut<'_, Context>, (_,): (Resource<InputStream>,)| Ok((ready(),)),
    )
}

fn write(
    mut store: StoreContextMut<'_, Context>,
    (stream, bytes): (Resource<OutputStream>, Vec<u8>),
) -> wasmtime::Result<Written> {
    charge(&mut store, bytes.len())?;
    store.data_mut().log.print(stream.rep(), &bytes);
    Ok((Ok(()),))
}

/// A pollable: there is but one kind.
pub(super) fn ready() -> Resource<Pollable> {
    Resource::new_own(0)
}
