//! Serves policies to whatever calls a Lambda function.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cogwit_core::release::Live;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, channel};

use super::common::{Format, config_from_env};
use crate::failure::{Failure, exit};
use crate::output;
use crate::serve::{App, Hosts, Policies, Records, Server, Token, Work, deciders, lookers, parse_host};

/// Serves policies to whatever calls a Lambda function: emulators of Cognito, SDKs, the AWS command line
///
/// It speaks Lambda's Invoke API, so a client needs no more than this endpoint. Any function name will do; `cogwit:POLICY` leaves
/// the decision to one policy of the set. A channel is followed as the Lambda host follows it; files may be watched.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Paths:
  POST /2015-03-31/functions/NAME/invocations   decides an event, as Lambda's Invoke API has it
  POST /decide                                  the same by status: 200 allowed, 403 denied, else neither
  GET  /healthz                                 the process lives
  GET  /readyz                                  200 while a set decides, else 503
  GET  /status                                  what serves, since when, and what is wrong, as JSON
  GET  /metrics                                 for Prometheus

No web page may call it: a request with an Origin header, with a Sec-Fetch-Site header other than none and same-origin, or,
without a token, with a Host header that `--allow-host` does not cover, gets 403 and the error type AccessDeniedException.

Exit codes:
  0  ended by a signal, and everything that was accepted is answered
  1  ended by a signal, but some answers took too long
  2  the command line or a COGWIT_* variable is wrong
  4  could not run: a set that cannot be loaded, or an address that is taken

Examples:
  cogwit serve                                     the built-in set, on 127.0.0.1:9000
  cogwit serve --policies policies/ --watch        your set, and each change of it
  cogwit serve --policies s3://acme-policies/login#prod    what a channel serves
  aws lambda invoke --endpoint-url http://127.0.0.1:9000 --function-name cogwit --payload fileb://event.json reply.json")]
pub(crate) struct Args {
    /// A policy set: a folder with a policies.toml, a policies.toml, a .wasm file, or a channel [default: `COGWIT_POLICIES`,
    /// else the built-in set]
    #[arg(long, value_name = "SOURCE")]
    policies: Option<String>,
    /// Where to listen; port 0 takes a free one. Elsewhere than on loopback, `COGWIT_SERVE_TOKEN` must be set
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9000", value_parser = parse_listen)]
    listen: Listen,
    /// Also answer requests whose Host header names this host, such as host.docker.internal; may be repeated. Without a token,
    /// no host is answered but localhost, loopback addresses and the host of `--listen`
    #[arg(long, value_name = "NAME", value_parser = parse_host)]
    allow_host: Vec<String>,
    /// Serve each change of the set's files; one that cannot be loaded leaves what served before
    #[arg(long)]
    watch: bool,
    /// How many invocations may be under way; one more is answered with status 429
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    concurrency: u32,
    /// What is written to standard output for each decision: its record as JSON, or a report as `run` gives it [default: text
    /// on a terminal, else json]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// How many answered events wait for those who look on; at further ones nobody does.
const MOST_WATCHED: u32 = 64;

/// The value of `--listen`.
#[derive(Debug, Clone)]
struct Listen {
    host: String,
    address: SocketAddr,
}

fn parse_listen(text: &str) -> Result<Listen, String> {
    let mut found =
        text.to_socket_addrs().map_err(|error| format!("{error}; write HOST:PORT, such as localhost:9000"))?;
    let address = found.next().ok_or_else(|| "the host has no address".to_owned())?;
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host).to_owned();
    Ok(Listen { host, address })
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    // A panic's own message could hold what came with an event.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        output::report(&format!("error: the host panicked at {place}\n"));
    }));
    let config = config_from_env()?;
    let token = config.token.as_deref().map(Token::new).transpose().map_err(Failure::usage)?;
    let Listen { host, address } = &args.listen;
    if !address.ip().is_loopback() && token.is_none() {
        return Err(Failure::usage(format!(
            "{address} can be reached from elsewhere, so callers have to show a token: set COGWIT_SERVE_TOKEN, such as to what `openssl rand -hex 32` prints, or listen on 127.0.0.1"
        )));
    }
    let policies = Policies::new(args.policies.as_deref(), &config)?;
    let watched = args.watch.then(|| policies.watched()).transpose()?;
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::could_not_run(format!("cannot start the runtime: {error}")))?;
    let threads = |error| Failure::could_not_run(format!("cannot start the threads that decide: {error}"));
    let (deciders, lookers) = (deciders().map_err(threads)?, lookers().map_err(threads)?);
    let ended = runtime.block_on(async {
        let live = Arc::new(policies.serve(args.watch).await?);
        let records = Records::new(args.format.unwrap_or_else(Format::of_stdout))?;
        let work = Work::new(args.concurrency, deciders.handle().clone());
        let shadows = Work::new(MOST_WATCHED, lookers.handle().clone());
        let hosts = Hosts::new(args.allow_host.iter().chain([host]).map(String::as_str));
        let app = App::new(live.clone(), config, token, hosts, records, work, shadows);
        let server = Server::bind(*address, app).await?;
        let address = server.address()?;
        let ends = signals()?;
        tokio::spawn(keep_fresh(live.clone()));
        if let Some(watched) = watched {
            std::thread::spawn(move || policies.watch(watched, &live));
        }
        output::report(&format!("listening on http://{address}\n"));
        Ok(server.run(ends).await)
    });
    // Whatever is stuck by now is not waited for.
    deciders.shutdown_timeout(Duration::from_secs(1));
    lookers.shutdown_timeout(Duration::from_secs(1));
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended? {
        true => Ok(ExitCode::from(exit::ALLOW)),
        false => Err(Failure::failed("some answers took too long, and were cut off")),
    }
}

/// Follows the channel, if there is one. Whatever a refresh comes upon, it is not the last.
async fn keep_fresh(live: Arc<Live>) {
    let following = || {
        let live = live.clone();
        async move { live.keep_fresh().await }
    };
    while tokio::spawn(following()).await.is_err() {}
}

/// The signals that end the server, as they come.
fn signals() -> Result<Receiver<()>, Failure> {
    let (sender, ends) = channel(1);
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals =
            signal(kind).map_err(|error| Failure::could_not_run(format!("cannot wait for signals: {error}")))?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                let _ = sender.send(()).await;
            }
        });
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use super::parse_listen;

    #[test]
    fn the_host_to_listen_on_is_kept_as_it_was_named() {
        for (text, host) in [("localhost:0", "localhost"), ("127.0.0.2:80", "127.0.0.2"), ("[::1]:9000", "[::1]")] {
            assert_eq!(parse_listen(text).unwrap().host, host);
        }
        assert!(parse_listen("localhost").unwrap_err().contains("write HOST:PORT"));
    }
}
