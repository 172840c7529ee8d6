//! Decides a sign-up in Rust alone, without WebAssembly: what the benchmark holds the Lambda host against.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

/// The rule of the policy `deny-short-username`.
async fn decide(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let name = event.payload.get("userName").and_then(Value::as_str).unwrap_or_default();
    match name.chars().count() < 5 {
        true => Err("Cannot register users with username less than the minimum length of 5".into()),
        false => Ok(event.payload),
    }
}

fn main() -> Result<(), Error> {
    // One thread starts sooner than several, and Lambda sends one event at a time.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(service_fn(decide)))
}
