//! Serves candidates to a part of the users: the same part as on every other host.

use crate::http::Request;
use crate::server::Server;
use crate::split;
use crate::support::Folder;

#[test]
fn many_users_get_the_sides_that_every_host_gives() {
    let (file, component) = split::component();
    let folder = Folder::new().with_set("").with(&file, component).with("policies.toml", split::document());
    let server = Server::start(folder.serve().env("COGWIT_ROLLOUT_KEY", split::KEY));
    split::in_threads(4, |users| {
        let mut connection = server.connection();
        for user in users {
            let answer = connection.ask(&Request::invoke("cogwit", split::event(user))).unwrap();
            let sides = split::sides(&answer.body);
            assert_eq!(sides, split::expected(user), "{user}");
            if user < 100 {
                let record = server.record(&answer.id());
                let told = [0, 1, 2, 3].map(|policy| record["policies"][policy]["side"] == "candidate");
                assert_eq!(told, sides, "{record}");
            }
        }
    });
    for (policy, rollout) in split::ROLLOUTS.iter().enumerate() {
        let candidates = (0..split::users()).filter(|user| split::expected(*user)[policy]).count();
        for (side, count) in [("candidate", candidates), ("stable", split::users() - candidates)] {
            let labels = format!(r#"policy="of-{rollout}",verdict="allow",side="{side}""#);
            assert_eq!(server.counted("cogwit_policy_runs_total", &labels), count as u64, "{labels}");
        }
    }
}
