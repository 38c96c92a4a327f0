use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// All of them at once, in the task that polls it, and what each came to, in their order.
pub(crate) async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut parts: Vec<Part<F>> = futures.into_iter().map(|future| Part::Waits(Box::pin(future))).collect();
    poll_fn(|cx| {
        let mut waits = false;
        for part in &mut parts {
            if let Part::Waits(future) = part {
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => *part = Part::Done(output),
                    Poll::Pending => waits = true,
                }
            }
        }
        if waits { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    parts
        .into_iter()
        .map(|part| match part {
            Part::Done(output) => output,
            Part::Waits(_) => unreachable!("all are done"),
        })
        .collect()
}

enum Part<F: Future> {
    Waits(Pin<Box<F>>),
    Done(F::Output),
}
