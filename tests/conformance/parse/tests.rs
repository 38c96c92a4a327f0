use http::HeaderValue;

use super::*;

const WHOLE: &str = "# a: it is\n> GET /a\n= cached\n";

fn refused(text: &str) -> String {
    scenarios(text).expect_err(text).to_string()
}

fn exchange(lines: &str) -> Exchange {
    let mut scenarios = scenarios(&format!("# a: it is\n{lines}")).unwrap();
    match scenarios.pop().unwrap().steps.pop().unwrap() {
        Step::Exchange(exchange) => exchange,
        Step::Wait(_) => panic!("a scenario ends with an exchange"),
    }
}

fn exactly(name: &'static str, lines: &[&'static str]) -> Check {
    let lines = lines.iter().copied().map(HeaderValue::from_static).collect();
    Check::Exactly(name.parse().unwrap(), lines)
}

#[test]
fn a_scenario_is_read_line_by_line() {
    let text = "-- remark\n\n# a: it is\n@ targets: b, c\n@ status-field: d\n@ responds\n@ fails-shared\n> GET /a\n= asked\n+ 5s\n> GET /a\n= cached\n# b: so\n> GET /\n= local\n";
    let scenarios = scenarios(text).unwrap();
    let ids: Vec<_> = scenarios.iter().map(|scenario| &*scenario.id).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(scenarios[0].targets, ["b", "c"]);
    assert_eq!(scenarios[0].status_field.as_ref().unwrap(), "d");
    assert_eq!(scenarios[0].expected_to_fail, [Mode::Shared]);
    assert_eq!(scenarios.iter().map(|scenario| scenario.responds).collect::<Vec<_>>(), [true, false]);
    assert_eq!(scenarios[0].steps.len(), 3);
    assert!(matches!(scenarios[0].steps[1], Step::Wait(wait) if wait == Duration::from_secs(5)));
}

#[test]
fn an_exchange_has_a_request_and_answers() {
    let read = exchange(
        "> POST //b/c x: 1 | x: 2 || hello\n< after 3s torn 2 200 y: \\xe9 | date: @1 || abc ||| z: 1\n< timeout\n= failed\n",
    );
    assert_eq!((read.request.method.as_str(), &*read.request.target), ("POST", "//b/c"));
    assert_eq!((read.request.fields.len(), &*read.request.body), (2, &b"hello"[..]));
    let [Answer::Reply(reply), Answer::Timeout] = &read.answers[..] else { panic!("{:?}", read.answers) };
    assert_eq!((reply.after, reply.torn, reply.status.as_u16()), (Duration::from_secs(3), Some(2), 200));
    assert_eq!(reply.fields[0].1, HeaderValue::from_bytes(b"\xe9").unwrap());
    assert_eq!(reply.fields[1].1, "Sun, 06 Nov 1994 08:49:38 GMT");
    assert_eq!((&*reply.body, reply.trailers.len()), (&b"abc"[..], 1));
}

#[test]
fn what_is_seen_has_a_verdict_a_status_and_checks() {
    let read = exchange(
        "> GET /a\n= private: asked 2 200 torn x: 1 | -y | x: 2 | +z || abc\n^ GET /a | -x\n^ x: 1\n= shared: cached\n",
    );
    let private = read.expected(Mode::Private);
    assert_eq!((private.verdict, private.status), (Verdict::Asked(2), Some(StatusCode::OK)));
    assert_eq!((private.torn, private.unread, private.seen.len()), (true, false, 2));
    assert_eq!(private.fields[0], exactly("x", &["1", "2"]));
    assert_eq!(private.fields[2], Check::Present("z".parse().unwrap()));
    assert_eq!(private.seen[1].fields, [exactly("x", &["1"])]);
    assert_eq!(read.expected(Mode::Shared).verdict, Verdict::Cached);
    assert_eq!(exchange("> GET /a\n= asked 404\n").private.verdict, Verdict::Asked(1));
    for (line, trailers) in
        [("= cached || abc", None), ("= cached || abc |||", Some(0)), ("= cached ||| z: 1", Some(1))]
    {
        let read = exchange(&format!("> GET /a\n{line}\n"));
        assert_eq!(read.private.trailers.map(|trailers| trailers.len()), trailers, "{line}");
    }
}

#[test]
fn what_is_not_known_is_refused() {
    for (line, why) in [
        ("? GET /a", "4: \"?\" is no sign that stands here"),
        ("hello", "4: a line is a sign, a space and text"),
        ("> GET", "4: a word is missing"),
        ("> GET a", "4: \"a\" is no target"),
        ("> GET /a accept", "4: \"accept\" is no field, nor a word that is known here"),
        ("> GET /a x: 1 |  | y: 2", "4: there is nothing between two bars of \"x: 1 |  | y: 2\""),
        ("> GET /a ||| x: 1", "4: a request has no trailers here"),
        ("< 200", "4: the origin's answers stand before what is seen"),
        ("= forwarded", "4: \"forwarded\" is no verdict"),
        ("= cached fast", "4: \"fast\" is no field, nor a word that is known here"),
        ("^ GET", "4: a word is missing"),
        ("+ 5", "4: \"5\" is no time like 5s or 7d"),
        ("@ targets: x", "4: \"@\" is no sign that stands here"),
        ("= asked x: @soon", "4: @soon is no date"),
        ("= asked x: \\xg0", "4: \\xg0 is no byte"),
        ("# B: upper", "4: \"B: upper\" is no id with a title"),
        ("# b", "4: a scenario has an id and a title"),
    ] {
        assert_eq!(refused(&format!("{WHOLE}{line}\n")), why, "{line}");
    }
}

#[test]
fn what_is_not_whole_is_refused() {
    for (text, why) in [
        ("> GET /a\n", "1: a scenario begins with `#`"),
        ("# a: it is\n= cached\n", "2: nobody has asked"),
        ("# a: it is\n> GET /a\n^ -x\n", "3: nothing is seen yet"),
        ("# a: it is\n> GET /a\n", "2: line 2 has no single `=` for Private"),
        ("# a: it is\n> GET /a\n= private: asked\n", "3: line 2 has no single `=` for Shared"),
        ("# a: it is\n> GET /a\n= asked\n= shared: cached\n", "4: line 2 has no single `=` for Shared"),
        ("# a: it is\n> GET /a\n< x: 1\n= asked\n", "3: an answer has a status"),
        ("# a: it is\n> GET /a\n< torn 200\n= asked\n", "3: an answer has a status"),
        ("# a: it is\n> GET /a\n< torn 2 503\n= asked\n", "3: what breaks off is a 200"),
        ("# a: it is\n> GET /a\n= asked\n+ 5s\n", "4: a does not end with what is seen"),
        ("# a: it is\n@ secret\n", "2: \"secret\" is no setting"),
    ] {
        assert_eq!(refused(text), why, "{text}");
    }
}
