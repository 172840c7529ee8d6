//! Holds the commands, one file each.

pub(crate) mod new;
pub(crate) mod pack;
pub(crate) mod run;
pub(crate) mod simulate;
pub(crate) mod test;
pub(crate) mod serve;
pub(crate) mod event;
pub(crate) mod inspect;
pub(crate) mod validate;
pub(crate) mod native;
pub(crate) mod keygen;
pub(crate) mod publish;
pub(crate) mod rollback;
pub(crate) mod status;
pub(crate) mod history;
pub(crate) mod diff;
pub(crate) mod compare;
pub(crate) mod config;

mod common;
mod edit;
mod flows;
mod set;
mod ship;

pub(crate) use common::Format;
