//! Products: the goods and services that an account sells.

mod attached;
mod old;
mod product;
mod search;

pub(crate) use product::{GetProduct, GetProducts};
pub(crate) use search::SearchProducts;
