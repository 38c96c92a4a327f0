use super::*;
use crate::RawJson;

/// What the answer to a batch of three says to each, as JSON; `"again"`, or `{"lost": [..]}`.
fn told(document: &str, whole: Value) -> Vec<Value> {
    let sending = merged(&batch(&[document; 3]));
    sending.split(answer(&whole)).into_iter().map(|(_, verdict)| shown(verdict)).collect()
}

fn queries(whole: Value) -> Vec<Value> {
    told("{ a }", whole)
}

fn mutations(whole: Value) -> Vec<Value> {
    told("mutation { a }", whole)
}

fn shown(verdict: Verdict) -> Value {
    match verdict {
        Verdict::Own(answer) => {
            json!([answer.data.map(|data| data.get().to_owned()), errors(&answer.errors)])
        }
        Verdict::Again => json!("again"),
        Verdict::Lost(lost) => json!({ "lost": errors(&lost) }),
    }
}

fn errors(errors: &[GraphqlError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn each_has_its_own_keys_as_they_were_written() {
    let sending = merged(&batch(&["{ a }"; 2]));
    let whole = r#"{"data":{"query1_b": {"c" : 1.0},"query0_a":[ ],"query1_query0_a":null}}"#;
    let verdicts = sending.split(Answer::read(&whole.into()).expect("an answer"));
    let shown: Vec<_> = verdicts.into_iter().map(|(member, verdict)| (member, shown(verdict))).collect();
    let (one, two) = (r#"{"a":[ ]}"#, r#"{"b":{"c" : 1.0},"query0_a":null}"#);
    assert_eq!(shown, [(0, json!([one, []])), (1, json!([two, []]))]);
}

#[test]
fn who_asked_for_nothing_has_an_empty_object() {
    let data = json!({ "data": { "query0_a": 1, "query1_a": 1 } });
    assert_eq!(queries(data)[2], json!(["{}", []]));
}

#[test]
fn an_error_goes_to_the_one_whose_path_it_has() {
    let whole = json!({
        "data": { "query0_a": null, "query1_a": 1, "query2_a": null },
        "errors": [
            { "message": "x", "path": ["query2_a", 0, "query0_b"], "locations": [{ "line": 1, "column": 1 }] },
            { "message": "y", "path": ["query0_a"] },
            { "message": "z", "path": ["query2_a"] },
        ],
    });
    let shown = queries(whole);
    assert_eq!(shown[0], json!([r#"{"a":null}"#, ["y at a"]]));
    assert_eq!(shown[1], json!([r#"{"a":1}"#, []]));
    assert_eq!(shown[2], json!([r#"{"a":null}"#, ["x at a.0.query0_b", "z at a"]]));
}

#[test]
fn locations_are_of_another_document() {
    let error = json!({ "message": "x", "path": ["query0_a"], "locations": [{ "line": 1, "column": 1 }] });
    let sending = merged(&batch(&["{ a }"; 2]));
    let verdicts = sending.split(answer(&json!({ "data": { "query0_a": null }, "errors": [error] })));
    let Verdict::Own(own) = &verdicts[0].1 else { panic!("{verdicts:?}") };
    assert!(own.errors()[0].locations().is_empty());
}

#[test]
fn extensions_go_to_each() {
    let sending = merged(&batch(&["{ a }"; 2]));
    let whole = json!({ "data": { "query0_a": 1, "query1_a": 1 }, "extensions": { "cost": 3 } });
    for (_, verdict) in sending.split(answer(&whole)) {
        let Verdict::Own(own) = verdict else { panic!("{verdict:?}") };
        assert_eq!(own.extensions().map(RawJson::get), Some(r#"{"cost":3}"#));
    }
}

#[test]
fn after_null_the_only_one_with_errors_keeps_them_and_the_others_go_again() {
    let whole = json!({ "data": null, "errors": [{ "message": "x", "path": ["query1_a", 3] }] });
    assert_eq!(queries(whole), [json!("again"), json!(["null", ["x at a.3"]]), json!("again")]);
}

#[test]
fn after_null_with_errors_of_two_nobody_knows_whose_it_was() {
    let errors = json!([{ "message": "x", "path": ["query1_a"] }, { "message": "y", "path": ["query2_a"] }]);
    assert_eq!(queries(json!({ "data": null, "errors": errors })), ["again"; 3]);
}

#[test]
fn what_belongs_to_nobody_is_true_of_nobody_alone() {
    let data = json!({ "query0_a": 1, "query1_a": 1, "query2_a": 1 });
    for error in [
        json!({ "message": "no path" }),
        json!({ "message": "x", "path": [0] }),
        json!({ "message": "x", "path": ["a"] }),
        json!({ "message": "x", "path": ["query3_a"] }),
        json!({ "message": "x", "path": ["query01_a"] }),
        json!({ "message": "x", "path": ["query+1_a"] }),
        json!({ "message": "x", "path": ["query1"] }),
    ] {
        assert_eq!(queries(json!({ "data": data, "errors": [error] })), ["again"; 3], "{error}");
    }
    let own = json!({ "message": "x", "path": ["query0_a"] });
    assert_eq!(queries(json!({ "data": null, "errors": [own, { "message": "no path" }] })), ["again"; 3]);
    assert_eq!(queries(json!({ "errors": [{ "message": "does not validate" }] })), ["again"; 3]);
}

#[test]
fn data_that_nobody_asked_for_makes_all_go_again() {
    for key in ["a", "query3_a", "query_a", "Query0_a", "query0root_a"] {
        assert_eq!(queries(json!({ "data": { "query0_a": 1, key: 1 } })), ["again"; 3], "{key}");
    }
    assert_eq!(queries(json!({ "data": [1] })), ["again"; 3]);
}

#[test]
fn an_error_that_speaks_of_the_merged_document_is_asked_for_again() {
    for error in [
        json!({ "message": "$query1_v is wrong", "path": ["query1_a"] }),
        json!({ "message": "in query1root_F", "path": ["query1_a"] }),
        json!({ "message": "x", "path": ["query1_a"], "extensions": { "at": ["query1_a"] } }),
    ] {
        let shown = queries(json!({ "data": { "query0_a": 1, "query1_a": null }, "errors": [error] }));
        assert_eq!(shown, [json!([r#"{"a":1}"#, []]), json!("again"), json!(["{}", []])], "{error}");
    }
}

#[test]
fn mutations_go_again_only_if_nothing_was_carried_out() {
    assert_eq!(mutations(json!({ "errors": [{ "message": "does not validate" }] })), ["again"; 3]);
    let lost = json!({ "lost": ["x"] });
    assert_eq!(mutations(json!({ "data": null, "errors": [{ "message": "x" }] })), vec![lost; 3]);
    let shown = mutations(json!({ "errors": [{ "message": "x", "path": ["query0_a"] }] }));
    assert_eq!(shown, [json!([null, ["x at a"]]), json!({ "lost": [] }), json!({ "lost": [] })]);
}

#[test]
fn after_null_mutations_are_lost_but_the_owners() {
    let whole = json!({ "data": null, "errors": [{ "message": "x", "path": ["query1_a"] }] });
    assert_eq!(mutations(whole), [json!({ "lost": [] }), json!(["null", ["x at a"]]), json!({ "lost": [] })]);
    let errors = json!([{ "message": "x", "path": ["query1_a"] }, { "message": "y" }]);
    let shown = mutations(json!({ "data": null, "errors": errors }));
    assert_eq!(
        shown,
        [json!({ "lost": ["y"] }), json!({ "lost": ["x at a", "y"] }), json!({ "lost": ["y"] })]
    );
}

#[test]
fn mutations_have_the_errors_of_nobody_beside_their_data() {
    let whole = json!({ "data": { "query0_a": 1 }, "errors": [{ "message": "y" }] });
    assert_eq!(mutations(whole)[0], json!([r#"{"a":1}"#, ["y"]]));
}

#[test]
fn data_of_mutations_that_cannot_be_told_apart_is_lost() {
    assert_eq!(mutations(json!({ "data": { "query0_a": 1, "a": 2 } })), vec![json!({ "lost": [] }); 3]);
}

#[test]
fn one_alone_has_the_whole_answer() {
    let sending = merged(&batch(&["{ a }"]));
    let verdicts = sending.split(answer(&json!({ "data": null, "errors": [{ "message": "x" }] })));
    assert_eq!(shown(verdicts.into_iter().next().expect("one").1), json!(["null", ["x"]]));
}
