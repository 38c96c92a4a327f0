//! One line to a whole client.

mod builder;
mod error;
mod proxy;
mod redirects;
mod rings;
mod tls;

use std::ops::Deref;

use bartizan_client::BoxClient;

pub use builder::ClientBuilder;
pub use error::InvalidClient;

/// A client for one API: hyper-util with TLS, in the standard stack.
///
/// ```no_run
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use bartizan::Client;
///
/// let client = Client::builder("https://api.example.com/v1").build()?;
/// let user: Option<String> = client.get("users/7/name").fetch().await?;
/// # let _ = user;
/// # Ok(()) }
/// ```
///
/// It is a [`BoxClient`], with all its methods. A clone shares connections and state.
#[derive(Clone, Debug)]
pub struct Client {
    inner: BoxClient,
}

impl Client {
    /// A client of the API at `base_url`. See [`ClientBuilder`] for what it has without being told.
    pub fn builder(base_url: &str) -> ClientBuilder {
        ClientBuilder::new(base_url)
    }
}

impl Deref for Client {
    type Target = BoxClient;

    fn deref(&self) -> &BoxClient {
        &self.inner
    }
}
