use bartizan_test::server::{Act, Log, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

/// What an HTTP/1.1 server in memory answers to `bytes`, followed by the end of the stream.
async fn answer(act: Act, bytes: impl AsRef<[u8]>) -> (String, Log) {
    let server = Server::h1_in_memory(act);
    let (mut reader, mut writer) = tokio::io::split(server.connect().unwrap());
    let mut answer = String::new();
    let talk = async {
        let (_, read) = tokio::join!(
            async {
                // The server may hang up before it has read everything.
                let _ = writer.write_all(bytes.as_ref()).await;
                let _ = writer.shutdown().await;
            },
            reader.read_to_string(&mut answer)
        );
        read.unwrap();
    };
    in_time(talk).await;
    (answer, server.log())
}

#[tokio::test]
async fn a_malformed_head_gets_400_and_no_entry() {
    for head in
        ["\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nbad name: x\r\nhost: x\r\n\r\n", "\0\u{ff}\r\n\r\n"]
    {
        let (answer, log) = answer(Act::reply(200), head).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{head:?}: {answer}");
        assert!(log.requests().is_empty());
        assert_eq!(log.malformed(), 1);
    }
}

#[tokio::test]
async fn an_endless_head_gets_431() {
    let (answer, _) = answer(Act::reply(200), vec![b'a'; 1024 * 1024]).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_malformed_chunk_gets_400_and_its_request_is_incomplete() {
    for chunk in [
        "x\r\n",
        "3\r\nabcde\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "1000000000000000000\r\n",
        "0\r\nbad\r\n\r\n",
    ] {
        let head = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
        let (answer, log) = answer(Act::reply(200), [head, chunk].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{chunk:?}: {answer}");
        assert!(!log.requests()[0].complete);
        assert_eq!(log.malformed(), 1);
    }
}

#[tokio::test]
async fn a_claimed_length_costs_nothing() {
    let (answer, log) = answer(
        Act::reply(200),
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 18446744073709551615\r\n\r\nabc",
    )
    .await;
    assert_eq!(answer, "");
    let seen = &log.requests()[0];
    assert_eq!((seen.body_len, seen.complete, seen.finished), (3, false, false));
}

#[tokio::test]
async fn chunks_and_trailers_are_read_from_any_pieces() {
    let bytes = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 42\r\n\r\n";
    let server = Server::h1_in_memory(Act::reply(200));
    let mut client = server.connect().unwrap();
    for byte in bytes.bytes() {
        client.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    in_time(server.log().until(|seen| seen.len() == 1 && seen[0].complete)).await;
    let seen = &server.log().requests()[0];
    assert_eq!((seen.body.as_slice(), seen.trailers.as_ref()), (&b"abcde"[..], Some(&trailers())));
}

#[tokio::test]
async fn a_client_that_expects_100_gets_it_before_its_body_is_read() {
    let server = Server::h1_in_memory(Act::reply(200));
    let mut client = server.connect().unwrap();
    let head = b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\n";
    client.write_all(head).await.unwrap();
    let mut interim = [0; 25];
    in_time(client.read_exact(&mut interim)).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"abc").await.unwrap();
    let mut answer = String::new();
    in_time(client.read_to_string(&mut answer)).await.unwrap();
    assert_eq!(answer, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

#[tokio::test]
async fn an_early_refusal_spares_the_expected_100_and_closes() {
    let server = Server::h1_in_memory(Act::reply(417).early());
    let mut client = server.connect().unwrap();
    let head = b"POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n";
    client.write_all(head).await.unwrap();
    let mut answer = String::new();
    in_time(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 417 "), "{answer}");
}

#[tokio::test]
async fn an_interim_response_and_an_odd_status_are_written_as_told() {
    let (answer, _) = answer(Act::reply(999).interim(102).interim(103), "GET / HTTP/1.0\r\n\r\n").await;
    let expected = "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n\
                    HTTP/1.1 999 \r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn random_bytes_never_hang_or_panic_the_server() {
    const ALPHABET: &[u8] = b"GET / HTP1.\r\n:0af;\xff";
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..600)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                ALPHABET[state as usize % ALPHABET.len()]
            })
            .collect();
        answer(Act::reply(200), &bytes).await;
    }
}
