//! Fetches that were begun before somebody set or cleared a token, and end after it.

use super::saved::{File, clock};
use super::*;

/// A store whose readers and writers have to wait, each for so long as stands first.
#[derive(Clone, Default)]
struct Slow {
    file: File,
    loads: Arc<Mutex<Vec<Duration>>>,
    saves: Arc<Mutex<Vec<Duration>>>,
}

fn first(waits: &Mutex<Vec<Duration>>) -> Duration {
    let mut waits = waits.lock().unwrap();
    if waits.is_empty() { Duration::ZERO } else { waits.remove(0) }
}

impl TokenStore for Slow {
    fn load(&self) -> Stored<Option<SavedToken>> {
        let (file, wait) = (self.file.clone(), first(&self.loads));
        Box::pin(async move {
            sleep(wait).await;
            file.load().await
        })
    }

    fn save(&self, token: &SavedToken) -> Stored<()> {
        let (file, wait, token) = (self.file.clone(), first(&self.saves), token.clone());
        Box::pin(async move {
            sleep(wait).await;
            file.save(&token).await
        })
    }
}

/// Gives out `t1` with `r1` and so on, each after as long as stands first.
fn tokens(store: &Slow, fetches: impl IntoIterator<Item = Duration>) -> (Refreshing, Asked) {
    let (fetches, asked) = (Mutex::new(fetches.into_iter().collect::<Vec<_>>()), Asked::default());
    let source = {
        let asked = asked.clone();
        move |refresh: Option<Secret>| {
            let (wait, mut asked) = (first(&fetches), asked.lock().unwrap());
            asked.push(refresh.map(|refresh| refresh.expose().to_owned()));
            let token = Token::new(format!("t{}", asked.len())).unwrap();
            let token = token.refresh_token(format!("r{}", asked.len())).lifetime(100 * SECOND);
            async move {
                sleep(wait).await;
                Ok(token)
            }
        }
    };
    (Refreshing::builder(source).store(store.clone()).wall_clock(clock()).build(), asked)
}

type Asked = Arc<Mutex<Vec<Option<String>>>>;

/// What is saved after a fetch that was overtaken by another one after two seconds, and what that one was asked with.
async fn overtaken(
    store: Slow,
    fetches: impl IntoIterator<Item = Duration>,
) -> (Option<String>, Vec<Option<String>>) {
    let (tokens, asked) = tokens(&store, fetches);
    let waits = tokio::spawn(tokens.prepare(&head()));
    sleep(2 * SECOND).await;
    tokens.clear();
    tokens.prepare(&head()).await.unwrap();
    waits.await.unwrap().unwrap();
    sleep(9 * SECOND).await;
    let saved = store.file.saved().map(|saved| saved.access.expose().to_owned());
    let asked = asked.lock().unwrap().clone();
    (saved, asked)
}

#[tokio::test(start_paused = true)]
async fn what_was_fetched_too_late_is_not_saved_over_what_came_after() {
    let (saved, asked) = overtaken(Slow::default(), [5 * SECOND]).await;
    assert_eq!((saved.as_deref(), asked), (Some("t2"), vec![None, None]));
}

#[tokio::test(start_paused = true)]
async fn what_is_being_saved_too_late_is_saved_before_what_came_after() {
    let store = Slow::default();
    store.saves.lock().unwrap().push(5 * SECOND);
    let (saved, asked) = overtaken(store, []).await;
    assert_eq!((saved.as_deref(), asked), (Some("t2"), vec![None, None]));
}

#[tokio::test(start_paused = true)]
async fn who_is_overtaken_while_he_reads_exchanges_nothing_that_came_after() {
    let store = Slow::default();
    store.loads.lock().unwrap().push(5 * SECOND);
    let (saved, asked) = overtaken(store, []).await;
    assert_eq!((saved.as_deref(), asked), (Some("t1"), vec![None]));
}
