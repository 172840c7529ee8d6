//! Reads what Lambda tells a runtime in its environment.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>

use std::env;
use std::path::PathBuf;

use http::Uri;

/// What Lambda says.
pub(crate) struct Environment {
    /// Where the Runtime API is.
    pub(crate) runtime_api: Uri,
    /// The function's name.
    pub(crate) function: String,
    /// Where the function's package was unpacked.
    pub(crate) task_root: PathBuf,
    /// How many events may come at once.
    pub(crate) concurrency: u32,
}

impl Environment {
    /// Reads the variables. The runtime library would panic where one is missing.
    pub(crate) fn read() -> Result<Self, String> {
        let required = ["RUNTIME_API", "FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE"];
        let missing: Vec<_> =
            required.iter().map(|name| format!("AWS_LAMBDA_{name}")).filter(|name| env::var(name).is_err()).collect();
        if !missing.is_empty() {
            let missing = missing.join(", ");
            return Err(format!(
                "this program is a runtime for AWS Lambda, which sets {missing}; on a laptop use `cogwit run`"
            ));
        }
        let text = |name: &str| env::var(name).unwrap_or_default();
        let memory = text("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
        if memory.parse::<i32>().is_err() {
            return Err(format!("AWS_LAMBDA_FUNCTION_MEMORY_SIZE is `{memory}`: Lambda sets a number of MiB"));
        }
        let address = text("AWS_LAMBDA_RUNTIME_API");
        let uri = address.parse::<Uri>().ok().filter(|uri| uri.authority().is_some());
        let beside = || env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
        Ok(Self {
            runtime_api: uri.ok_or_else(|| format!("AWS_LAMBDA_RUNTIME_API is `{address}`: Lambda sets HOST:PORT"))?,
            function: text("AWS_LAMBDA_FUNCTION_NAME"),
            task_root: env::var_os("LAMBDA_TASK_ROOT").map(PathBuf::from).or_else(beside).unwrap_or_default(),
            concurrency: text("AWS_LAMBDA_MAX_CONCURRENCY").parse().unwrap_or(1).max(1),
        })
    }
}
