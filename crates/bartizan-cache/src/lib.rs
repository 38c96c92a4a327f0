//! wip

#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "no layer asks yet"))]
mod conditions;
mod etag;
#[cfg(test)]
mod given;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "no layer asks yet"))]
mod range;
mod singleton;
#[cfg_attr(not(test), expect(dead_code, reason = "no layer asks yet"))]
mod update;
