use std::str;

use bytes::{BufMut, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Fault, FaultKind};

/// What is signed: literal text and header fields, around the body. Neither by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Template {
    before: Vec<Piece>,
    after: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Id,
    Timestamp,
    Field(HeaderName),
}

/// What is put in the places of a template.
pub(super) struct Filling<'a> {
    pub(super) id: Option<&'a HeaderValue>,
    pub(super) timestamp: Option<&'a [u8]>,
    pub(super) headers: &'a HeaderMap,
}

impl Template {
    /// `{id}`, `{timestamp}`, `{body}` and `{header:NAME}` stand for what they say, all else for itself.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut body_at = None;
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (literal, placed) = rest.split_at(open);
            let (name, after) = placed[1..].split_once('}').ok_or("has a brace that is not closed")?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            match name {
                "body" if body_at.is_none() => body_at = Some(pieces.len()),
                "body" => return Err("has {body} twice"),
                "id" => pieces.push(Piece::Id),
                "timestamp" => pieces.push(Piece::Timestamp),
                _ => {
                    let field = name.strip_prefix("header:").and_then(|name| name.parse().ok());
                    pieces.push(Piece::Field(field.ok_or("has a place that is not known")?));
                }
            }
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        let after = pieces.split_off(body_at.ok_or("has no {body}")?);
        Ok(Self { before: pieces, after })
    }

    pub(super) fn has_id(&self) -> bool {
        self.pieces().any(|piece| *piece == Piece::Id)
    }

    pub(super) fn has_timestamp(&self) -> bool {
        self.pieces().any(|piece| *piece == Piece::Timestamp)
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.before.iter().chain(&self.after)
    }

    pub(super) fn has_field(&self, name: &HeaderName) -> bool {
        self.pieces().any(|piece| matches!(piece, Piece::Field(field) if field == name))
    }

    /// What stands before the body and after it, by the fields' own bytes.
    ///
    /// Who knows the whole finds the parts again: those before the body from the left, up to the first text that ends each; those after it from the right. Where one
    /// could not, a part would give its end to the next one, under the same signature.
    pub(super) fn fill(&self, filling: &Filling<'_>) -> Result<(BytesMut, BytesMut), Fault> {
        let (mut before, mut after) = (BytesMut::new(), BytesMut::new());
        for (nth, piece) in self.before.iter().enumerate() {
            let value = piece.value(filling)?;
            if let Some(end) = piece.parted_by(self.before.get(nth + 1))
                && ends_early(value.iter(), end.iter())
            {
                return Err(FaultKind::Ambiguous.into());
            }
            before.put_slice(value);
        }
        for (nth, piece) in self.after.iter().enumerate() {
            let value = piece.value(filling)?;
            let former = nth.checked_sub(1).and_then(|former| self.after.get(former));
            if let Some(start) = piece.parted_by(former)
                && ends_early(value.iter().rev(), start.iter().rev())
            {
                return Err(FaultKind::Ambiguous.into());
            }
            after.put_slice(value);
        }
        Ok((before, after))
    }
}

impl Piece {
    fn value<'a>(&'a self, filling: &Filling<'a>) -> Result<&'a [u8], Fault> {
        Ok(match self {
            Self::Literal(text) => text.as_bytes(),
            Self::Timestamp => filling.timestamp.ok_or(FaultKind::NoTimestamp)?,
            Self::Id => filling.id.ok_or(FaultKind::NoId)?.as_bytes(),
            Self::Field(name) => {
                super::field::only(filling.headers, name)?.ok_or(FaultKind::NoSignedField)?.as_bytes()
            }
        })
    }

    /// The text between a part and its neighbour. A timestamp, which has digits only and is about now, is found without.
    fn parted_by<'a>(&self, neighbour: Option<&'a Self>) -> Option<&'a [u8]> {
        match (self, neighbour) {
            (Self::Id | Self::Field(_), Some(Self::Literal(text))) => Some(text.as_bytes()),
            _ => None,
        }
    }
}

/// Whether the end that follows a value is found before it, and be it by the value's last bytes and its own first ones.
fn ends_early<'a, I: ExactSizeIterator<Item = &'a u8> + Clone>(value: I, end: I) -> bool {
    let whole = value.clone().chain(end.clone());
    (0..value.len()).any(|at| whole.clone().skip(at).take(end.len()).eq(end.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, id: &str) -> Result<(String, String), Fault> {
        let id = HeaderValue::from_str(id).unwrap();
        let headers = HeaderMap::from_iter([("x-a".parse().unwrap(), HeaderValue::from_static("A"))]);
        let filling = Filling { id: Some(&id), timestamp: Some(b"007"), headers: &headers };
        let (before, after) = Template::parse(template).unwrap().fill(&filling)?;
        let text = |bytes: BytesMut| String::from_utf8(bytes.to_vec()).unwrap();
        Ok((text(before), text(after)))
    }

    #[test]
    fn places_are_filled_around_the_body() {
        assert_eq!(filled("{id}.{timestamp}.{body}", "m").unwrap(), ("m.007.".into(), "".into()));
        assert_eq!(filled("v0:{header:X-A}{body}:end{id}", "m").unwrap(), ("v0:A".into(), ":endm".into()));
        assert_eq!(filled("{body}.", "m").unwrap(), ("".into(), ".".into()));
        assert_eq!(filled("{body}", "m").unwrap(), ("".into(), "".into()));
    }

    #[test]
    fn a_part_that_holds_what_ends_it_is_refused() {
        assert!(filled("{id}.{timestamp}.{body}", "m.1").is_err());
        assert!(filled("{id}::{body}", "m:1").is_ok());
        assert!(filled("{header:x-a}A{body}", "m").is_err());
    }

    #[test]
    fn a_part_that_begins_what_ends_it_is_refused() {
        // `m:::A` is `m` and `:A` as well.
        assert!(filled("{id}::{header:x-a}::{body}", "m:").is_err());
        assert!(filled("{id}::{header:x-a}::{body}", ":m").is_ok());
    }

    #[test]
    fn after_the_body_a_part_may_not_hold_what_parts_it_from_there() {
        assert!(filled("{body}.{id}", "b.c").is_err());
        assert!(filled("{body}.{id}:end", "b:c").is_ok());
        // `b::` and `:c` is what `b:` and `::c` would be.
        assert!(filled("{body}::{id}", ":c").is_err());
        assert!(filled("{body}::{id}", "c:").is_ok());
    }

    #[test]
    fn a_timestamp_may_hold_the_digits_that_part_it() {
        assert!(filled("{timestamp}0{body}7{timestamp}", "m").is_ok());
    }

    #[test]
    fn what_is_not_there_cannot_be_signed() {
        let filling = Filling { id: None, timestamp: None, headers: &HeaderMap::new() };
        for (template, kind) in [
            ("{id}{body}", FaultKind::NoId),
            ("{timestamp}{body}", FaultKind::NoTimestamp),
            ("{header:x-a}{body}", FaultKind::NoSignedField),
        ] {
            let fault = Template::parse(template).unwrap().fill(&filling).unwrap_err();
            assert_eq!(fault.kind(), kind, "{template}");
        }
    }

    #[test]
    fn templates_that_mean_nothing_are_refused() {
        for text in [
            "",
            "x",
            "{id}",
            "{body}{body}",
            "{body",
            "{bodies}{body}",
            "{header:}{body}",
            "{header:a b}{body}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
