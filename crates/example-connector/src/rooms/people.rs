//! People: agents and those who ask.

use connector_core::declare::{Envelope, Id};
use connector_core::{action, record};

/// List People
///
/// List the people of the account
#[action(get("/v1/people"), scopes("people:read"), envelope(Envelope::at("/people")), returns(Vec<Person>))]
pub(crate) struct ListPeople {
    /// Only people of this role. Left out, all.
    role: Option<Role>,
    /// The number of the page. Left out, the first.
    page: Option<Id>,
    /// The number of people on a page. Left out, 25.
    #[wire("perPage")]
    limit: Option<Id>,
}

/// A person.
#[record]
pub(crate) struct Person {
    /// The ID of the person.
    id: String,
    /// The role of the person.
    role: Role,
    /// The name and the address of the person.
    profile: Profile,
}

/// The name and the address of a person.
#[record]
struct Profile {
    /// The name to show.
    display_name: String,
    /// The email address.
    email: String,
}

/// A role of people.
#[record]
enum Role {
    Agent,
    Customer,
}
