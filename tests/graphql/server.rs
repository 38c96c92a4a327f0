//! The servers, and clients for them.

use std::ffi::OsString;
use std::path::Path;

use bartizan_graphql::GraphqlClient;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::in_process;
use crate::upstream::{Upstream, folder, given};
use crate::wire::Wire;

/// Wherever the server really is.
pub(crate) const ENDPOINT: &str = "http://graphql.test/graphql";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    AsyncGraphql,
    Yoga,
    Apollo,
}

pub(crate) struct Server {
    pub(crate) make: Make,
    url: String,
    /// One that does not know persisted queries.
    plain_url: String,
}

pub(crate) async fn async_graphql() -> Server {
    let (url, plain_url) = (in_process::serve(true).await, in_process::serve(false).await);
    Server { make: Make::AsyncGraphql, url, plain_url }
}

pub(crate) async fn yoga() -> Server {
    shared().await.server(Make::Yoga)
}

pub(crate) async fn apollo() -> Server {
    shared().await.server(Make::Apollo)
}

impl Server {
    pub(crate) fn wire(&self) -> Wire {
        Wire::new(&self.url)
    }

    pub(crate) fn client(&self) -> (GraphqlClient<Wire>, Wire) {
        over(self.wire())
    }

    /// Of one that does not know persisted queries.
    pub(crate) fn plain_client(&self) -> (GraphqlClient<Wire>, Wire) {
        over(Wire::new(&self.plain_url))
    }

    /// Another one of the kind, which knows nothing: where it is, and what keeps it there.
    pub(crate) async fn restarted(&self) -> (String, Option<Node>) {
        if self.make == Make::AsyncGraphql {
            return (in_process::serve(true).await, None);
        }
        let node = Node::start().await;
        (node.server(self.make).url, Some(node))
    }
}

fn over(wire: Wire) -> (GraphqlClient<Wire>, Wire) {
    (GraphqlClient::new(ENDPOINT, wire.clone()).expect("it is a URL"), wire)
}

/// The process of Yoga and Apollo.
#[derive(Clone)]
pub(crate) struct Node {
    ready: Value,
    _upstream: Upstream,
}

/// One for all tests, since it takes a while to start. It ends with the test binary.
async fn shared() -> Node {
    static NODE: OnceCell<Node> = OnceCell::const_new();
    NODE.get_or_init(Node::start).await.clone()
}

impl Node {
    async fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/graphql/servers.mjs");
        let command: [OsString; 3] = ["node".into(), script.into(), given("BARTIZAN_GRAPHQL_SERVERS").into()];
        let command = command.each_ref().map(OsString::as_os_str);
        let upstream = Upstream::start(folder(), &command, async |upstream| ready(upstream).is_some()).await;
        Self { ready: ready(&upstream).expect("it is ready"), _upstream: upstream }
    }

    fn server(&self, make: Make) -> Server {
        let name = if make == Make::Yoga { "yoga" } else { "apollo" };
        let url = |name: &str| self.ready[name].as_str().expect("it says where it is").to_owned();
        Server { make, url: url(name), plain_url: url(&format!("{name}_plain")) }
    }
}

/// The line is there as a whole.
fn ready(upstream: &Upstream) -> Option<Value> {
    let log = upstream.log();
    let line = log.split_inclusive('\n').find_map(|line| line.strip_prefix("ready ")?.strip_suffix('\n'))?;
    Some(serde_json::from_str(line).expect("it is JSON"))
}
