//! Followers: the users who are told what happens to a record.

use connector_core::declare::{DateTime, Id};
use connector_core::{action, record};

use crate::data_sources::{SelectDeal, SelectOrganization, SelectPerson, SelectProduct, SelectUser};
use crate::types::ByCursor;

/// Add Deal Follower
///
/// Add a follower to a deal
#[action(post("/api/v2/deals/{deal_id}/followers"), scopes("deals:full"), cost = 5, returns(Follower))]
struct AddDealFollower {
    /// The deal to follow.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The user who is to follow; one who follows already is refused.
    #[source(SelectUser)]
    user_id: Id,
}

/// Add Organization Follower
///
/// Add a follower to an organization
#[action(post("/api/v2/organizations/{org_id}/followers"), scopes("contacts:full"), cost = 5, returns(Follower), like(AddDealFollower))]
struct AddOrganizationFollower {
    /// The organization to follow.
    #[source(SelectOrganization)]
    org_id: Id,
}

/// Add Person Follower
///
/// Add a follower to a person
#[action(post("/api/v2/persons/{person_id}/followers"), scopes("contacts:full"), cost = 5, returns(Follower), like(AddDealFollower))]
struct AddPersonFollower {
    /// The person to follow.
    #[source(SelectPerson)]
    person_id: Id,
}

/// Add Product Follower
///
/// Add a follower to a product
#[action(post("/api/v2/products/{product_id}/followers"), scopes("products:full"), cost = 5, returns(Follower), like(AddDealFollower))]
struct AddProductFollower {
    /// The product to follow.
    #[source(SelectProduct)]
    product_id: Id,
}

/// Get Deal Followers
///
/// List followers of a deal
#[action(get("/api/v2/deals/{deal_id}/followers"), scopes("deals:read", "deals:full"), cost = 10, returns(Vec<Follower>), with(ByCursor))]
struct GetDealFollowers {
    /// The deal whose followers to read.
    #[source(SelectDeal)]
    deal_id: Id,
}

/// Get Organization Followers
///
/// List followers of an organization
#[action(
    get("/api/v2/organizations/{org_id}/followers"),
    scopes("contacts:read", "contacts:full"),
    cost = 10,
    returns(Vec<Follower>),
    like(GetDealFollowers)
)]
struct GetOrganizationFollowers {
    /// The organization whose followers to read.
    #[source(SelectOrganization)]
    org_id: Id,
}

/// Get Person Followers
///
/// List followers of a person
#[action(
    get("/api/v2/persons/{person_id}/followers"),
    scopes("contacts:read", "contacts:full"),
    cost = 10,
    returns(Vec<Follower>),
    like(GetDealFollowers)
)]
struct GetPersonFollowers {
    /// The person whose followers to read.
    #[source(SelectPerson)]
    person_id: Id,
}

/// Get Product Followers
///
/// List followers of a product
#[action(
    get("/api/v2/products/{product_id}/followers"),
    scopes("products:read", "products:full"),
    cost = 10,
    returns(Vec<Follower>),
    like(GetDealFollowers)
)]
struct GetProductFollowers {
    /// The product whose followers to read.
    #[source(SelectProduct)]
    product_id: Id,
}

/// Get User Followers
///
/// List followers of a user
#[action(get("/api/v2/users/{user_id}/followers"), scopes("users:read"), cost = 10, returns(Vec<Follower>), like(GetDealFollowers))]
struct GetUserFollowers {
    /// The user whose followers to read.
    #[source(SelectUser)]
    user_id: Id,
}

/// Delete Deal Follower
///
/// Delete a follower from a deal
#[action(delete("/api/v2/deals/{deal_id}/followers/{follower_id}"), scopes("deals:full"), cost = 3, returns(Unfollowed))]
struct DeleteDealFollower {
    /// The deal that is followed.
    #[source(SelectDeal)]
    deal_id: Id,
    /// The ID of the user who is to follow no more; not the ID that API v1 gave to a follower.
    #[source(SelectUser)]
    follower_id: Id,
}

/// Delete Organization Follower
///
/// Delete a follower from an organization
#[action(delete("/api/v2/organizations/{org_id}/followers/{follower_id}"), scopes("contacts:full"), cost = 3, returns(Unfollowed))]
struct DeleteOrganizationFollower {
    /// The organization that is followed.
    #[source(SelectOrganization)]
    org_id: Id,
    /// The ID of the user who is to follow no more; not the ID that API v1 gave to a follower.
    #[source(SelectUser)]
    follower_id: Id,
}

/// Delete Person Follower
///
/// Delete a follower from a person
#[action(delete("/api/v2/persons/{person_id}/followers/{follower_id}"), scopes("contacts:full"), cost = 3, returns(Unfollowed))]
struct DeletePersonFollower {
    /// The person who is followed.
    #[source(SelectPerson)]
    person_id: Id,
    /// The ID of the user who is to follow no more; not the ID that API v1 gave to a follower.
    #[source(SelectUser)]
    follower_id: Id,
}

/// Delete Product Follower
///
/// Delete a follower from a product
#[action(delete("/api/v2/products/{product_id}/followers/{follower_id}"), scopes("products:full"), cost = 3, returns(Unfollowed))]
struct DeleteProductFollower {
    /// The product that is followed.
    #[source(SelectProduct)]
    product_id: Id,
    /// The ID of the user who is to follow no more; not the ID that API v1 gave to a follower.
    #[source(SelectUser)]
    follower_id: Id,
}

/// A user who follows a record.
#[record]
struct Follower {
    /// The ID of the user.
    user_id: i64,
    /// Since when they follow.
    add_time: Option<DateTime>,
}

/// A user who follows no more.
#[record]
struct Unfollowed {
    /// The ID of the user.
    user_id: i64,
}
