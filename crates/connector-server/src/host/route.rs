//! The description of a route.

/// The name that stands for [`Settings::connection_header`](crate::Settings) in a description.
pub(crate) const CONNECTION_HEADER: &str = "Connector-Connection";

/// One method of one path.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) audience: Audience,
    pub(crate) summary: &'static str,
    /// The parameters in the query or in headers: the place, the name and the description of each.
    pub(crate) parameters: &'static [(&'static str, &'static str, &'static str)],
    /// The bodies that it accepts: media types, and the schema of each.
    pub(crate) body: &'static [(&'static str, &'static str)],
    /// The response of success: the status, the media type and the schema.
    pub(crate) response: (u16, &'static str, &'static str),
}

/// The callers that a route accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Anyone.
    Anyone,
    /// Programs with an API key.
    Key,
    /// The browser of a person. Its refusals are pages.
    Browser,
    /// The vendor, with the id and secret of its app.
    Vendor,
    /// Programs of this machine, and those with the key of an operator.
    Watcher,
}
