use bartizan_test::server::{Act, Log, Seen, Server};
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

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_cuts_a_delay_short() {
    let start = tokio::time::Instant::now();
    let hour = Duration::from_secs(3600);
    let (answer, log) = answer(Act::reply(200).delay(hour), "GET / HTTP/1.0\r\n\r\n").await;
    assert_eq!((answer.as_str(), log.requests()[0].finished), ("", false));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// Kind, flags and stream of each frame, with the payload.
fn frames(mut bytes: &[u8]) -> Vec<(u8, u8, u32, &[u8])> {
    let mut frames = Vec::new();
    while let Some(([l0, l1, l2, kind, flags, stream @ ..], rest)) = bytes.split_first_chunk::<9>() {
        let (payload, after) = rest.split_at(u32::from_be_bytes([0, *l0, *l1, *l2]) as usize);
        frames.push((*kind, *flags, u32::from_be_bytes(*stream), payload));
        bytes = after;
    }
    frames
}

#[tokio::test(start_paused = true)]
async fn after_a_goaway_only_lower_streams_go_on_and_then_the_connection_ends() {
    const HEADERS: u8 = 1;
    const GOAWAY: u8 = 7;
    let script = |seen: &Seen| match seen.sequence {
        0 => Act::reply(204).delay(Duration::from_secs(5)),
        1 => Act::goaway().delay(Duration::from_secs(2)),
        _ => Act::reply(204).delay(Duration::from_secs(3)),
    };
    let server = Server::h2_in_memory(script);
    let (mut reader, mut writer) = tokio::io::split(server.connect().unwrap());
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for stream in [1, 3, 5] {
        // END_STREAM and END_HEADERS; GET, http, the path /, and the authority x.
        sent.extend_from_slice(&[0, 0, 6, HEADERS, 5, 0, 0, 0, stream, 0x82, 0x86, 0x84, 0x41, 1, b'x']);
    }
    writer.write_all(&sent).await.unwrap();
    let mut received = Vec::new();
    in_time(reader.read_to_end(&mut received)).await.unwrap();

    let frames = frames(&received);
    let goaway = frames.iter().position(|(kind, ..)| *kind == GOAWAY).unwrap();
    assert_eq!(frames[goaway].3, [0, 0, 0, 1, 0, 0, 0, 0]);
    let answers: Vec<_> =
        frames[goaway + 1..].iter().filter(|frame| frame.2 != 0).map(|frame| (frame.0, frame.2)).collect();
    assert_eq!(answers, [(HEADERS, 1)]);
    let processed: Vec<_> = server.log().requests().iter().map(|seen| seen.processed).collect();
    assert_eq!(processed, [true, false, false]);
}

/// Bytes from `alphabet` that look random and are the same each time.
fn noise(alphabet: &'static [u8]) -> impl Iterator<Item = u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        alphabet[(state % alphabet.len() as u64) as usize]
    })
}

#[tokio::test]
async fn random_bytes_never_hang_or_panic_the_server() {
    let mut noise = noise(b"GET / HTP1.\r\n:0af;\xff");
    for _ in 0..200 {
        let bytes: Vec<u8> = noise.by_ref().take(600).collect();
        answer(Act::reply(200), &bytes).await;
    }
}

#[tokio::test]
async fn random_frames_never_hang_or_panic_the_server() {
    let mut noise = noise(b"\0\0\0\0\x01\x01\x02\x03\x04\x05\x06\x07\x08\x09\x41\x82\x84\x86\xff");
    for _ in 0..200 {
        let server = Server::h2_in_memory(Act::reply(200).body("hello"));
        let (mut reader, mut writer) = tokio::io::split(server.connect().unwrap());
        writer.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let bytes: Vec<u8> = noise.by_ref().take(600).collect();
        // The server may hang up before it has read everything.
        let _ = writer.write_all(&bytes).await;
        let _ = writer.shutdown().await;
        in_time(reader.read_to_end(&mut Vec::new())).await.unwrap();
    }
}
