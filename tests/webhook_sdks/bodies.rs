//! What senders send, and worse.

/// What a reader who writes the JSON anew would change, and what JSON is not.
const PIECES: &[&str] = &[
    "1.0",
    "1e400",
    "-0",
    "1E+2",
    "0.10",
    "12345678901234567890123",
    r#""\u001b[31m""#,
    r#""\u00e9""#,
    r#""\/""#,
    "\"é\"",
    "\"日本語\"",
    "\"\u{1f600}\"",
    r#""\ud83d\ude00""#,
    r#""\ud800""#,
    "\"\u{2028}\"",
    "\"\u{feff}\"",
    "\"\u{7f}\"",
    "{\"b\":1,\"a\":2,\"b\":3}",
    "{ }",
    "[ 1 ,2]",
    "\r\n",
    "\t",
    " ",
    "null",
    "true",
    ",",
    ":",
    "\0",
    "'",
    "%00",
    "&amp;",
];

pub(crate) fn bodies(many: usize) -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = vec![
        br#"{"id":"evt_1","type":"invoice.paid","data":{"amount":1.0}}"#.to_vec(),
        b"a=b&c=d".to_vec(),
        b" ".to_vec(),
        "x".repeat(1024 * 1024).into_bytes(),
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    while bodies.len() < many {
        let pieces: Vec<&str> =
            (0..1 + random.below(12)).map(|_| PIECES[random.below(PIECES.len())]).collect();
        let between = ["", ",", "\n", "é"][random.below(4)];
        bodies.push(
            format!("{{\"id\":\"evt_{}\",\"data\":[{}]}}", random.below(100), pieces.join(between))
                .into_bytes(),
        );
    }
    bodies
}

/// xorshift64: the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
