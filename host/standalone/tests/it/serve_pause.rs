//! Pauses a server while it admits a release, as Lambda pauses a function, and holds that the release serves all the same.

use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use crate::channel::Channel;
use crate::server::Server;
use crate::support::checking_probe;

/// A check of settings that works for some tenths of a second, and then agrees.
const SLOW: &str = "(local $left i32) (local.set $left (i32.const 300000000))
  (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))) (i32.const 0)";

#[test]
fn a_release_is_admitted_over_pauses_longer_than_its_deadline() {
    let channel = Channel::in_a_folder();
    channel.published("four");
    let server = Server::start(channel.followed().env("COGWIT_MAX_FUEL", "4_000_000_000"));
    let set = "schema = 1\n[set]\nname = 'it'\n[[policy]]\nname = 'slow'\ncomponent = 'slow.wasm'\nlimits.fuel = 3_000_000_000\n";
    channel.folder.write("slow/policies.toml", set);
    channel.folder.write("slow/slow.wasm", checking_probe(SLOW));
    channel.publish("slow").env("COGWIT_MAX_FUEL", "4_000_000_000").ends(0);
    for _ in 0..12 {
        sleep(Duration::from_millis(150));
        server.signal(Signal::STOP);
        sleep(Duration::from_millis(2_300));
        server.signal(Signal::CONT);
        let status = server.status();
        assert!(!status["problem"].to_string().contains("refused"), "{status}");
        if status["channel"]["sequence"] == 2 {
            return;
        }
    }
    panic!("{}", server.status());
}
