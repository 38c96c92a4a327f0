use super::*;

/// The document of a batch of this one and of `{ z }`, without the other's part and without the line breaks that parts end with.
#[track_caller]
fn written(document: &str, expected: &str) {
    let sending = merged(&batch(&[document, "{ z }"]));
    let whole = sending.operation().document.replace(" query1_z: z \n", "").replace('\n', "");
    assert_eq!(whole, expected);
}

#[test]
fn a_field_at_the_root_has_its_response_key_behind_the_prefix() {
    written("{ a }", "query { query0_a: a }");
    written("{ a: b(c: 1) }", "query { query0_a: b(c: 1) }");
    written("{ a: b a: b }", "query { query0_a: b query0_a: b }");
    written("{ __typename }", "query { query0___typename: __typename }");
    written("{ query: query }", "query { query0_query: query }");
}

#[test]
fn below_the_root_fields_stay_as_they_are() {
    written("{ a { b c: d { e } } }", "query { query0_a: a { b c: d { e } } }");
}

#[test]
fn inline_fragments_at_the_root_are_the_root() {
    written(
        "{ ... on Query { a ... @include(if: true) { b } } c { ... on C { d } } }",
        "query { ... on Query { query0_a: a ... @include(if: true) { query0_b: b } } query0_c: c { ... on C { d } } }",
    );
}

#[test]
fn a_fragment_is_there_once_for_the_root_and_once_for_below() {
    written(
        "{ ...F a { ...F } } fragment F on Query { b { c } }",
        "query { ...query0root_F query0_a: a { ...query0_F } }\
         fragment query0_F on Query { b { c } }fragment query0root_F on Query { query0_b: b { c } }",
    );
}

#[test]
fn a_fragment_in_a_fragment_is_at_the_root_as_that_one_is() {
    written(
        "{ ...F } fragment F on Query { ...G a { ...G } } fragment G on Query { b }",
        "query { ...query0root_F }\
         fragment query0root_F on Query { ...query0root_G query0_a: a { ...query0_G } }\
         fragment query0_G on Query { b }fragment query0root_G on Query { query0_b: b }",
    );
}

#[test]
fn variables_are_renamed_wherever_they_are_used() {
    written(
        "query Q($a: Int!, $b: [T!] = [{x: 1}] @d(e: 2), $c: Boolean) {\
         f(g: $a, h: [1, $b, {i: {j: [$a]}}]) @skip(if: $c) ... @include(if: $c) { k } ...F @include(if: $c) }\
         fragment F on Query @x(y: $a) { l { m(n: $b) } }",
        "query($query0_a: Int!$query0_b: [T!] = [{x: 1}] @d(e: 2)$query0_c: Boolean) {\
         query0_f: f(g: $query0_a, h: [1, $query0_b, {i: {j: [$query0_a]}}]) @skip(if: $query0_c) \
         ... @include(if: $query0_c) { query0_k: k } ...query0root_F @include(if: $query0_c) }\
         fragment query0root_F on Query @x(y: $query0_a) { query0_l: l { m(n: $query0_b) } }",
    );
}

#[test]
fn texts_and_enums_that_look_like_names_of_variables_stay() {
    written(
        r#"query($a: Int) { f(g: "$a ...F {", h: A, i: """ $a " \""" """, j: $a, k: "é\u00e9 🦀") }"#,
        r#"query($query0_a: Int) { query0_f: f(g: "$a ...F {", h: A, i: """ $a " \""" """, j: $query0_a, k: "é\u00e9 🦀") }"#,
    );
}

#[test]
fn a_comment_swallows_nothing() {
    let sending = merged(&batch(&["query($v: Int # one\n) { a(b: $v) # two\n} # three", "{ z # four\n}"]));
    assert_eq!(
        &*sending.operation().document,
        "query(\n$query0_v: Int\n) {\n query0_a: a(b: $query0_v) # two\n\n query1_z: z # four\n\n}\n"
    );
}

#[test]
fn only_what_is_reached_is_kept() {
    let operations = [
        Operation::new(
            "query A { ...F } query B { ...G } fragment F on Query { a } fragment G on Query { b }",
        )
        .name("B"),
        Operation::new("{ z }"),
    ];
    let document = merged(&operations).operation().document.replace('\n', "");
    assert_eq!(
        document,
        "query { ...query0root_G  query1_z: z }fragment query0root_G on Query { query0_b: b }"
    );
}

#[test]
fn variables_keep_their_values_under_new_names() {
    let operation = |value| {
        Operation::new("query($v: Int) { a(b: $v) }")
            .variables(&json!({ "v": value, "else": 1 }))
            .expect("an object")
    };
    let sending = merged(&[operation(json!(1.50)), operation(json!(null))]);
    let variables = serde_json::to_value(&sending.operation().variables).expect("JSON");
    assert_eq!(variables, json!({ "query0_v": 1.5, "query0_else": 1, "query1_v": null, "query1_else": 1 }),);
}

#[test]
fn the_number_is_the_place_in_the_batch() {
    let sendings = plan(&batch(&["{", "{ a }", "{ b }"]), Settings::default());
    assert_eq!(sendings[1].members(), [1, 2]);
    assert_eq!(&*sendings[1].operation().document, "query {\n query1_a: a \n query2_b: b \n}\n");
}

#[test]
fn mutations_are_one_mutation() {
    let sending = merged(&batch(&["mutation { a }", "mutation B { b }"]));
    assert_eq!(&*sending.operation().document, "mutation {\n query0_a: a \n query1_b: b \n}\n");
}
