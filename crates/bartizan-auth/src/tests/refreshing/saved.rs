//! Tokens that outlive the process.

use std::time::SystemTime;

use bartizan_core::WallClock;

use super::*;

/// A file, say. Tells in which order it was asked for what.
#[derive(Clone, Default)]
pub(super) struct File(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    saved: Option<SavedToken>,
    calls: Vec<&'static str>,
    fails: bool,
    is_full: bool,
    /// Nobody else has it while this is there.
    lock: Arc<tokio::sync::Mutex<()>>,
}

impl TokenStore for File {
    fn load(&self) -> Stored<Option<SavedToken>> {
        let mut inside = self.0.lock().unwrap();
        inside.calls.push("load");
        let loaded = if inside.fails { Err("unreadable".into()) } else { Ok(inside.saved.clone()) };
        Box::pin(ready(loaded))
    }

    fn save(&self, token: &SavedToken) -> Stored<()> {
        let mut inside = self.0.lock().unwrap();
        inside.calls.push("save");
        if inside.fails || inside.is_full {
            return Box::pin(ready(Err("full".into())));
        }
        inside.saved = Some(token.clone());
        Box::pin(ready(Ok(())))
    }

    fn lock(&self) -> Stored<Held> {
        let lock = self.0.lock().unwrap().lock.clone();
        Box::pin(async move { Ok(Box::new(lock.lock_owned().await) as Held) })
    }
}

impl File {
    pub(super) fn saved(&self) -> Option<SavedToken> {
        self.0.lock().unwrap().saved.clone()
    }

    fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }
}

/// The epoch and paused time.
pub(super) fn clock() -> WallClock {
    let start = tokio::time::Instant::now();
    WallClock::from_fn(move || SystemTime::UNIX_EPOCH + start.elapsed())
}

