//! Plays what somebody with the store, but without the key, does to whoever publishes: nothing old is signed again.

use std::fs;

use crate::channel::Channel;
use crate::program::{Cogwit, json, stderr, stdout};

const CHANNEL: &str = "channels/prod.json";

/// The place of a sequence in the history.
fn history(sequence: u64) -> String {
    format!("history/prod/{sequence:020}.json")
}

impl Channel {
    /// Publishes each set, one sequence after another.
    fn with(self, sets: &[&str]) -> Self {
        sets.iter().for_each(|set| drop(self.published(set)));
        self
    }

    /// A command of the publisher, with the channel and the key after its positional arguments.
    fn signed(&self, args: &[&str]) -> Cogwit {
        let options = args.iter().position(|arg| arg.starts_with("--")).unwrap_or(args.len());
        let (positional, options) = args.split_at(options);
        let (command, positional) = positional.split_first().unwrap();
        self.cogwit(command).args(positional).args([&self.place(), "--key", "it.key"]).args(options)
    }

    /// The command is refused for this reason, and nothing in the store has changed.
    #[track_caller]
    fn refuses(&self, command: Cogwit, reason: &str) {
        let before = self.objects();
        let told = stderr(&command.ends(1).stdout_eq(""));
        assert!(told.contains(reason), "{told}");
        assert_eq!(self.objects(), before);
    }

    /// Every command that would build upon the channel is refused.
    #[track_caller]
    fn refuses_all(&self, reason: &str) {
        for args in [
            &["publish", "four"][..],
            &["publish", "--rollout", "length=25"],
            &["publish", "--promote", "length"],
            &["rollback"],
        ] {
            self.refuses(self.signed(args), reason);
        }
        self.refuses(self.signed(&["rollback"]).arg("1"), reason);
        let promote = self.cogwit("publish").args([&self.place(), &self.named("next"), "--key", "it.key"]);
        self.refuses(promote, reason);
        // And whoever looks is told.
        assert!(self.refused().contains(reason), "{}", self.refused());
        let told = stdout(&self.cogwit("history").arg(self.place()).ends(0));
        assert!(told.lines().last().unwrap().contains(reason), "{told}");
        let told = stderr(&self.cogwit("diff").args([&self.place(), "four"]).ends(4).stdout_eq(""));
        assert!(told.contains(reason), "{told}");
    }

    /// This command on a machine that has not seen the channel.
    fn new_machine(&self, args: &[&str]) -> Cogwit {
        self.signed(args).env("COGWIT_STATE", &self.folder.path("new-machine"))
    }

    /// Lets another publisher, who has the same key and the store as it was at `CHANNEL`, publish there.
    fn fork(&self) -> String {
        let (store, copy) = (self.folder.path("store"), self.folder.path("copy"));
        self.folder.write("copy/channels/prod.json", self.text(CHANNEL));
        fs::create_dir_all(format!("{copy}/history")).unwrap();
        for folder in ["releases", "components", "history/prod"] {
            let (from, to) = (format!("{store}/{folder}"), format!("{copy}/{folder}"));
            std::os::unix::fs::symlink(from, to).unwrap();
        }
        // Its history is its own.
        fs::remove_file(format!("{copy}/history/prod")).unwrap();
        let place = format!("file://{copy}#prod");
        let publish = self.cogwit("publish").args(["five", &place, "--key", "it.key", "--expires", "9d"]);
        publish.args(["--force"]).ends(0);
        self.folder.text("copy/channels/prod.json")
    }
}

#[test]
fn an_older_channel_is_not_signed_again() {
    for channel in Channel::each() {
        let channel = channel.with(&["four"]);
        let old = channel.text(CHANNEL);
        let channel = channel.with(&["five"]);
        channel.put(CHANNEL, &old);
        channel.refuses_all("the store serves sequence 1, but this machine saw 2: somebody put an older channel back");
        // A machine that has not seen it still has the history.
        let newer = "the store serves sequence 1, but the signed history has 2";
        channel.refuses(channel.new_machine(&["publish", "four"]), newer);
        channel.refuses(channel.new_machine(&["publish", "--promote", "length", "--expect", "1"]), newer);
        // Or was told a sequence.
        channel.remove(&history(2));
        let told = || channel.new_machine(&["publish", "four", "--expect", "1"]).env("COGWIT_MIN_SEQUENCE", "2");
        channel.refuses(told(), "the store serves sequence 1, but COGWIT_MIN_SEQUENCE is 2");
        // The history is no better than the channel, but this machine remembers.
        channel.refuses_all("but this machine saw 2");
        let forced = channel.signed(&["publish", "four", "--force", "--format", "json"]);
        let forced = json(&forced.ends(0));
        assert_eq!(forced["sequence"], 3);
        let warning = forced["warnings"][0].as_str().unwrap();
        assert!(warning.starts_with("overridden by --force: ") && warning.contains("this machine saw 2"), "{warning}");
        channel.status(0);
    }
}

