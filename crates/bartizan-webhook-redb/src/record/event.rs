use bartizan_webhook::inbox::Event;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::read::{Malformed, Reader};
use super::write::Writer;

const NO_ID: u8 = 0;
const UNSIGNED: u8 = 1;
const SIGNED: u8 = 2;

pub(crate) fn encode_event(event: &Event) -> Vec<u8> {
    let mut record = Writer(Vec::with_capacity(event.body().len() + 128));
    record.bytes(event.source().as_bytes());
    record.bytes(event.event_type().as_bytes());
    match event.id() {
        None => record.byte(NO_ID),
        Some(id) => {
            record.byte(if id.is_signed() { SIGNED } else { UNSIGNED });
            record.bytes(id.as_str().as_bytes());
        }
    }
    match event.order_key() {
        None => record.byte(0),
        Some(key) => {
            record.byte(1);
            record.bytes(key.as_bytes());
        }
    }
    record.date(event.received().into());
    record.number(event.headers().len() as u64);
    for (name, value) in event.headers() {
        record.bytes(name.as_str().as_bytes());
        record.bytes(value.as_bytes());
        record.byte(value.is_sensitive().into());
    }
    record.0.extend_from_slice(event.body());
    record.0
}

pub(crate) fn decode_event(record: &[u8]) -> Result<Event, Malformed> {
    let mut record = Reader(record);
    let (source, event_type) = (record.text()?, record.text()?);
    let id = match record.byte()? {
        NO_ID => None,
        tag @ (UNSIGNED | SIGNED) => Some((record.text()?, tag == SIGNED)),
        _ => return Err(Malformed("an id is neither signed nor not")),
    };
    let order_key = if record.flag()? { Some(record.text()?) } else { None };
    let received = record.date()?.into();
    let mut headers = HeaderMap::new();
    for _ in 0..record.number()? {
        let name =
            HeaderName::from_bytes(record.bytes()?).map_err(|_| Malformed("a field has no such name"))?;
        let value =
            HeaderValue::from_bytes(record.bytes()?).map_err(|_| Malformed("a field has no such value"))?;
        let mut value = value;
        value.set_sensitive(record.flag()?);
        headers.try_append(name, value).map_err(|_| Malformed("there are too many fields"))?;
    }
    let mut event =
        Event::new(source, event_type, received, Bytes::copy_from_slice(record.0)).with_headers(headers);
    if let Some((id, is_signed)) = id {
        event = event.with_id(id, is_signed);
    }
    if let Some(key) = order_key {
        event = event.with_order_key(key);
    }
    Ok(event)
}
