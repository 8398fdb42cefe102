//! Deals: sales in progress.

mod deal;
mod old;
mod reports;
mod search;

pub(crate) use deal::{GetDeal, GetDeals};
pub(super) use old::{OldDealIds, OldDealParts};
pub(crate) use search::SearchDeals;
