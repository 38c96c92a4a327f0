//! APIs that do not say why.

use super::*;

fn tokens(endpoint: &Endpoint) -> Refreshing {
    let endpoint = endpoint.clone();
    Refreshing::builder(move |refresh: Option<Secret>| endpoint.fetch(refresh)).any_401().build()
}

/// An answer to a call with the token of this number.
fn answered(tokens: &Refreshing, number: u64, status: u16, challenge: Option<&str>) -> Reaction {
    let mut answer = Response::builder().status(status);
    if let Some(challenge) = challenge {
        answer = answer.header(WWW_AUTHENTICATE, challenge);
    }
    tokens.react(Stamp::new(number), &Head::from(&answer.body(()).unwrap()))
}

#[tokio::test(start_paused = true)]
async fn any_401_costs_the_token_if_that_is_asked_for() {
    for (status, challenge, is_refused) in [
        (401, None, true),
        (401, Some("Bearer"), true),
        (401, Some("Basic realm=x"), true),
        (401, Some("Bearer error=\"invalid_token\""), true),
        (403, Some("Bearer error=\"invalid_token\""), false),
        (200, None, false),
    ] {
        let endpoint = Endpoint::new(SECOND, None);
        let tokens = tokens(&endpoint);
        tokens.prepare(&head()).await.unwrap();
        let expected = if is_refused { Reaction::Replay } else { Reaction::Done };
        assert_eq!(answered(&tokens, 1, status, challenge), expected, "{status} {challenge:?}");
        assert_eq!(number(&tokens).is_none(), is_refused);
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_401_one_costs_the_token_and_all_go_with_the_next() {
    let endpoint = Endpoint::new(SECOND, None);
    let tokens = tokens(&endpoint);
    tokens.prepare(&head()).await.unwrap();
    for _ in 0..50 {
        assert_eq!(answered(&tokens, 1, 401, None), Reaction::Replay);
    }
    tokens.prepare(&head()).await.unwrap();
    for _ in 0..50 {
        assert_eq!(answered(&tokens, 1, 401, None), Reaction::Replay);
    }
    assert_eq!((number(&tokens), endpoint.asked()), (Some(2), 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_401_whatever_the_token_costs_one_less_and_less_often_and_refuses_no_other_call() {
    let endpoint = Endpoint::new(Duration::ZERO, None);
    let tokens = tokens(&endpoint);
    let start = tokio::time::Instant::now();
    let mut costs = Vec::new();
    for _ in 0..4 * 200 {
        tokens.prepare(&head()).await.unwrap();
        let asks = number(&tokens).expect("another call is never refused");
        if answered(&tokens, asks, 401, None) == Reaction::Replay {
            costs.push(start.elapsed().as_secs());
            tokens.prepare(&head()).await.unwrap();
            let fresh = number(&tokens).unwrap();
            assert_eq!(answered(&tokens, fresh, 401, None), Reaction::Done, "it is passed on");
            assert_eq!(number(&tokens), Some(fresh), "and the token stays");
        }
        answered(&tokens, number(&tokens).unwrap(), 200, None);
        advance(SECOND / 4).await;
    }
    assert_eq!(costs, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    // The last one counts until 243, and a minute longer.
    for (quiet, wait) in [(102, 60), (59, 60), (60, 1), (0, 2)] {
        advance(quiet * SECOND).await;
        assert_eq!(answered(&tokens, number(&tokens).unwrap(), 401, None), Reaction::Replay, "{quiet}");
        tokens.prepare(&head()).await.unwrap();
        advance(wait * SECOND - Duration::from_millis(1)).await;
        assert_eq!(answered(&tokens, number(&tokens).unwrap(), 401, None), Reaction::Done, "{quiet}");
        advance(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_set_or_cleared_a_token_need_not_wait() {
    let endpoint = Endpoint::new(SECOND, None);
    let tokens = tokens(&endpoint);
    for is_set in [true, false] {
        tokens.set_token(Token::new("t0").unwrap());
        assert_eq!(answered(&tokens, number(&tokens).unwrap(), 401, None), Reaction::Replay);
        if is_set {
            tokens.set_token(Token::new("t0").unwrap());
        } else {
            tokens.clear();
            tokens.prepare(&head()).await.unwrap();
        }
        assert_eq!(answered(&tokens, number(&tokens).unwrap(), 401, None), Reaction::Replay);
    }
}
