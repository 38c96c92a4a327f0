//! wip

#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "no layer asks yet"))]
mod fields;
#[cfg(feature = "targeted-fields")]
#[cfg_attr(not(test), expect(dead_code, reason = "no layer asks yet"))]
#[path = "fields/structured.rs"]
mod structured;
#[cfg(not(feature = "targeted-fields"))]
#[cfg_attr(not(test), expect(dead_code, reason = "no layer asks yet"))]
#[path = "fields/no_structured.rs"]
mod structured;
