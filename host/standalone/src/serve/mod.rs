//! Is the standalone server: what calls a Lambda function can call it, and it decides as the Lambda host does.

/// The policies that it serves, and how they change.
mod policies;
/// Who is let in, from the first to the last.
mod server;
/// One connection.
mod connection;
/// What is asked of it, by path.
mod app;
/// Who may ask.
mod token;
/// What no web page may ask.
mod web;
/// Lambda's Invoke API.
mod invoke;
/// The same, for callers that look at the status alone.
mod plain;
/// The function that a path names.
mod function;
/// What an invocation's headers say.
mod headers;
/// What an invocation brings.
mod body;
/// What is answered where no function ran.
mod refused;
/// How many decide at once.
mod work;
/// One decision and its record.
mod decide;
/// Where records go.
mod records;
/// What it tells of itself.
mod status;
/// What it counts.
mod metrics;

pub(crate) use app::App;
pub(crate) use policies::Policies;
pub(crate) use records::Records;
pub(crate) use server::Server;
pub(crate) use token::Token;
pub(crate) use web::{Hosts, parse_host};
pub(crate) use work::{Work, deciders, lookers};
