//! Deals: what may be sold, to whom, and how far it has come.

mod deal;
mod old;
mod reports;
mod search;

pub(crate) use deal::GetDeals;
pub(super) use old::{OldDealIds, OldDealParts};
pub(crate) use search::SearchDeals;
