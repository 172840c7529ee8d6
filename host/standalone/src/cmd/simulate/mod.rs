//! Plays Cognito: fires the triggers of a flow in their order, and ends as Cognito's caller would see it.
//!
//! A flow is one function that reads as the story goes; [`pool::Pool::fire`] does the rest.

/// The command line, and how the command ends.
mod command;
/// What every flow is told on its command line.
mod options;
/// A sign-up, to the confirmed user.
mod signup;
/// A sign-in with a password, to the tokens.
mod signin;
/// A sign-in by challenges, to the tokens.
mod custom_auth;
/// Who answers the challenges.
mod answers;
/// A sign-in at another identity provider.
mod federated;
/// New tokens for an old sign-in.
mod refresh;
/// A user who comes from another directory.
mod migrate;
/// The tokens that a sign-in ends with.
mod tokens;
/// A message with a code.
mod message;
/// The user pool: fires a trigger, and remembers the user.
mod pool;
/// Who signs up or in.
mod user;
/// Who answers: a policy set in this process, or an endpoint.
mod function;
/// A function behind Lambda's Invoke API.
mod endpoint;
/// What a function's output must be.
mod response;
/// What Cognito's caller sees of what went wrong.
mod exception;
/// What no report shows.
mod hidden;
/// What is printed of each step.
mod told;

pub(crate) use command::{Args, run};