#[test]
fn a_channel_that_was_removed_does_not_begin_again() {
    let channel = Channel::in_a_folder().with(&["four", "five"]);
    channel.remove(CHANNEL);
    let removed = "the store has no channel, but this machine saw 2: somebody removed it";
    channel.refuses(channel.signed(&["publish", "four"]), removed);
    channel.refuses(channel.signed(&["rollback"]), removed);
    channel.refuses(channel.new_machine(&["publish", "four"]), "no channel, but the signed history has 2");
    channel.refuses(channel.signed(&["publish", "four", "--expect", "2"]), "the channel `file://");
    let told = stderr(&channel.cogwit("status").arg(channel.place()).ends(4).stdout_eq(""));
    assert!(told.contains(removed), "{told}");
    // Nor does a rollback pass over what nobody has any more.
    channel.remove(&history(2));
    let missing = "does not have sequence 2, which this machine saw: restore it, or name a release";
    channel.refuses(channel.signed(&["rollback", "--expect", "none"]), missing);
    channel.put(CHANNEL, "{");
    channel.refuses(channel.signed(&["rollback", "--force"]), missing);
    fs::remove_dir_all(channel.folder.path("store")).unwrap();
    let told = stderr(&channel.signed(&["publish", "four"]).ends(1).stdout_eq(""));
    assert!(told.contains(removed), "{told}");
    let again = channel.signed(&["publish", "four", "--expect", "none", "--format", "json"]).ends(0);
    assert_eq!(json(&again)["sequence"], 3);
}

#[test]
fn the_history_of_a_rollback_has_no_hole() {
    for channel in Channel::each() {
        let channel = channel.with(&["four", "five", "five", "four"]);
        let [second, third] = [2, 3].map(|sequence| channel.text(&history(sequence)));
        let hole = "sequence 3, which sequence 4 replaced, is missing from the history, or was changed there";
        let back = || channel.signed(&["rollback"]);
        // Deleted; another one in its place; the two in the place of each other; changed.
        channel.remove(&history(3));
        channel.refuses(back(), hole);
        channel.put(&history(3), &second);
        channel.refuses(back(), hole);
        channel.put(&history(2), &third);
        channel.refuses(back(), hole);
        channel.put(&history(3), third.replace("\\\"set\\\":\\\"it\\\"", "\\\"set\\\":\\\"no\\\""));
        channel.refuses(back(), hole);
        channel.put(&history(3), &third);
        channel.put(&history(2), &second);
        // A copy under another name, or with other blanks, is the same payload.
        channel.put(&history(9), &second);
        channel.put(&history(3), third.replace('\n', " \n "));
        let told = stdout(&back().ends(0));
        let line = told.lines().find(|line| line.starts_with("  to  ")).unwrap();
        assert!(line.contains(" of sequence 3, signed 2") && line.ends_with(" ago)"), "{told}");
        assert_eq!(channel.decides(), 1);
        // A release that is named needs no history.
        channel.remove(&history(4));
        channel.refuses(back(), "sequence 4, which sequence 5 replaced, is missing");
        let named = channel.signed(&["rollback", "--format", "json"]).arg("1").ends(0);
        assert_eq!(json(&named)["to"]["sequence"], 1);
    }
}

#[test]
fn two_payloads_of_one_sequence_are_a_fork() {
    let channel = Channel::in_a_folder().with(&["four"]);
    let theirs = channel.fork();
    let channel = channel.with(&["five"]);
    let ours = channel.text(CHANNEL);
    // In the place of the channel.
    channel.put(CHANNEL, &theirs);
    channel.refuses_all("two different payloads have sequence 2, and the signed history has one of them");
    channel.remove(&history(2));
    channel.refuses_all("two different payloads have sequence 2, and this machine saw one of them");
    // And beside it.
    channel.put(CHANNEL, &ours);
    channel.put(&history(2), &theirs);
    channel.refuses_all("two different payloads have sequence 2, and the signed history has one of them");
}

