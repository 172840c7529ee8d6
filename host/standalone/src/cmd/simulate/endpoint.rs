//! Calls a function behind Lambda's Invoke API, as a user pool would.
//!
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cogwit_core::text::one_line;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::Deserialize;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::function::Answer;
use crate::failure::Failure;

/// The most that Lambda takes from a function, in bytes: 6 MiB and a little.
const MOST: usize = 6_291_556;

/// Where functions are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address(String);

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_bare = |url: &Url| url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        let is_web = |url: &Url| ["http", "https"].contains(&url.scheme()) && url.query().is_none() && is_bare(url);
        match text.parse().ok().filter(is_web) {
            Some(_) => Ok(Self(text.trim_end_matches('/').to_owned())),
            None => Err("write such as `http://127.0.0.1:9000`".to_owned()),
        }
    }
}

/// A function behind an address.
pub(super) struct Endpoint {
    function: String,
    address: String,
    token: Option<String>,
    client: Client,
    runtime: Runtime,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the function `{}` at {}", self.function, self.address)
    }
}

/// What stands in the body of a function error.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct FunctionError {
    error_type: Option<String>,
    error_message: Option<String>,
}

impl Endpoint {
    pub(super) fn new(address: &Address, function: &str, token: Option<&str>) -> Result<Self, Failure> {
        let cannot = |error: &dyn Error| Failure::could_not_run(format!("cannot make requests: {error}"));
        // Where somebody chose another provider before, that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build();
        Ok(Self {
            function: function.to_owned(),
            address: address.0.clone(),
            token: token.map(str::to_owned),
            client: client.map_err(|error| cannot(&error))?,
            runtime: Builder::new_current_thread().enable_all().build().map_err(|error| cannot(&error))?,
        })
    }

    /// Gives the function an event, once.
    pub(super) fn invoke(&self, event: &str, patience: Duration) -> Answer {
        let answer = async { timeout(patience, self.answer(event)).await };
        self.runtime.block_on(answer).unwrap_or_else(|_| Answer::late(patience))
    }

    async fn answer(&self, event: &str) -> Answer {
        let url = format!("{}/2015-03-31/functions/{}/invocations", self.address, encoded(&self.function));
        let mut request = self.client.post(url).header(CONTENT_TYPE, "application/json");
        request = request.header("x-amz-invocation-type", "RequestResponse").body(event.to_owned());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        match request.send().await {
            Ok(response) => read(response).await,
            Err(error) if error.is_connect() => Answer::NoConnection(root(&error)),
            Err(error) => Answer::Silence(root(&error)),
        }
    }
}

async fn read(mut response: Response) -> Answer {
    let header =
        |name| response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let (status, failed, error_type) = (response.status(), header("x-amz-function-error"), header("x-amzn-errortype"));
    if !status.is_success() {
        return Answer::Refused(refusal(status, error_type.as_deref()));
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MOST => return too_large(),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Answer::Silence(root(&error)),
        }
    }
    let Some(failed) = failed else { return Answer::Output(body) };
    // What Cognito says of an error without a message is not known.
    let error: FunctionError = serde_json::from_slice(&body).unwrap_or_default();
    Answer::FunctionError {
        error_type: error.error_type.unwrap_or_default(),
        error_message: error.error_message.unwrap_or(failed),
    }
}

/// As Lambda tells it, which passes no such answer on.
fn too_large() -> Answer {
    Answer::FunctionError {
        error_type: "Function.ResponseSizeTooLarge".to_owned(),
        error_message: format!("Response payload size exceeded maximum allowed payload size ({MOST} bytes)."),
    }
}

/// Lambda's name of a refusal: by the header, of which something may follow a colon, else by the status.
fn refusal(status: StatusCode, error_type: Option<&str>) -> String {
    let named = error_type.and_then(|it| it.split(':').next()).map(str::trim).filter(|name| !name.is_empty());
    let by_status = match status.as_u16() {
        400 => "InvalidRequestContentException",
        401 | 403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        409 => "ResourceConflictException",
        413 => "RequestTooLargeException",
        415 => "UnsupportedMediaTypeException",
        429 => "TooManyRequestsException",
        _ => "ServiceException",
    };
    format!("{:.128}", one_line(named.unwrap_or(by_status)))
}

/// What lies under an error of the client, whose own words repeat the address.
fn root(error: &reqwest::Error) -> String {
    let mut root: &dyn Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    one_line(&root.to_string())
}

/// A name as one segment of a path, as SDKs write it.
fn encoded(name: &str) -> String {
    name.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_as_sdks_name_it() {
        assert_eq!(encoded("my-pre:live"), "my-pre%3Alive");
        assert_eq!(encoded("../å $LATEST"), "..%2F%C3%A5%20%24LATEST");
    }

    #[test]
    fn an_address_is_one_of_the_web() {
        assert_eq!("http://127.0.0.1:9000/".parse(), Ok(Address("http://127.0.0.1:9000".to_owned())));
        assert!("https://lambda.example/a".parse::<Address>().is_ok());
        for wrong in ["127.0.0.1:9000", "localhost", "file:///x", "http://", "http://h/?q", ""] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_refusal_has_lambdas_name() {
        let of = |status, error_type| refusal(StatusCode::from_u16(status).unwrap(), error_type);
        assert_eq!(of(429, None), "TooManyRequestsException");
        assert_eq!(of(403, Some("KMSAccessDeniedException:http://internal/")), "KMSAccessDeniedException");
        assert_eq!(of(404, Some("")), "ResourceNotFoundException");
        assert_eq!(of(503, None), "ServiceException");
    }
}
