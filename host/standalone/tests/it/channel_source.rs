//! Takes the policies of a command from a channel, by the rules by which a host would.

use crate::channel::{Channel, RROE};
use crate::program::{stderr, stdout};

#[test]
fn run_test_and_validate_take_a_channel() {
    for channel in Channel::each() {
        channel.published("four");
        let validated = stdout(&channel.cogwit("validate").arg(channel.place()).ends(0));
        assert!(validated.ends_with("\nadmitted: a host would serve it, one case passed\n"), "{validated}");
        let test = |file: &str| channel.cogwit("test").args([file, "--policies", &channel.place()]);
        test("four/cases.toml").ends(0);
        test("five/cases.toml").ends(1);
        channel.published("five");
        test("five/cases.toml").ends(0);
        let laid_over = "source = 'PreSignUp_SignUp'\nsettings.length.minimum-length = 3\nexpect.decision = 'allow'\nwith.userName = 'rro'\n";
        channel.folder.write("three.toml", laid_over);
        test("three.toml").ends(0);
    }
}

#[test]
fn an_earlier_release_is_named_by_its_sequence() {
    let channel = Channel::in_s3();
    channel.published("four");
    channel.published("five");
    let run = |place: &str| channel.cogwit("run").args(["-", "--policies", place]).stdin(RROE);
    run(&channel.place()).ends(1);
    run(&format!("{}@1", channel.place())).ends(0);
    let told = stderr(&run(&channel.place()).args(["--setting", "length.minimum-length=4"]).ends(0));
    assert!(told.starts_with("allow: pre-sign-up by the set `it`\n"), "{told}");
}

#[test]
fn a_channel_that_no_host_would_follow_is_not_taken() {
    let channel = Channel::in_a_folder();
    channel.publish("four").args(["--expires", "0s"]).ends(0);
    let place = channel.place();
    let run = || channel.cogwit("run").args(["--policies", &place]);
    run().ends(0);
    for (name, value, reason) in [
        ("COGWIT_SET", "other", "it is of the set `it`, not of `other`"),
        ("COGWIT_MIN_SEQUENCE", "2", "its sequence is 1, but 2 was seen before"),
        ("COGWIT_ON_EXPIRED", "deny", "it is expired, and COGWIT_ON_EXPIRED=deny"),
        ("COGWIT_TRUSTED_KEYS", &channel.key("other"), "it is signed by a key that is not trusted"),
    ] {
        let told = stderr(&run().env(name, value).ends(4).stdout_eq(""));
        assert!(told.contains(reason), "{told}");
    }
    let told = stderr(&channel.strange("run").args(["--policies", &place]).ends(4).stdout_eq(""));
    assert!(told.contains("no key is trusted: set COGWIT_TRUSTED_KEYS"), "{told}");
    channel.cogwit("run").args(["--policies", "s3://b/p"]).ends(2).stdout_eq("");
}
