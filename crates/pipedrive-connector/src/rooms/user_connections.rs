//! Connections of a user to other services.

use connector_core::{action, record};

/// Get User Connections
///
/// Get all user connections
#[action(get("/api/v1/userConnections"), scopes("base"), cost = 20, returns(UserConnections))]
struct GetUserConnections {}

/// The services that the connected user has connected; others than those named here may follow.
#[record]
struct UserConnections {
    /// The ID of the connection to Google.
    google: Option<String>,
}
