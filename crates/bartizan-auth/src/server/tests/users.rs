//! User and password.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use proptest::prelude::*;

use super::*;
use crate::Secret;

const ASKED: &str = "Basic realm=\"api\", charset=\"UTF-8\"";

fn users(known: &[(&str, &str)]) -> BasicUsers {
    let digest = |(user, password): &(&str, &str)| {
        (SecretDigest::of_user(user, *password).unwrap(), (*user).to_owned())
    };
    BasicUsers::new(Principals::new(known.iter().map(digest)))
}

/// Who is known with these bytes.
async fn with(users: &BasicUsers, pair: &[u8]) -> Result<String, (u16, String)> {
    let field = format!("Basic {}", BASE64_STANDARD.encode(pair));
    who(users, get("/", &[("authorization", &field)])).await
}

#[tokio::test]
async fn users_are_known_by_user_and_password() {
    let users = users(&[("Aladdin", "open sesame"), ("test", "123£"), ("key", ""), ("", "a:b")]);
    for (field, user) in [
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin"),
        ("bAsIC  QWxhZGRpbjpvcGVuIHNlc2FtZQ== ", "Aladdin"),
        ("Basic dGVzdDoxMjPCow==", "test"),
        ("Basic a2V5Og==", "key"),
        ("Basic OmE6Yg==", ""),
    ] {
        assert_eq!(who(&users, get("/", &[("authorization", field)])).await, Ok(user.into()), "{field}");
    }
    for wrong in ["Aladdin:open sesam", "aladdin:open sesame", "nobody:open sesame", "Aladdin:", "test:"] {
        assert_eq!(with(&users, wrong.as_bytes()).await, Err((401, ASKED.into())), "{wrong}");
    }
}

#[tokio::test]
async fn without_a_user_or_with_another_scheme_one_is_asked_for() {
    let layer = VerifyLayer::new(users(&[("a", "b")]));
    for fields in [
        &[][..],
        &[("authorization", "Bearer YTpi")],
        &[("authorization", "BasicYTpi")],
        &[("authorization", "YTpi")],
        &[("authorization", "")],
        &[("proxy-authorization", "Basic YTpi")],
    ] {
        let denied = ask(&layer, get("/", fields)).await.unwrap_err();
        assert_eq!(
            (denied.denial(), denied.challenges()[0].as_bytes()),
            (&Denial::Missing, ASKED.as_bytes()),
            "{fields:?}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_as_a_wrong_password() {
    let known = BasicUsers::by(|_, _| Some("anybody".into()));
    for field in [
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic YTpi=",
        "Basic YTp",
        "Basic YTpi YTpi",
        "Basic YTpi, Basic YTpi",
        "Basic \u{e9}",
    ] {
        let answer = who(&known, get("/", &[("authorization", field)])).await;
        assert_eq!(answer, Err((401, ASKED.into())), "{field}");
    }
    for pair in [&b"no colon"[..], b"", b"a:\xe9", b"a\n:b", b"a:b\x7f", "a:\u{85}".as_bytes()] {
        assert_eq!(with(&known, pair).await, Err((401, ASKED.into())), "{pair:?}");
    }
    assert_eq!(with(&known, b"a:b").await, Ok("anybody".into()));
}

#[tokio::test]
async fn two_fields_of_authorization_are_a_bad_request() {
    let users = users(&[("a", "b")]);
    let good = ("authorization", "Basic YTpi");
    for other in [good, ("authorization", "Bearer x"), ("authorization", "")] {
        for fields in [[good, other], [other, good]] {
            assert_eq!(status(who(&users, get("/", &fields)).await), 400, "{other:?}");
        }
    }
}

#[tokio::test]
async fn the_first_colon_ends_the_user_for_a_closure_too() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = told.clone();
    let users = BasicUsers::by(move |user, password: &Secret| {
        telling.lock().unwrap().push((user.to_owned(), password.expose().to_owned()));
        (user == "a").then(|| Principal::new("alice"))
    });
    assert_eq!(with(&users, b"a:b:c").await, Ok("alice".into()));
    assert_eq!(with(&users, ":ü".as_bytes()).await, Err((401, ASKED.into())));
    assert_eq!(*told.lock().unwrap(), [("a".into(), "b:c".into()), (String::new(), "\u{fc}".into())]);
}

#[tokio::test]
async fn neither_user_nor_password_is_nobody_even_if_its_digest_is_known() {
    assert_eq!(with(&users(&[("", "")]), b":").await, Err((401, ASKED.into())));
}

#[tokio::test]
async fn the_password_is_taken_out() {
    let head =
        ask(&VerifyLayer::new(users(&[("a", "b")])), get("/", &[("authorization", "Basic YTpi")])).await;
    assert!(head.unwrap().headers.is_empty());
}

proptest! {
    #[test]
    fn no_bytes_panic(field in prop::collection::vec(any::<u8>(), 0..60), pair in prop::collection::vec(any::<u8>(), 0..60)) {
        let users = users(&[("a", "b")]);
        for text in [field, BASE64_STANDARD.encode(pair).into_bytes()] {
            let Ok(value) = HeaderValue::from_bytes(&[b"Basic ", &text[..]].concat()) else { continue };
            let mut request = Request::new(());
            request.headers_mut().insert(AUTHORIZATION, value);
            prop_assert!(users.verify(&RequestHead::from(&request)).is_err());
        }
    }

    #[test]
    fn what_a_client_writes_is_read(user in "[^:\\pC]{0,9}", password in "[^\\pC]{1,9}") {
        let (mut head, ()) = Request::new(()).into_parts();
        let client = crate::Basic::new(&user, password.as_str()).unwrap();
        crate::Authorizer::authorize(&client, &mut head).unwrap();
        let request = Request::from_parts(head, ());
        let known = users(&[(&user, &password)]).verify(&RequestHead::from(&request));
        prop_assert_eq!(known, Ok(Principal::new(user)));
    }
}
