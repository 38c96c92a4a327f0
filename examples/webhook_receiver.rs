//! Webhooks into an axum app: verified, kept in a file before they are acknowledged, given to handlers; one handler fails, and its dead letter is driven
//! again.
//!
//! `cargo run --example webhook_receiver` is the sender too, and keeps its file in a folder that it removes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use bartizan_core::BoxError;
use bartizan_webhook::dead_letters::{DeadLetters, Filter};
use bartizan_webhook::processor::{Failure, Processor, Schedule, Told};
use bartizan_webhook::sign::EventIdLayer;
use bartizan_webhook::{Receiver, SignLayer, SignatureFormat, VerifyLayer};
use bartizan_webhook_redb::RedbInbox;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::{mpsc, oneshot};
use tower::{ServiceBuilder, ServiceExt};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let folder = Folder::new()?;
    let inbox = RedbInbox::open(folder.0.join("inbox.redb"))?;

    // The receiving side: what is not signed is a 401, and a 200 means that the event is in the file.
    let hook = ServiceBuilder::new()
        .layer(VerifyLayer::new(SignatureFormat::standard_webhooks().verifier([SECRET])?))
        .service(Receiver::new("billing", inbox.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/webhooks/billing", listener.local_addr()?);
    tokio::spawn(async move {
        axum::serve(listener, Router::new().route_service("/webhooks/billing", hook)).await
    });

    // The handlers. The ledger is closed at first, and two attempts are all it gets.
    let ledger_is_open = Arc::new(AtomicBool::new(false));
    let (tell, mut told) = mpsc::unbounded_channel();
    let processor = Processor::builder()
        .on_named("invoice.paid", "receipt", |_| async {
            println!("receipt sent");
            Ok(())
        })
        .on_named("invoice.*", "ledger", {
            let is_open = ledger_is_open.clone();
            move |_| {
                let is_open = is_open.load(Ordering::Relaxed);
                async move {
                    if !is_open {
                        return Err(Failure::retry("the ledger is closed"));
                    }
                    println!("booked");
                    Ok(())
                }
            }
        })
        .schedule(Schedule::new([Duration::from_millis(10)])?)
        .hook(move |event: &Told<'_>| {
            let _ = tell.send(match event {
                Told::Dead { reason, .. } => format!("dead: {reason}"),
                Told::Done { .. } => "done".to_owned(),
                _ => return,
            });
        })
        .build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(processor.run(inbox.clone(), async { drop(stopped.await) }));

    // The sending side: an id for the event, a signature for each attempt.
    let signer = SignatureFormat::standard_webhooks().signer([SECRET])?;
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let request = || Request::post(&url).body(Full::from(r#"{"type":"invoice.paid","data":{"total":7}}"#));
    println!("without a signature: {}", http.clone().oneshot(request()?).await?.status());
    let sender =
        ServiceBuilder::new().layer(EventIdLayer::new(&signer)).layer(SignLayer::new(signer)).service(http);
    println!("with one: {}", sender.oneshot(request()?).await?.status());

    println!("{}", told.recv().await.ok_or("the processor has ended")?);
    let letters = DeadLetters::new(inbox.clone());
    ledger_is_open.store(true, Ordering::Relaxed);
    let redriven = letters.redrive_all(Filter::all().source("billing")).run().await?;
    println!("driven again: {}", redriven.redriven());
    println!("{}", told.recv().await.ok_or("the processor has ended")?);

    let _ = stop.send(());
    running.await?;
    println!("dead letters left: {}", letters.stats().await?.dead);
    Ok(())
}

/// Of our own, and gone in the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("bartizan-webhooks-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
