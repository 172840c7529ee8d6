//! Reaches an S3 with the credentials that every other AWS tool would take.

use crate::channel::Channel;
use crate::program::{Cogwit, json, stderr};
use crate::s3::S3;

impl Channel {
    /// `cogwit publish` with nothing in the environment but where profiles stand.
    fn by_profile(&self, config: &str, credentials: &str) -> Cogwit {
        self.folder.write("aws/config", config);
        self.folder.write("aws/credentials", credentials);
        self.folder.cogwit("publish").args(["four", &self.place(), "--key", "it.key", "--format", "json"]).envs([
            ("AWS_CONFIG_FILE", self.folder.path("aws/config").as_str()),
            ("AWS_SHARED_CREDENTIALS_FILE", self.folder.path("aws/credentials").as_str()),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ])
    }

    /// What a profile says of the region and the endpoint.
    fn whereabouts(&self) -> String {
        format!("region = {}\nendpoint_url = {}\n", S3::REGION, self.s3.as_ref().unwrap().endpoint())
    }
}

#[test]
fn a_profile_says_who_where_and_which() {
    let channel = Channel::in_s3();
    let keys = format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", S3::ACCESS_KEY, S3::SECRET_KEY);
    let place = channel.whereabouts();
    json(&channel.by_profile(&format!("[default]\n{place}"), &format!("[default]\n{keys}")).ends(0));
    let (config, keys) = (format!("[profile acme]\n{place}"), format!("[acme]\n{keys}"));
    assert_eq!(json(&channel.by_profile(&config, &keys).env("AWS_PROFILE", "acme").ends(0))["sequence"], 2);
    // The environment goes first.
    let wrong = channel.by_profile(&config, &keys).env("AWS_PROFILE", "acme");
    let wrong = wrong.env("AWS_ACCESS_KEY_ID", "who").env("AWS_SECRET_ACCESS_KEY", "what").ends(4).stdout_eq("");
    assert!(stderr(&wrong).contains("check the credentials"), "{}", stderr(&wrong));
}

#[test]
fn a_process_may_give_credentials() {
    let channel = Channel::in_s3();
    let answer =
        format!(r#"{{"Version":1,"AccessKeyId":"{}","SecretAccessKey":"{}"}}"#, S3::ACCESS_KEY, S3::SECRET_KEY);
    channel.folder.write("answer.json", answer);
    let counted = format!("sh -c 'echo >>{0}/asked; cat {0}/answer.json'", channel.folder.path("."));
    let config = format!("[default]\n{}credential_process = {counted}\n", channel.whereabouts());
    channel.by_profile(&config, "").ends(0);
    assert_eq!(channel.folder.text("asked"), "\n", "it was asked more than once");
    let broken = config.replace("answer.json", "nothing.json");
    let told = stderr(&channel.by_profile(&broken, "").ends(4).stdout_eq(""));
    assert!(told.contains("check the credentials") && told.contains("is refused: "), "{told}");
}

#[test]
fn nobody_gives_credentials() {
    let channel = Channel::in_s3();
    let told = stderr(&channel.by_profile(&format!("[default]\n{}", channel.whereabouts()), "").ends(4).stdout_eq(""));
    assert!(
        told.contains("there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"),
        "{told}"
    );
    let unknown = channel.by_profile("", "").env("AWS_PROFILE", "nobody").ends(4).stdout_eq("");
    assert!(stderr(&unknown).contains("there are no credentials in the profile `nobody`"), "{}", stderr(&unknown));
}
