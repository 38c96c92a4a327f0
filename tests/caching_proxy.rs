//! The caching proxy of the examples, as a process of its own between plain sockets.

#![allow(missing_docs)]

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Ended with the test.
struct Proxy {
    process: Child,
    address: SocketAddr,
}

impl Proxy {
    fn before(origin: SocketAddr, is_shared: bool) -> io::Result<Self> {
        // Beside the tests, and with them where all are built.
        static BUILT: Once = Once::new();
        BUILT.call_once(|| {
            let arguments = ["build", "--quiet", "--locked", "--offline", "--example", "caching_proxy"];
            let cargo =
                Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).status();
            assert!(cargo.is_ok_and(|status| status.success()));
        });
        let tests = env::current_exe()?;
        let built = tests.parent().and_then(|deps| deps.parent()).expect("tests lie in target/*/deps");
        let mut process = Command::new(built.join("examples/caching_proxy"))
            .env("LISTEN", "127.0.0.1:0")
            .env("ORIGIN", format!("http://{origin}"))
            .env("SHARED", if is_shared { "1" } else { "0" })
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        Ok(Self { process, address: address.expect("it says where it listens") })
    }

    /// What the client gets until the connection is closed, which `bytes` should ask for.
    fn ask(&self, bytes: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(bytes.as_bytes())?;
        let mut got = String::new();
        stream.read_to_string(&mut got)?;
        Ok(got)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an origin on real sockets that takes its time, by which nothing is decided"
)]
fn wait() {
    thread::sleep(Duration::from_millis(20));
}

/// Answers each request, on a connection of its own, with the pieces that `answer` makes of its head, and tells the head.
fn origin(answer: fn(&str) -> Vec<String>) -> io::Result<(SocketAddr, Receiver<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (tell, told) = channel();
    thread::spawn(move || -> io::Result<()> {
        loop {
            let (mut stream, _) = listener.accept()?;
            let tell = tell.clone();
            thread::spawn(move || -> io::Result<()> {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte)?;
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                for (index, piece) in answer(&head).iter().enumerate() {
                    if index > 0 {
                        wait();
                    }
                    stream.write_all(piece.as_bytes())?;
                }
                let _ = tell.send(head);
                stream.shutdown(Shutdown::Both)
            });
        }
    });
    Ok((address, told))
}

const HINTS: &str =
    "HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\nconnection: x-hop\r\nx-hop: 1\r\n\r\n";
const RELAYED: &str = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n";
const CLOSE: &str = "host: a.example\r\nconnection: close\r\n\r\n";

fn ok(body: &str, fields: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n{fields}\r\n{body}", body.len())
}

#[test]
fn interim_responses_come_before_the_final_one_however_the_origin_sends_them() -> io::Result<()> {
    let (origin, _) = origin(|head| match head.split(' ').nth(1).unwrap() {
        "/slowly" => vec![HINTS.into(), HINTS.into(), ok("hello", "")],
        "/at-once" => vec![format!("{HINTS}{HINTS}{}", ok("hello", ""))],
        _ => vec![ok("hello", "")],
    })?;
    let proxy = Proxy::before(origin, true)?;
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
    for path in ["/slowly", "/at-once"] {
        let got = proxy.ask(&format!("GET {path} HTTP/1.1\r\n{CLOSE}"))?;
        assert_eq!(got, format!("{RELAYED}{RELAYED}{answer}"), "{path}");
    }
    let got = proxy.ask(&format!("GET /slowly HTTP/1.0\r\n{CLOSE}"))?;
    assert!(!got.contains("103"), "{got}");

    let kept = answer.replace("connection: close\r\n", "");
    let two = format!("GET /none HTTP/1.1\r\nhost: a\r\n\r\nGET /at-once HTTP/1.1\r\n{CLOSE}");
    assert_eq!(proxy.ask(&two)?, format!("{kept}{RELAYED}{RELAYED}{answer}"), "in one piece");
    Ok(())
}

#[test]
fn what_is_fresh_is_answered_from_memory_and_nothing_is_added_but_its_age() -> io::Result<()> {
    let (origin, told) = origin(|_| vec![ok("hello", "cache-control: max-age=60\r\nkeep-alive: 1\r\n")])?;
    let proxy = Proxy::before(origin, false)?;
    let ask = || proxy.ask(&format!("GET /x?y HTTP/1.1\r\nx-a: 1\r\nte: trailers\r\n{CLOSE}"));
    let fields = "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 5\r\n";
    assert_eq!(ask()?, format!("{fields}connection: close\r\n\r\nhello"));
    let head = told.recv().unwrap().to_lowercase();
    assert!(head.starts_with("get /x?y http/1.1\r\n") && head.contains("\r\nx-a: 1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nhost: {origin}\r\n")) && !head.contains("te: "), "{head}");
    let got = ask()?;
    assert!(got.starts_with(fields) && got.contains("\r\nage: ") && got.ends_with("\r\n\r\nhello"), "{got}");
    assert!(!got.to_lowercase().contains("date: "));
    assert!(told.try_recv().is_err(), "asked once");
    Ok(())
}

#[test]
fn an_origin_that_is_not_there_is_a_502() -> io::Result<()> {
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let got = Proxy::before(nobody, true)?.ask(&format!("GET / HTTP/1.1\r\n{CLOSE}"))?;
    assert!(got.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{got}");
    Ok(())
}
