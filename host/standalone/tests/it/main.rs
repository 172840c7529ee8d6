//! Holds the command line to its promises, from outside: every test starts the program itself.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "tests fail loudly"
)]

mod cases;
mod channel;
mod channel_source;
mod compare;
mod config;
mod credentials;
mod diff;
mod event;
mod faults;
mod grants;
mod history;
#[cfg(unix)]
mod http;
mod inspect;
mod keygen;
mod lambda;
mod new;
#[cfg(unix)]
mod pack;
#[cfg(unix)]
#[path = "../../../tests/probe.rs"]
#[expect(dead_code, reason = "the Lambda host's tests use the rest")]
mod probe;
mod program;
mod promote;
mod publish;
mod publish_checks;
mod publish_faults;
mod readme;
mod refused;
#[cfg(unix)]
mod replayed;
mod roll_out;
mod rollback;
mod run;
#[path = "../../../tests/s3/mod.rs"]
#[expect(dead_code, reason = "the core's tests use the rest")]
mod s3;
#[path = "../../../tests/scenario.rs"]
mod scenario;
mod scenarios;
#[cfg(unix)]
mod serve_body;
#[cfg(unix)]
mod serve_channel;
#[cfg(unix)]
mod serve_end;
mod serve_flow;
#[cfg(unix)]
mod serve_hostile;
#[cfg(unix)]
mod serve_invoke;
#[cfg(unix)]
mod serve_load;
#[cfg(unix)]
mod serve_pause;
#[cfg(unix)]
mod serve_records;
#[cfg(unix)]
mod serve_revert;
#[cfg(unix)]
mod serve_scenarios;
#[cfg(unix)]
mod serve_shadows;
#[cfg(unix)]
mod serve_sides;
#[cfg(unix)]
mod serve_token;
#[cfg(unix)]
mod serve_watch;
mod serve_web;
#[cfg(unix)]
mod server;
mod settings;
mod sides;
mod simulate;
mod simulate_challenges;
mod simulate_endpoint;
mod simulate_flows;
mod simulate_shipped;
#[cfg(unix)]
#[path = "../../../tests/split.rs"]
mod split;
mod status;
mod streams;
mod support;
mod validate;
