//! Who may be forgotten.

use std::time::SystemTime;

use super::*;

type Said = Result<Token, TokenError>;

/// Says one after the other, in a second each.
fn says(answers: impl IntoIterator<Item = Said>) -> impl TokenSource {
    let answers = Arc::new(Mutex::new(answers.into_iter().collect::<Vec<_>>()));
    move |_: Option<Secret>| {
        let answers = answers.clone();
        async move {
            sleep(SECOND).await;
            answers.lock().unwrap().remove(0)
        }
    }
}

fn fresh() -> Token {
    Token::new("t").unwrap().lifetime(100 * SECOND)
}

fn head() -> Parts {
    request(HERE).into_parts().0
}

async fn fetch(tokens: &Refreshing) {
    let _ = tokens.prepare(&head()).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_fetched_again_at_any_time_may_be_forgotten_but_not_while_it_is() {
    let tokens = Refreshing::new(says([Ok(fresh())]));
    assert!(tokens.is_idle());
    let mut fetching = tokens.prepare(&head());
    assert!(!tokens.is_idle());
    (&mut fetching).await.unwrap();
    assert!(tokens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_is_not_forgotten_until_it_is_refused_or_cleared() {
    let tokens = Refreshing::new(says([Ok(fresh().refresh_token("r")), Err(TokenError::permanent("gone"))]));
    fetch(&tokens).await;
    assert!(!tokens.is_idle());
    advance(100 * SECOND).await;
    assert!(!tokens.is_idle(), "the session outlives its token");
    fetch(&tokens).await;
    assert!(tokens.is_idle());

    tokens.set_token(fresh().refresh_token("r"));
    assert!(!tokens.is_idle());
    tokens.clear();
    assert!(tokens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn who_was_refused_for_good_is_not_forgotten_while_his_token_is_good() {
    let refused = Err(TokenError::permanent("gone"));
    let tokens = Refreshing::new(says([Ok(fresh().refresh_token("r")), refused]));
    fetch(&tokens).await;
    advance(80 * SECOND).await;
    tokens.authorize(&mut head()).unwrap();
    sleep(2 * SECOND).await;
    assert!(!tokens.is_idle());
    advance(20 * SECOND).await;
    assert!(tokens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn what_somebody_has_set_is_not_forgotten_while_it_is_good() {
    let tokens = Refreshing::new(says([Ok(fresh())]));
    tokens.set_token(fresh());
    assert!(!tokens.is_idle());
    advance(100 * SECOND).await;
    assert!(tokens.is_idle());
    tokens.set_token(fresh());
    advance(100 * SECOND).await;
    fetch(&tokens).await;
    assert!(tokens.is_idle(), "it was fetched");
    tokens.set_token(fresh());
    tokens.clear();
    assert!(tokens.is_idle());
}

#[tokio::test(start_paused = true)]
async fn who_has_to_wait_after_a_failure_is_not_made_anew_meanwhile() {
    let tokens = Refreshing::new(says([Err(TokenError::transient_for("busy", 9 * SECOND))]));
    fetch(&tokens).await;
    advance(8 * SECOND).await;
    assert!(!tokens.is_idle());
    advance(SECOND).await;
    assert!(tokens.is_idle());
}

/// Keeps nothing, and says whether it could.
struct Shelf(bool);

impl TokenStore for Shelf {
    fn load(&self) -> Stored<Option<SavedToken>> {
        Box::pin(ready(Ok(None)))
    }

    fn save(&self, _: &SavedToken) -> Stored<()> {
        Box::pin(ready(if self.0 { Ok(()) } else { Err("full".into()) }))
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_saved_may_be_forgotten_and_what_is_not_may_not() {
    for can_save in [true, false] {
        let source = says([Ok(fresh().refresh_token("r")), Ok(fresh().refresh_token("r2"))]);
        let clock = bartizan_core::WallClock::from_fn(|| SystemTime::UNIX_EPOCH);
        let tokens = Refreshing::builder(source).store(Shelf(can_save)).wall_clock(clock).build();
        fetch(&tokens).await;
        assert_eq!(tokens.is_idle(), can_save);
        tokens.set_token(fresh().refresh_token("mine"));
        assert!(!tokens.is_idle(), "it is saved with the next one");
        advance(100 * SECOND).await;
        fetch(&tokens).await;
        assert_eq!(tokens.is_idle(), can_save);
    }
}

#[test]
fn a_bearer_may_be_forgotten_while_it_is_as_it_was_made() {
    let (made, unset) = (Bearer::new("t").unwrap(), Bearer::unset());
    assert!(made.is_idle() && unset.is_idle());
    for token in [&made, &unset] {
        token.set_token("t2").unwrap();
        assert!(!token.is_idle());
        token.clear();
    }
    assert!(unset.is_idle());
    assert!(!made.is_idle(), "it would be there again");
}

#[test]
fn tenants_may_be_forgotten_if_all_of_them_may() {
    let tenants = Arc::new(bearers(9).otherwise(Bearer::unset()));
    assert!(tenants.is_idle());
    tenants.get("first").unwrap();
    let second = tenants.get("second").unwrap();
    assert!(tenants.is_idle());
    second.set_token("t").unwrap();
    assert!(!tenants.is_idle());
}
