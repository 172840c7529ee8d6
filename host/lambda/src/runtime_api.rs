//! Tells the Lambda Runtime API: answers, function errors, and that the host cannot start.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use http::header::CONTENT_TYPE;
use http::{Request, Uri};
use lambda_runtime::{Error, LambdaInvocation};
use lambda_runtime_api_client::PooledClient;
use lambda_runtime_api_client::body::Body;
use serde_json::json;

use crate::answer::Answer;
use crate::log::say;

const JSON: &str = "application/json";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

/// By which Lambda tells a late answer from one to the invocation at hand.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";

/// What the host is told apart by where it cannot start.
const INIT_ERROR: &str = "Runtime.InitError";

/// The Runtime API.
pub(crate) struct RuntimeApi(PooledClient);

impl RuntimeApi {
    pub(crate) fn new(place: Uri) -> Self {
        Self(PooledClient::builder().with_endpoint(place).build())
    }

    /// Posts the answer to an invocation. That Lambda does not take it is written down, and the next one is waited for.
    pub(crate) async fn post(&self, invocation: &LambdaInvocation, answer: Answer) -> Result<(), Error> {
        let id = &invocation.context.request_id;
        let kind = if answer.error.is_some() { "error" } else { "response" };
        let path = format!("/2018-06-01/runtime/invocation/{id}/{kind}");
        let mut request = Request::post(path).header(CONTENT_TYPE, JSON);
        if let Some(error) = answer.error {
            request = request.header(ERROR_TYPE, error.name());
        }
        if let Some(invocation) = invocation.parts.headers.get(INVOCATION_ID) {
            request = request.header(INVOCATION_ID, invocation);
        }
        let status = self.0.call(request.body(Body::from(answer.body))?).await?.status();
        if !status.is_success() {
            say(&format!("error: the answer to {id} was not taken: the Runtime API says {status}"));
        }
        Ok(())
    }

    /// Says that the host cannot start. The message may reach a user, so what is wrong stands where only operators look.
    pub(crate) async fn report_init_error(&self, mistakes: &[String]) {
        let message = "The request could not be completed, reference the log of the function";
        let body = json!({ "errorType": INIT_ERROR, "errorMessage": message, "stackTrace": mistakes });
        let request = Request::post("/2018-06-01/runtime/init/error").header(CONTENT_TYPE, JSON);
        let request = request.header(ERROR_TYPE, INIT_ERROR);
        let told = match request.body(Body::from(body.to_string())) {
            Ok(request) => self.0.call(request).await.map(drop),
            Err(error) => Err(error.into()),
        };
        if let Err(error) = told {
            say(&format!("error: Lambda could not be told: {error}"));
        }
    }
}
