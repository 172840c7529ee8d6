//! Decides a sign-up in Rust alone, without WebAssembly: what the benchmark holds the standalone host against.

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The rule of the policy `deny-short-username`.
async fn decide(event: Bytes) -> Response {
    let Ok(event) = serde_json::from_slice::<Value>(&event) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let allowed = event.get("userName").and_then(Value::as_str).unwrap_or_default().chars().count() >= 5;
    println!("{}", json!({ "decision": if allowed { "allow" } else { "deny" }, "pool": event.get("userPoolId") }));
    if allowed {
        return ([("content-type", "application/json")], event.to_string()).into_response();
    }
    let message = "Cannot register users with username less than the minimum length of 5";
    let error = json!({ "errorType": "Function.PolicyDenied", "errorMessage": message });
    let headers = [("content-type", "application/json"), ("x-amz-function-error", "Unhandled")];
    (headers, error.to_string()).into_response()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).ok_or("usage: native PORT")?.parse()?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let router = Router::new().route("/2015-03-31/functions/{name}/invocations", post(decide));
        let service = TowerToHyperService::new(router);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(Builder::new().serve_connection(TokioIo::new(stream), service.clone()));
        }
    })
}
