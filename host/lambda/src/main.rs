//! Is the Lambda host: a custom runtime that decides every event by the policy set in its package, or by a channel's.

mod answer;
mod asking;
mod environment;
mod function;
mod log;
mod looking;
mod runtime_api;
mod setup;

use std::process::ExitCode;

use cogwit_core::release::Live;
use environment::Environment;
use function::Function;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn, tower::layer::layer_fn};
use log::say;
use runtime_api::RuntimeApi;
use setup::Settings;

fn main() -> ExitCode {
    // A panic's own message could hold what came with an event.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        say(&format!("the host panicked at {place}"));
    }));
    let environment = match Environment::read() {
        Ok(environment) => environment,
        Err(error) => {
            say(&format!("error: {error}"));
            return ExitCode::FAILURE;
        }
    };
    // One thread is enough for one event at a time, and starts sooner.
    let mut builder = match environment.concurrency {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    match builder.enable_all().build() {
        Ok(runtime) => runtime.block_on(serve(environment)),
        Err(error) => {
            say(&format!("error: this host cannot start its runtime: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(environment: Environment) -> ExitCode {
    let api = RuntimeApi::new(environment.runtime_api.clone());
    let (settings, live) = match setup(&environment).await {
        Ok(both) => both,
        Err(mistakes) => {
            say(&format!("error: this host cannot be set up as it is\n{}", mistakes.join("\n")));
            api.report_init_error(&mistakes).await;
            return ExitCode::FAILURE;
        }
    };
    let function = Function::new(environment, settings, live, api);
    // The layer answers in place of the handler, which would only see events that are JSON.
    let never = service_fn(|_: LambdaEvent<serde_json::Value>| async { Ok::<(), Diagnostic>(()) });
    let runtime = Runtime::new(never).layer(layer_fn(|_| function.clone()));
    match runtime.run_concurrent().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: the Lambda Runtime API cannot be reached: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn setup(environment: &Environment) -> Result<(Settings, Live), Vec<String>> {
    let settings = Settings::read()?;
    let live = settings.live(environment).await.map_err(|mistake| vec![mistake])?;
    Ok((settings, live))
}
