//! Lets candidates answer a part of the users: the same part as on every other host.

use crate::host::Host;
use crate::package::Package;
use crate::split;

#[test]
fn many_users_get_the_sides_that_every_host_gives() {
    let package = Package::of(&split::document(), &[split::component()]);
    // As in Lambda, each environment has one event at a time.
    split::in_threads(2, |users| {
        let host = Host::with(&package, &[("COGWIT_ROLLOUT_KEY", split::KEY)]);
        let mut first = None;
        for user in users {
            let sides = split::sides(&host.ask(split::event(user)).body);
            assert_eq!(sides, split::expected(user), "{user}");
            first.get_or_insert(sides);
        }
        let record = host.records(1).remove(0);
        let told = [0, 1, 2, 3].map(|policy| record["policies"][policy]["side"] == "candidate");
        assert_eq!(Some(told), first, "{record}");
        assert_eq!(record["CandidateRuns"], told.iter().filter(|side| **side).count());
    });
}
