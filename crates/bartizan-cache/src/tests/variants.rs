//! Which of several stored responses answers (RFC 9111 section 4.1).

use super::*;

const FRESH: (&str, &str) = ("cache-control", "max-age=99");

#[tokio::test(start_paused = true)]
async fn a_response_in_the_language_that_is_liked_best_is_none_without_a_match() {
    let german = [FRESH, ("vary", "accept-language"), ("content-language", "de")];
    let origin = Origin::of([answer_of(200, &german, "eins"), answer_of(200, &german, "zwei")]);
    let cache = cache(&origin);
    get(&cache, &[("accept-language", "en, de")]).await;
    assert_eq!(get(&cache, &[("accept-language", "fr;q=0.5, de;q=1.0")]).await.body, "zwei");
    assert_eq!(get(&cache, &[("accept-language", "DE, en;q=1")]).await.body, "eins");
}
