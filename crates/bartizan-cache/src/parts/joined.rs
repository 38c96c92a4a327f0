use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{say, share_a_strong_tag};
use crate::range::ContentRange;
use crate::stored::Stored;
use crate::update::freshened;

/// The parts of one target.
pub(crate) struct Joined {
    /// The newest first.
    pub(crate) parts: Vec<Arc<Stored>>,
    /// What they have become, once nothing is missing.
    pub(crate) whole: Option<Stored>,
}

/// So many lines of a head that several have made are kept at most, as of any other.
const FIELDS: usize = 1024;

/// `new` beside those that are `known` already, or as one with those that it overlaps or touches.
///
/// Parts of one variant live side by side while they are of one representation; else those that were asked for later remain, and `None` is
/// that `new` does not. Bodies of `most` bytes are kept in all, and the oldest make room.
pub(crate) fn joined(new: Arc<Stored>, known: &[Arc<Stored>], most: usize) -> Option<Joined> {
    let mut piece = Piece::of(new)?;
    let (variant, mut parts): (Vec<_>, Vec<_>) =
        known.iter().cloned().partition(|part| part.vary == piece.stored.vary);
    let (mut same, others): (Vec<_>, Vec<_>) =
        variant.into_iter().filter_map(Piece::of).partition(|other| other.is_of_one_with(&piece));
    if others.iter().any(|other| other.stored.asked > piece.stored.asked) {
        return None;
    }
    // Whatever it takes in may reach to the next.
    while let Some((index, joint)) =
        same.iter().enumerate().find_map(|(index, other)| Some((index, piece.with(other, most)?)))
    {
        same.swap_remove(index);
        piece = joint;
    }
    parts.extend(same.into_iter().map(|other| other.stored));
    let whole = if piece.content.is_whole() {
        Some(Arc::unwrap_or_clone(piece.stored))
    } else {
        parts.push(piece.stored);
        None
    };
    parts.sort_by_key(|part| Reverse(part.generated));
    while parts.iter().map(|part| part.body.len()).sum::<usize>() > most {
        parts.pop();
    }
    Some(Joined { parts, whole })
}

/// A part, and where it lies.
struct Piece {
    content: ContentRange,
    stored: Arc<Stored>,
}

impl Piece {
    fn of(stored: Arc<Stored>) -> Option<Self> {
        let content =
            ContentRange::of(&stored.headers).filter(|content| content.bytes.len() == stored.body.len())?;
        Some(Self { content, stored })
    }

    fn is_of_one_with(&self, other: &Self) -> bool {
        let lengths = [self.content.complete, other.content.complete];
        let is_so_long = |length: usize| {
            let is_inside = |piece: &Self| piece.content.bytes.end <= length;
            is_inside(self) && is_inside(other) && lengths.iter().flatten().all(|said| *said == length)
        };
        share_a_strong_tag(&self.stored.headers, &other.stored.headers)
            && lengths.into_iter().flatten().all(is_so_long)
    }

    /// Both as one, with the newer one's head, to which the older one's adds what that leaves out (RFC 9111 section 3.2).
    fn with(&self, other: &Self, most: usize) -> Option<Self> {
        let (one, two) = (&self.content.bytes, &other.content.bytes);
        let bytes = one.start.min(two.start)..one.end.max(two.end);
        if one.end < two.start || two.end < one.start || bytes.len() > most {
            return None;
        }
        let (newer, older) =
            if other.stored.generated > self.stored.generated { (other, self) } else { (self, other) };
        let content = ContentRange { bytes, complete: self.content.complete.or(other.content.complete) };
        let mut headers = freshened(&older.stored.headers, &newer.stored.headers, &[]).ok()?;
        if headers.len() > FIELDS {
            return None;
        }
        let status = say(&mut headers, &content);
        let body = union((one, &self.stored.body), (two, &other.stored.body));
        let stored = Stored { status, headers, ..Stored::clone(&newer.stored) }.complete(body, None);
        Some(Self { content, stored: Arc::new(stored) })
    }
}

/// The bytes of two ranges that overlap or touch.
fn union(one: (&Range<usize>, &Bytes), two: (&Range<usize>, &Bytes)) -> Bytes {
    let is_in_order = (one.0.start, two.0.end) <= (two.0.start, one.0.end);
    let (first, second) = if is_in_order { (one, two) } else { (two, one) };
    if second.0.end <= first.0.end {
        return first.1.clone();
    }
    let mut bytes = BytesMut::with_capacity(second.0.end - first.0.start);
    bytes.extend_from_slice(first.1);
    bytes.extend_from_slice(&second.1[first.0.end - second.0.start..]);
    bytes.freeze()
}
