use http::StatusCode;
use serde_json::{Map, Value};

/// Problem details of an error answer (RFC 9457, `application/problem+json`).
///
/// Members of the wrong JSON type are ignored, as section 3.1 asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Problem {
    members: Map<String, Value>,
}

impl Problem {
    /// Reads the details out of `body`; `None` if it is no JSON object.
    pub(crate) fn parse(body: &str) -> Option<Self> {
        match serde_json::from_str(body).ok()? {
            Value::Object(members) => Some(Self { members }),
            _ => None,
        }
    }

    /// What kind of problem it is: a URI reference, `about:blank` where the answer says nothing.
    pub fn kind(&self) -> &str {
        self.text("type").unwrap_or("about:blank")
    }

    /// The kind in a few words.
    pub fn title(&self) -> Option<&str> {
        self.text("title")
    }

    /// What went wrong this time.
    pub fn detail(&self) -> Option<&str> {
        self.text("detail")
    }

    /// This very occurrence: a URI reference.
    pub fn instance(&self) -> Option<&str> {
        self.text("instance")
    }

    /// The status that the origin gave; a proxy may have answered with another.
    pub fn status(&self) -> Option<StatusCode> {
        let status = self.members.get("status")?.as_u64()?;
        StatusCode::from_u16(u16::try_from(status).ok()?).ok()
    }

    /// Any member, those of the kind's own included.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name)?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_and_wrong_types_ignored() {
        let problem = Problem::parse(
            r#"{"type":"https://example.com/out-of-credit","title":7,"status":403,"detail":"30, but 50 needed","balance":30}"#,
        )
        .unwrap();
        assert_eq!(problem.kind(), "https://example.com/out-of-credit");
        assert_eq!(problem.title(), None);
        assert_eq!(problem.status(), Some(StatusCode::FORBIDDEN));
        assert_eq!(problem.detail(), Some("30, but 50 needed"));
        assert_eq!(problem.member("balance"), Some(&Value::from(30)));
        assert_eq!(problem.instance(), None);
        assert_eq!(Problem::parse("{}").unwrap().kind(), "about:blank");
    }

    #[test]
    fn what_is_no_object_is_no_problem() {
        for body in ["", "[]", "null", "\"x\"", "{", "{\"status\":403"] {
            assert_eq!(Problem::parse(body), None, "{body}");
        }
        assert_eq!(Problem::parse(r#"{"status":99999999}"#).unwrap().status(), None);
        assert_eq!(Problem::parse(r#"{"status":-1}"#).unwrap().status(), None);
    }
}
