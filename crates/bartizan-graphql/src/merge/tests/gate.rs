use super::*;

/// Whether it is merged with a query or with a mutation.
fn merges(operation: Operation) -> bool {
    let settings = Settings::default().with_mutations().bytes(1 << 20);
    ["{ a }", "mutation { a }"]
        .into_iter()
        .any(|other| plan(&[Operation::new(other), operation.clone()], settings).len() == 1)
}

#[test]
fn what_is_understood_goes_together() {
    for document in [
        "{ b }",
        "query { b }",
        "query Name { b }",
        "query($v: Int = 1 @d) { b(c: $v) }",
        "\u{feff}{ b }",
        "# a comment at the end\n{ b }#",
        "{ ...F } fragment F on Query { b }",
        "{ ...F ...F } fragment F on Query { ...G } fragment G on Query { b }",
    ] {
        assert!(merges(Operation::new(document)), "{document}");
    }
}

#[test]
fn what_is_not_surely_understood_goes_alone() {
    for document in [
        "",
        "{",
        "{ }",
        "{ b } }",
        "query() { b }",
        "query { b } query { c }",
        "query B { b } query C { c }",
        "{ b } query C { c }",
        "subscription { b }",
        "query @live { b }",
        "{ b @defer }",
        "{ ...F @defer } fragment F on Query { b }",
        "{ b { c @stream } }",
        "{ ...F }",
        "{ ...F } fragment F on Query { b } fragment F on Query { c }",
        "{ ...F } fragment F on Query { ...F }",
        "{ ...F } fragment F on Query { ...G } fragment G on Query { b ...F }",
        "{ ...F } fragment F on Query { b { ...F } }",
        "{ b } fragment F on Query { c }",
        "{ b(c: $v) }",
        "{ ...F } fragment F on Query { b(c: $v) }",
        "query($v: Int) { b }",
        "query($v: Int, $v: Int) { b(c: $v) }",
        "{ b } type T { c: Int }",
        "{ ...on } fragment on on Query { b }",
        "{ b(c: \"open) }",
    ] {
        assert!(!merges(Operation::new(document)), "{document}");
    }
}

#[test]
fn a_document_of_several_operations_needs_the_name_of_one() {
    let document = "query B { ...F } query C { ...G } fragment F on Query { b } fragment G on Query { c }";
    for (name, together) in [("B", true), ("C", true), ("D", false)] {
        assert_eq!(merges(Operation::new(document).name(name)), together, "{name}");
    }
    for document in
        ["query B { b } query B { c }", "query B { b } { c }", "query B { b } fragment F on Query { b }"]
    {
        assert!(!merges(Operation::new(document).name("B")), "{document}");
    }
}

#[test]
fn extensions_of_a_request_are_not_shared() {
    let operation = Operation::new("{ b }").extensions(&json!({ "trace": 1 })).expect("an object");
    assert!(!merges(operation));
}

#[test]
fn only_the_same_header_fields_go_together() {
    let named = |value| Operation::new("{ a }").header(AUTHORIZATION, HeaderValue::from_static(value));
    let operations = [named("one"), named("two"), named("one"), Operation::new("{ a }")];
    assert_eq!(groups(&operations, Settings::default()), [vec![0, 2], vec![1], vec![3]]);
    assert_eq!(plan(&operations, Settings::default())[0].operation().headers[AUTHORIZATION], "one");
}

#[test]
fn depth_is_bounded() {
    let nested = |depth| Operation::new(format!("{}b{}", "{ a ".repeat(depth), " }".repeat(depth)));
    assert!(merges(nested(90)));
    assert!(!merges(nested(110)));
}

#[test]
fn tokens_are_bounded() {
    assert!(!merges(Operation::new(format!("{{ {} }}", "b ".repeat(21_000)))));
}

#[test]
fn a_request_takes_so_many_operations() {
    let operations = batch(&["{ a }"; 5]);
    assert_eq!(groups(&operations, Settings::default().operations(2)), [vec![0, 1], vec![2, 3], vec![4]]);
}

#[test]
fn a_request_takes_so_many_bytes_of_document_and_variables() {
    let operation = |text: &str| {
        let variables = json!({ "v": text });
        Operation::new("query($v: String) { a(b: $v) }").variables(&variables).expect("an object")
    };
    let operations = [operation("x"), operation("yy"), operation("z")];
    let whole = merged(&operations[..2]);
    let bytes = whole.operation().document.len()
        + whole
            .operation()
            .variables
            .iter()
            .map(|(name, value)| name.len() + value.get().len())
            .sum::<usize>();
    // Between the longest frame and this one's.
    let frame = "mutation".len() - "query".len();
    let settings = |bytes| Settings::default().bytes(bytes);
    assert_eq!(groups(&operations[..2], settings(bytes + frame)), [vec![0, 1]]);
    assert_eq!(groups(&operations[..2], settings(bytes + frame - 1)), [vec![0], vec![1]]);
}

#[test]
fn a_document_that_fills_a_request_is_not_read() {
    let operations = batch(&["{ a }", "{ a                     }", "{ a }"]);
    assert_eq!(groups(&operations, Settings::default().bytes(24)), [vec![0], vec![1], vec![2]]);
    assert!(Member::of(1, &operations[1], Settings::default().bytes(24)).is_none());
    assert!(Member::of(0, &operations[0], Settings::default().bytes(5)).is_some());
}

#[test]
fn mutations_go_alone_unless_told() {
    let operations = batch(&["mutation { a }", "{ a }", "mutation { a }", "{ a }"]);
    assert_eq!(groups(&operations, Settings::default()), [vec![0], vec![1, 3], vec![2]]);
    assert_eq!(groups(&operations, Settings::default().with_mutations()), [vec![0, 2], vec![1, 3]]);
}

#[test]
fn no_mutation_overtakes_another() {
    let settings = Settings::default().with_mutations();
    // What cannot be read may be one.
    let operations = batch(&["mutation { a }", "{", "mutation { b }", "mutation { c }"]);
    assert_eq!(groups(&operations, settings), [vec![0], vec![1], vec![2, 3]]);
    let other = Operation::new("mutation { b }").header(AUTHORIZATION, HeaderValue::from_static("two"));
    let operations = [Operation::new("mutation { a }"), other, Operation::new("mutation { c }")];
    assert_eq!(groups(&operations, settings), [vec![0], vec![1], vec![2]]);
    // Queries do.
    let operations = batch(&["{ a }", "{", "{ b }"]);
    assert_eq!(groups(&operations, settings), [vec![0, 2], vec![1]]);
}

#[test]
fn one_alone_is_sent_as_it_is() {
    let operation = Operation::new("query B($v: Int) { b(c: $v) }")
        .name("B")
        .header(AUTHORIZATION, HeaderValue::from_static("x"));
    let sending = merged(&[operation]);
    assert_eq!(&*sending.operation().document, "query B($v: Int) { b(c: $v) }");
    assert_eq!(sending.operation().name.as_deref(), Some("B"));
    assert_eq!(sending.operation().headers[AUTHORIZATION], "x");
}
