//! Lists what a channel named, the newest first.

use snapbox::str;

use crate::channel::Channel;
use crate::program::{is, json, stderr, stdout};

#[test]
fn the_newest_comes_first() {
    for channel in Channel::each() {
        for set in ["four", "five", "four"] {
            channel.published(set);
        }
        channel.cogwit("history").arg(channel.place()).ends(0).stderr_eq("").stdout_eq(str![[r#"
* 3  [..]T[..]Z ([..] ago)  [..]  it  by the key [..]
  2  [..]T[..]Z ([..] ago)  [..]  it  by the key [..]
  1  [..]T[..]Z ([..] ago)  [..]  it  by the key [..]

"#]]);
        let ended = channel.cogwit("history").args([&channel.place(), "--most", "1", "--format", "json"]).ends(0);
        is(
            serde_json::to_string_pretty(&json(&ended)).unwrap(),
            str![[r#"
{
  "entries": [
    {
      "current": true,
      "issued": "[..]",
      "key": "[..]",
      "release": "[..]",
      "sequence": 3,
      "set": "it",
      "signature": "trusted"
    }
  ],
  "place": "[..]#prod",
  "problem": null
}
"#]],
        );
    }
}

/// Whoever was cut off right after the channel was written left it out of the history.
#[test]
fn what_is_served_is_listed_even_if_the_history_lacks_it() {
    let channel = Channel::in_a_folder();
    for set in ["four", "five"] {
        channel.published(set);
    }
    channel.remove("history/prod/00000000000000000002.json");
    let told = stdout(&channel.cogwit("history").arg(channel.place()).ends(0));
    assert!(told.starts_with("* 2  ") && told.contains("\n  1  "), "{told}");
    // It is there again with the next one.
    channel.published("five");
    let told = stdout(&channel.cogwit("history").arg(channel.place()).ends(0));
    assert_eq!(told.lines().count(), 3, "{told}");
}

#[test]
fn what_is_not_trusted_is_told_apart() {
    let channel = Channel::in_a_folder();
    for set in ["four", "five"] {
        channel.published(set);
    }
    let told = stdout(&channel.strange("history").arg(channel.place()).ends(0));
    assert_eq!(told.matches("not checked: set COGWIT_TRUSTED_KEYS").count(), 2, "{told}");
    let first = "history/prod/00000000000000000001.json";
    channel.put(first, channel.text(first).replace("\\\"set\\\":\\\"it\\\"", "\\\"set\\\":\\\"no\\\""));
    channel.put("history/prod/nonsense.json", "{");
    let told = stdout(&channel.cogwit("history").arg(channel.place()).ends(0));
    assert!(
        told.contains("  1  ") && told.contains("  no  the signature does not hold, or is not trusted\n"),
        "{told}"
    );
    channel.put("channels/prod.json", channel.text(first));
    let told = stdout(&channel.cogwit("history").arg(channel.place()).ends(0));
    assert!(told.starts_with("  2  ") && told.contains("\n* 1  "), "{told}");
}

#[test]
fn there_is_no_channel() {
    let channel = Channel::in_s3();
    let told = stderr(&channel.cogwit("history").arg(channel.place()).ends(4).stdout_eq(""));
    assert!(told.contains("there is no channel `prod` in `s3://releases/login`"), "{told}");
    channel.published("four");
    channel.remove("channels/prod.json");
    let told = stdout(&channel.cogwit("history").arg(channel.place()).ends(0));
    assert!(told.starts_with("  1  "), "{told}");
    channel.cogwit("history").args([&channel.place(), "--most", "few"]).ends(2).stdout_eq("");
}