fn at(seconds: u64) -> Option<SystemTime> {
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

fn saving(endpoint: &Endpoint, file: &File, told: &Arc<Mutex<Vec<String>>>) -> Refreshing {
    let (endpoint, told) = (endpoint.clone(), told.clone());
    let source = move |refresh: Option<Secret>| endpoint.fetch(refresh);
    let hook = move |event: &TokenEvent<'_>| {
        told.lock().unwrap().push(match event {
            TokenEvent::Renewed { lifetime } => format!("renewed {lifetime:?}"),
            TokenEvent::Failed(error) => format!("failed: {error}"),
            TokenEvent::Refused => "refused".into(),
            TokenEvent::NotSaved(error) => format!("not saved: {error}"),
            TokenEvent::NotLoaded(error) => format!("not loaded: {error}"),
        });
    };
    Refreshing::builder(source).store(file.clone()).hook(hook).wall_clock(clock()).build()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_saved_before_any_call_goes_with_it_and_found_by_the_next_process() {
    let (endpoint, file) = (Endpoint::new(SECOND, Some(100 * SECOND)), File::default());
    let tokens = saving(&endpoint, &file, &Arc::default());
    let (first, api) = client(&tokens);
    assert_eq!(token(&first).await, "1");
    assert_eq!(file.calls(), ["load", "save"]);
    assert_eq!(file.saved(), Some(SavedToken::new("t1", Some("r1".into()), at(100))));
    assert_eq!(api.seen.lock().unwrap().len(), 1);

    let (second, _) = client(&saving(&endpoint, &file, &Arc::default()));
    assert_eq!((token(&second).await, endpoint.asked()), ("1".into(), 1));
    assert_eq!(file.calls(), ["load"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_saved_and_has_ended_is_the_way_to_the_next_one() {
    let (endpoint, file) = (Endpoint::new(SECOND, None), File::default());
    file.0.lock().unwrap().saved = Some(SavedToken::new("t0", Some("r0".into()), at(0)));
    let tokens = saving(&endpoint, &file, &Arc::default());
    let (client, _) = client(&tokens);
    advance(SECOND).await;
    assert_eq!(token(&client).await, "1");
    assert_eq!(endpoint.asked.lock().unwrap().clone(), [Some("r0".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn the_refresh_token_that_another_process_has_saved_is_kept_where_no_new_one_comes() {
    let (asked, file) = (Arc::new(Mutex::new(Vec::new())), File::default());
    file.0.lock().unwrap().saved = Some(SavedToken::new("t0", Some("r0".into()), at(0)));
    let source = {
        let asked = asked.clone();
        move |refresh: Option<Secret>| {
            asked.lock().unwrap().push(refresh.map(|secret| secret.expose().to_owned()));
            ready(Ok(Token::new("t1").unwrap().lifetime(10 * SECOND)))
        }
    };
    let tokens = Refreshing::builder(source).store(file.clone()).wall_clock(clock()).build();
    let (client, _) = client(&tokens);
    advance(SECOND).await;
    for _ in 0..2 {
        token(&client).await;
        assert_eq!(file.saved().unwrap().refresh.unwrap().expose(), "r0");
        advance(10 * SECOND).await;
    }
    assert_eq!(asked.lock().unwrap().clone(), [Some("r0".to_owned()), Some("r0".into())]);
}

#[tokio::test(start_paused = true)]
async fn what_is_found_without_a_refresh_token_leaves_the_one_that_is_known() {
    let (endpoint, file) = (Endpoint::new(SECOND, Some(100 * SECOND)), File::default());
    let (client, _) = client(&saving(&endpoint, &file, &Arc::default()));
    token(&client).await;
    file.0.lock().unwrap().saved = Some(SavedToken::new("t9", None, at(200)));
    advance(100 * SECOND).await;
    assert_eq!(token(&client).await, "9");
    advance(100 * SECOND).await;
    assert_eq!(token(&client).await, "2");
    assert_eq!(endpoint.asked.lock().unwrap().clone(), [None, Some("r1".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn of_two_processes_with_one_session_one_fetches_and_the_other_finds_it() {
    let (endpoint, file) = (Endpoint::new(SECOND, Some(100 * SECOND)), File::default());
    let clients = [(); 2].map(|()| client(&saving(&endpoint, &file, &Arc::default())).0);
    let both = async || tokio::join!(token(&clients[0]), token(&clients[1]));
    assert_eq!(both().await, ("1".into(), "1".into()));
    advance(96 * SECOND).await;
    assert_eq!(both().await, ("2".into(), "2".into()));
    assert_eq!(endpoint.asked.lock().unwrap().clone(), [None, Some("r1".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_saved_or_read_is_used_all_the_same_and_told() {
    let (endpoint, file, told) = (Endpoint::new(SECOND, None), File::default(), Arc::default());
    file.0.lock().unwrap().fails = true;
    let (client, _) = client(&saving(&endpoint, &file, &told));
    assert_eq!(token(&client).await, "1");
    let told = told.lock().unwrap();
    assert_eq!(*told, ["not loaded: unreadable", "not saved: full", "renewed None"]);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_could_not_be_saved_is_not_lost_for_the_one_that_was() {
    let (endpoint, file) = (Endpoint::new(SECOND, Some(100 * SECOND)), File::default());
    let (client, _) = client(&saving(&endpoint, &file, &Arc::default()));
    for is_full in [false, true, false] {
        file.0.lock().unwrap().is_full = is_full;
        token(&client).await;
        advance(100 * SECOND).await;
    }
    let refresh = [None, Some("r1".to_owned()), Some("r2".to_owned())];
    assert_eq!(endpoint.asked.lock().unwrap().clone(), refresh, "what was saved has been exchanged already");
}

#[tokio::test(start_paused = true)]
async fn what_is_set_or_cleared_is_not_undone_by_what_was_saved_before() {
    for is_set in [true, false] {
        let (endpoint, file) = (Endpoint::new(SECOND, Some(100 * SECOND)), File::default());
        let tokens = saving(&endpoint, &file, &Arc::default());
        let (client, _) = client(&tokens);
        token(&client).await;
        if is_set {
            tokens.set_token(Token::new("t77").unwrap().refresh_token("r77").lifetime(10 * SECOND));
            assert_eq!(token(&client).await, "77");
            advance(10 * SECOND).await;
        } else {
            tokens.clear();
        }
        assert_eq!(token(&client).await, "2");
        let refresh = is_set.then(|| "r77".to_owned());
        assert_eq!(endpoint.asked.lock().unwrap().clone(), [None, refresh]);
        assert_eq!(file.saved().unwrap().access.expose(), "t2");
        // From then on what is saved counts again.
        file.0.lock().unwrap().saved = Some(SavedToken::new("t9", None, None));
        advance(100 * SECOND).await;
        assert_eq!(token(&client).await, "9");
    }
}

#[tokio::test(start_paused = true)]
async fn the_hook_is_told_of_refusals_and_failures() {
    let (endpoint, file, told) = (Endpoint::new(SECOND, None), File::default(), Arc::default());
    let tokens = saving(&endpoint, &file, &told);
    let (client, api) = client(&tokens);
    token(&client).await;
    api.refuses_below.store(2, Ordering::Relaxed);
    endpoint.fail(TokenError::permanent("invalid_grant"));
    call(&client).await.unwrap();
    call(&client).await.unwrap_err();
    let told = told.lock().unwrap();
    assert_eq!(*told, ["renewed None", "refused", "failed: no token was to be had: invalid_grant"]);
}

#[test]
fn a_saved_token_prints_no_secret() {
    let saved = SavedToken::new("s3cr3t", Some("s3cr3t".into()), None);
    assert_eq!(format!("{saved:?}"), "SavedToken { access: .., refresh: Some(..), expires: None }");
}

#[tokio::test(start_paused = true)]
async fn what_a_login_has_given_is_saved_and_then_used() {
    let (endpoint, file) = (Endpoint::new(SECOND, Some(100 * SECOND)), File::default());
    let tokens = saving(&endpoint, &file, &Arc::default());
    let login = || Token::new("t77").unwrap().refresh_token("r77").lifetime(10 * SECOND);
    tokens.save_token(login()).await.unwrap();
    assert_eq!(file.saved(), Some(SavedToken::new("t77", Some("r77".into()), at(10))));
    assert_eq!(token(&client(&tokens).0).await, "77");
    let next = client(&saving(&endpoint, &file, &Arc::default())).0;
    assert_eq!((token(&next).await, endpoint.asked()), ("77".into(), 0));

    let told = Arc::default();
    file.0.lock().unwrap().is_full = true;
    let tokens = saving(&endpoint, &file, &told);
    assert_eq!(
        tokens.save_token(Token::new("t88").unwrap().refresh_token("r88")).await.unwrap_err().to_string(),
        "full"
    );
    assert_eq!(token(&client(&tokens).0).await, "88");
    assert_eq!(*told.lock().unwrap(), ["not saved: full"]);
    // Nor is it lost for what was saved before.
    let (client, api) = client(&tokens);
    api.refuses_below.store(89, Ordering::Relaxed);
    for _ in 0..2 {
        call(&client).await.unwrap();
    }
    assert_eq!(endpoint.asked.lock().unwrap().clone(), [Some("r88".to_owned())]);

    let alone = endpoint.tokens();
    alone.save_token(login()).await.unwrap();
    assert_eq!(token(&self::client(&alone).0).await, "77");
}

#[tokio::test(start_paused = true)]
async fn what_is_being_fetched_while_another_one_is_set_is_not_saved() {
    for is_saved in [false, true] {
        let (endpoint, file) = (Endpoint::new(3 * SECOND, None), File::default());
        let tokens = saving(&endpoint, &file, &Arc::default());
        let (client, _) = client(&tokens);
        let waits = tokio::spawn(async move { token(&client).await });
        sleep(SECOND).await;
        let login = Token::new("t77").unwrap().refresh_token("r77");
        if is_saved {
            tokens.save_token(login).await.unwrap();
        } else {
            tokens.set_token(login);
        }
        assert_eq!(waits.await.unwrap(), if is_saved { "1" } else { "77" });
        sleep(10 * SECOND).await;
        let saved = file.saved().map(|saved| saved.access.expose().to_owned());
        assert_eq!(saved, is_saved.then(|| "t77".to_owned()));
    }
}
