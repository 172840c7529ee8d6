//! Gives `wasi:cli`: an empty environment, no arguments, no terminal, and output to the log.

use wasmtime::StoreContextMut;
use wasmtime::component::{LinkerInstance, Resource};

use super::io::{InputStream, OutputStream};
use crate::run::context::Context;
use crate::run::fault::NotGiven;
use crate::run::imports::logging::{STDERR, STDOUT};

/// `wasi:cli/terminal-input#terminal-input`: of which there is never one.
pub(super) struct TerminalInput;
/// `wasi:cli/terminal-output#terminal-output`: of which there is never one.
pub(super) struct TerminalOutput;

type Store<'a> = StoreContextMut<'a, Context>;

pub(super) fn add_to(linked: &mut LinkerInstance<'_, Context>, interface: &str) -> wasmtime::Result<()> {
    match interface {
        "wasi:cli/environment" => {
            linked.func_wrap("get-environment", |_: Store<'_>, (): ()| Ok((Vec::<(String, String)>::new(),)))?;
            linked.func_wrap("get-arguments", |_: Store<'_>, (): ()| Ok((Vec::<String>::new(),)))?;
            linked.func_wrap("initial-cwd", |_: Store<'_>, (): ()| Ok((None::<String>,)))
        }
        "wasi:cli/exit" => linked.func_wrap("exit", |_: Store<'_>, (status,): (Result<(), ()>,)| {
            let word = if status.is_ok() { "success" } else { "failure" };
            Err::<(), _>(NotGiven(format!("called `exit` with {word} instead of answering")).into())
        }),
        "wasi:cli/stdin" => {
            linked.func_wrap("get-stdin", |_: Store<'_>, (): ()| Ok((Resource::<InputStream>::new_own(0),)))
        }
        "wasi:cli/stdout" => {
            linked.func_wrap("get-stdout", |_: Store<'_>, (): ()| Ok((Resource::<OutputStream>::new_own(STDOUT),)))
        }
        "wasi:cli/stderr" => {
            linked.func_wrap("get-stderr", |_: Store<'_>, (): ()| Ok((Resource::<OutputStream>::new_own(STDERR),)))
        }
        "wasi:cli/terminal-stdin" => {
            linked.func_wrap("get-terminal-stdin", |_: Store<'_>, (): ()| Ok((None::<Resource<TerminalInput>>,)))
        }
        "wasi:cli/terminal-stdout" => {
            linked.func_wrap("get-terminal-stdout", |_: Store<'_>, (): ()| Ok((None::<Resource<TerminalOutput>>,)))
        }
        "wasi:cli/terminal-stderr" => {
            linked.func_wrap("get-terminal-stderr", |_: Store<'_>, (): ()| Ok((None::<Resource<TerminalOutput>>,)))
        }
        _ => Ok(()),
    }
}
