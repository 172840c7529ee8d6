//! Lets candidates answer a part of the users: the same part as on every other host.

use crate::host::Host;
use crate::package::Package;
use crate::split;

#[test]
fn many_users_get_the_sides_that_the_core_gives() {
    let package = Package::of(&split::document(), &[split::component()]);
    let host = Host::with(&package, &[("COGWIT_ROLLOUT_KEY", split::KEY)]);
    for user in 0..split::users() {
        let sides = split::sides(&host.ask(split::event(user)).body);
        assert_eq!(sides, split::of_core(user), "{user}");
    }
    let record = host.records().remove(0);
    let told = [0, 1, 2, 3].map(|policy| record["policies"][policy]["side"] == "candidate");
    assert_eq!(told, split::of_core(0), "{record}");
    assert_eq!(record["CandidateRuns"], told.iter().filter(|side| **side).count());
}
