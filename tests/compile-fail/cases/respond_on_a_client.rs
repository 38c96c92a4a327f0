//! `.respond()`, which keeps the inner error type, around a client whose error it cannot look into.

use std::io;

use bartizan::core::Respond;
use bartizan::timeout::{DeadlineBody, DeadlineLayer};
use http::{Request, Response};
use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;

type HttpClient = BoxCloneSyncService<Request<()>, Response<()>, io::Error>;
type Answer = Response<bartizan::core::RespondBody<DeadlineBody<()>>>;

fn main() {
    let layer: DeadlineLayer<Respond> = DeadlineLayer::default().respond();
    let _ = ServiceBuilder::new().layer(layer).check_service::<HttpClient, Request<()>, Answer, io::Error>();
}
