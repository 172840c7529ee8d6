//! Finds credentials for S3 as every AWS tool does: environment, profiles with their roles, processes and sign-ons, instance.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use cogwit_core::release::{Access, Root};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use tokio::sync::Mutex;

/// Credentials that end sooner than this are asked for anew.
const MARGIN: Duration = Duration::from_secs(60);

/// How a store is reached with these surroundings. Nothing is asked for yet but files.
pub(crate) async fn access(root: &Root) -> Access {
    match root {
        Root::S3 { .. } => access_to_s3().await,
        Root::Folder(_) => Access::default(),
    }
}

async fn access_to_s3() -> Access {
    let tls = Provider::Rustls(CryptoMode::Ring);
    // Not the instance's own: asking for that takes seconds where there is none.
    let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(ProfileFileRegionProvider::new());
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .http_client(aws_smithy_http_client::Builder::new().tls_provider(tls).build_https())
        .load()
        .await;
    Access {
        credentials: config
            .credentials_provider()
            .map(|provider| Arc::new(Kept { provider, last: Mutex::default() }) as _),
        region: config.region().map(ToString::to_string),
        endpoint: config.endpoint_url().map(str::to_owned),
    }
}

/// What the environment or a profile gives, kept as long as it is good.
struct Kept {
    provider: SharedCredentialsProvider,
    last: Mutex<Option<(Arc<AwsCredential>, Option<SystemTime>)>>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Kept")
    }
}

#[async_trait]
impl CredentialProvider for Kept {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut last = self.last.lock().await;
        let good = |until: Option<SystemTime>| until.is_none_or(|until| SystemTime::now() + MARGIN < until);
        if let Some((credential, _)) = last.as_ref().filter(|(_, until)| good(*until)) {
            return Ok(credential.clone());
        }
        let found = self.provider.provide_credentials().await.map_err(|error| refused(&error))?;
        let credential = Arc::new(AwsCredential {
            key_id: found.access_key_id().to_owned(),
            secret_key: found.secret_access_key().to_owned(),
            token: found.session_token().map(str::to_owned),
        });
        *last = Some((credential.clone(), found.expiry()));
        Ok(credential)
    }
}

/// The whole chain of reasons: what is at the bottom of it seldom names the profile.
fn refused(error: &CredentialsError) -> object_store::Error {
    let source = match error {
        CredentialsError::CredentialsNotLoaded(_) => {
            let profile = std::env::var("AWS_PROFILE").map(|profile| format!(" in the profile `{profile}`"));
            format!(
                "there are no credentials{}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile \
                 of `aws configure`",
                profile.unwrap_or_default()
            )
        }
        error => {
            let mut texts = vec![error.to_string()];
            let mut cause = error.source();
            while let Some(error) = cause {
                texts.push(error.to_string());
                cause = error.source();
            }
            texts.join(": ")
        }
    };
    object_store::Error::Unauthenticated { path: String::new(), source: source.into() }
}