#[test]
fn a_new_machine_is_told_what_the_newest_is() {
    let channel = Channel::in_a_folder().with(&["four", "five"]);
    let release = channel.status(0)["release"].as_str().unwrap().to_owned();
    let publish = |expect: &str| channel.new_machine(&["publish", "four", "--expect", expect]);
    let unknown =
        "this machine has not seen the channel before, so it cannot tell whether sequence 2 is the newest: see";
    channel.refuses(channel.new_machine(&["publish", "four"]), unknown);
    channel.refuses(channel.new_machine(&["rollback"]), unknown);
    channel.refuses(channel.new_machine(&["publish", "four"]).env("COGWIT_MIN_SEQUENCE", "2"), unknown);
    channel.refuses(channel.new_machine(&["publish", "four"]).env("COGWIT_STATE", "off"), unknown);
    for expect in ["1", "3", "none", "0123456789ab"] {
        channel.refuses(publish(expect), &format!("`--expect {expect}` is not what the store serves: the channel `"));
    }
    publish(&release[..11]).ends(2).stdout_eq("");
    // Whoever only looks is told, and remembers nothing.
    let look = |command: &str| channel.cogwit(command).env("COGWIT_STATE", &channel.folder.path("new-machine"));
    let told = stdout(&look("status").arg(channel.place()).ends(0));
    assert!(told.contains("\n  seen      nothing by this machine before\n"), "{told}");
    look("history").arg(channel.place()).ends(0);
    let told = stderr(&look("diff").args([&channel.place(), "five"]).ends(0));
    assert!(told.starts_with("note: `file://") && told.contains("has not seen the channel"), "{told}");
    channel.refuses(channel.new_machine(&["publish", "four"]), unknown);
    publish("2").arg("--dry-run").ends(0);
    channel.new_machine(&["publish", "four"]).ends(0);
    // Nothing is kept.
    let off = |expect: &str| publish(expect).env("COGWIT_STATE", "off");
    channel.refuses(off(&release[..12]), "serves sequence 3");
    off("3").ends(0);
    channel.refuses(channel.signed(&["publish", "four"]).env("COGWIT_STATE", "off"), "has not seen the channel");
}

#[test]
fn a_source_is_known_too_or_its_release_is_named() {
    let channel = Channel::in_a_folder().with(&["four", "five"]);
    let from = |source: &str| {
        let publish = channel.cogwit("publish").args([source, &channel.named("next"), "--key", "it.key"]);
        publish.args(["--format", "json"]).env("COGWIT_STATE", &channel.folder.path("new-machine"))
    };
    channel.refuses(from(&channel.place()), "a SOURCE's by `SOURCE@SEQUENCE`");
    assert_eq!(json(&from(&format!("{}@2", channel.place())).ends(0))["release"], channel.status(0)["release"]);
}

#[test]
fn what_others_published_since_is_taken_where_the_history_leads_back() {
    let channel = Channel::in_a_folder().with(&["four"]);
    channel.new_machine(&["publish", "five", "--expect", "1"]).ends(0);
    let others = || channel.new_machine(&["publish", "five"]).ends(0);
    others();
    others();
    channel.remove(&history(1));
    // What this machine saw is named, so it need not be there.
    let third = channel.text(&history(3));
    channel.remove(&history(3));
    let broken =
        "does not lead back to sequence 1, which this machine saw: sequence 3, which sequence 4 replaced, is missing";
    channel.refuses_all(broken);
    channel.put(&history(3), third);
    assert_eq!(channel.status(0)["seen"]["sequence"], 1);
    assert_eq!(channel.status(0)["seen"]["sequence"], 4);
    others();
    others();
    channel.remove(&history(5));
    channel.refuses(channel.signed(&["publish", "four"]), "does not lead back to sequence 4");
    channel.signed(&["publish", "four", "--expect", "6"]).ends(0);
    assert_eq!(channel.published("four")["sequence"], 8);
}

#[test]
fn what_this_machine_saw_is_read_or_the_command_ends() {
    let channel = Channel::in_a_folder().with(&["four"]);
    let file = fs::read_dir(channel.folder.path("state")).unwrap().map(|entry| entry.unwrap().path());
    let file = file.into_iter().find(|path| path.extension().is_some_and(|it| it == "json")).unwrap();
    let kept = fs::read_to_string(&file).unwrap();
    for broken in ["", "{", "[]", &kept.replace("prod", "next"), &kept.replace("\"schema\": 1", "\"schema\": 2")] {
        fs::write(&file, broken).unwrap();
        for command in [channel.publish("four"), channel.cogwit("status").arg(channel.place())] {
            let told = stderr(&command.ends(4).stdout_eq(""));
            assert!(told.contains("cannot read what this machine saw of `file://"), "{told}");
            assert!(told.contains("restore the file, or delete it and name what the store serves"), "{told}");
        }
    }
    fs::write(&file, kept).unwrap();
    channel.published("four");
    // A publisher who cannot remember still publishes, and is told.
    channel.folder.write("file", "");
    let told = channel.publish("four").args(["--expect", "2"]).env("COGWIT_STATE", &channel.folder.path("file"));
    told.ends(4).stdout_eq("");
    channel.publish("four").env("COGWIT_STATE", "here").ends(2).stdout_eq("");
}
