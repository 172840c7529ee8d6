//! Serves candidates to a part of the users: the same part as on every other host.

use crate::http::Request;
use crate::server::Server;
use crate::split;
use crate::support::Folder;

#[test]
fn many_users_get_the_sides_that_the_core_gives() {
    let (file, component) = split::component();
    let folder = Folder::new().with_set("").with(&file, component).with("policies.toml", split::document());
    let server = Server::start(folder.serve().env("COGWIT_ROLLOUT_KEY", split::KEY));
    let mut connection = server.connection();
    let mut counts = [[0; 2]; 4];
    for user in 0..split::users() {
        let answer = connection.ask(&Request::invoke("cogwit", split::event(user))).unwrap();
        let sides = split::sides(&answer.body);
        assert_eq!(sides, split::of_core(user), "{user}");
        sides.iter().enumerate().for_each(|(policy, side)| counts[policy][usize::from(*side)] += 1);
        if user < 100 {
            let record = server.record(&answer.id());
            let told = [0, 1, 2, 3].map(|policy| record["policies"][policy]["side"] == "candidate");
            assert_eq!(told, sides, "{record}");
        }
    }
    for (rollout, counts) in split::ROLLOUTS.iter().zip(counts) {
        for (side, count) in ["stable", "candidate"].iter().zip(counts) {
            let labels = format!(r#"policy="of-{rollout}",verdict="allow",side="{side}""#);
            assert_eq!(server.counted("cogwit_policy_runs_total", &labels), count, "{labels}");
        }
    }
}
