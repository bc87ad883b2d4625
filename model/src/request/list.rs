//! The keys of a list of requests.

use std::collections::BTreeMap;

section! {
    /// Requests that a service is asked.
    #[section("list of requests")]
    pub(crate) struct RequestList {
        /// The requests.
        #[key(hint("add a table such as `[[request]]` with `path = \"/items/{1..5000}\"`"))]
        pub(crate) request: Vec<Listed>,
    }
}

section! {
    /// A kind of request.
    #[section("request")]
    pub struct Listed {
        /// What it is called; if it is not written, its method and path.
        pub name: Option<String>,
        /// Its share of the requests, relative to the other weights.
        #[key(between(0.000_001, 1_000_000.0))]
        pub weight: f64 = 1,
        /// The method.
        pub method: Method = "GET",
        /// The path with its query. `{1..5000}` is a random whole number, `{uuid}` a random UUID,
        /// `{a|b|c}` one of these words.
        #[key(hint("write `path = \"/items/{1..5000}\"`"))]
        pub path: String,
        /// Headers by name; values may have generated parts.
        pub headers: BTreeMap<String, String> = {},
        /// The body; it may have generated parts. None is sent where none is written.
        pub body: Option<String>,
        /// It may be sent although its method may change something.
        pub safe: bool = false,
    }
}

words! {
    /// The method of a request.
    pub enum Method {
        /// asks for something
        Get = "GET",
        /// asks for the head of the reply alone
        Head = "HEAD",
        /// asks what may be asked
        Options = "OPTIONS",
        /// makes something, as a rule
        Post = "POST",
        /// writes something
        Put = "PUT",
        /// changes something
        Patch = "PATCH",
        /// removes something
        Delete = "DELETE",
    }
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 7] = [
        Method::Get,
        Method::Head,
        Method::Options,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
    ];

    /// The method of this name, in letters of any case.
    pub fn from_name(name: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(name))
    }

    /// Nothing is changed by it, if the service keeps to RFC 9110, section 9.2.1.
    pub fn is_safe(self) -> bool {
        matches!(self, Method::Get | Method::Head | Method::Options)
    }
}

impl Listed {
    /// What it is called.
    pub fn title(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("{} {}", self.method.as_str(), self.path),
        }
    }
}
