use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// Whether the content is of this media type, whatever its parameters: `text/event-stream`, in lower case.
///
/// Names are compared without case (RFC 9110 section 8.3.1).
pub fn has_media_type(headers: &HeaderMap, media_type: &str) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| {
        let said = value.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
        said.trim_ascii().eq_ignore_ascii_case(media_type.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_media_type_is_compared_without_case_and_parameters() {
        for (value, is_json) in [
            ("application/json", true),
            ("Application/JSON;charset=utf-8", true),
            (" application/json ; q=1", true),
            ("application/jsonl", false),
            ("application/problem+json", false),
            ("text/plain; a=application/json", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
            assert_eq!(has_media_type(&headers, "application/json"), is_json, "{value}");
        }
        assert!(!has_media_type(&HeaderMap::new(), "application/json"));
    }
}
